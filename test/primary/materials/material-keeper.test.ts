/** Materials counted by who needs them, brought to the workers, and shown to people. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import type { Operation } from '../../../lib/core/config/change.ts';
import type { Certificate, OriginTls } from '../../../lib/core/config/model.ts';
import { createTemporaryDirectory } from '../../helpers/temporary-directory.ts';
import { deleteIssuer, issuerWith, keepMaterials, putIssuer } from './kept-materials.ts';

const run = promisify(execFile);
const DAY_MS = 86_400_000;

function putCertificate(id: string, value: Certificate): Operation {
  return { op: 'put', kind: 'certificate', id, value };
}

function putCluster(id: string, tls: OriginTls): Operation {
  return { op: 'put', kind: 'cluster', id, value: { destinations: {}, tls } };
}

t.test('variables are told at once, before the change that needs them goes on', async (t) => {
  const environment = { SECRET: 'hush', EMPTY: ' ' };
  const kept = await keepMaterials(
    t,
    { issuers: new Map([['a', issuerWith({ secretEnv: 'SECRET' })]]) },
    { environment },
  );
  t.equal(kept.valueOf('env:SECRET'), 'hush');
  kept.keeper.change([putIssuer('b', { secretEnv: 'EMPTY' }), putIssuer('c', { secretEnv: 'MISSING' })]);
  t.same([kept.valueOf('env:EMPTY'), kept.valueOf('env:MISSING')], [null, null]);
  t.match(kept.keeper.problems(), [
    { name: 'env:EMPTY', problem: /is not set/ },
    { name: 'env:MISSING', problem: /is not set/, since: /^\d{4}-.*Z$/ },
  ]);
  t.same(kept.keeper.counts(), { current: 1, stale: 0, missing: 2 });
});

t.test('clusters and certificates need theirs, routes and clusters without TLS none', async (t) => {
  const environment = Object.fromEntries(['A', 'B', 'C', 'D', 'E', 'F'].map((name) => [name, name]));
  const kept = await keepMaterials(
    t,
    {
      clusters: new Map([
        ['plain', { destinations: {} }],
        ['safe', { destinations: {}, tls: { caEnv: 'A', certEnv: 'B', keyEnv: 'C' } }],
      ]),
      certificates: new Map([
        [
          'a.test',
          { certEnv: 'D', keyEnv: 'E', clientCertificate: { mode: 'required' as const, caEnv: 'F' } },
        ],
      ]),
      routes: new Map([['r', { match: {}, cluster: 'plain' }]]),
    },
    { environment },
  );
  const names = ['env:A', 'env:B', 'env:C', 'env:D', 'env:E', 'env:F'];
  t.same(new Set(kept.told.flat().map(({ name }) => name)), new Set(names));
});

t.test('changes before the beginning are part of what is begun with', async (t) => {
  const kept = await keepMaterials(t, {}, { environment: { SECRET: 'hush' } });
  kept.keeper.begin({ issuers: new Map([['x', issuerWith({ secretEnv: 'SECRET' })]]) } as never);
  t.same(kept.told, [], 'it begins once');
  kept.keeper.change([putIssuer('x', { secretEnv: 'SECRET' })]);
  t.equal(kept.valueOf('env:SECRET'), 'hush');
});

t.test('what is needed no more goes after a while, unless it is needed again', async (t) => {
  const environment = { SECRET: 'hush' };
  const kept = await keepMaterials(
    t,
    { issuers: new Map([['a', issuerWith({ secretEnv: 'SECRET' })]]) },
    { environment, lingerMs: 100 },
  );
  kept.keeper.change([deleteIssuer('a')]);
  kept.keeper.change([putIssuer('a', { secretEnv: 'SECRET' })]);
  kept.keeper.change([putIssuer('b', { secretEnv: 'OTHER' })]);
  kept.keeper.change([deleteIssuer('b')]);
  t.same(kept.keeper.problems(), [], 'what nobody needs is no problem');
  await kept.untilTold('env:OTHER', undefined);
  t.same(
    kept.told.flat().filter(({ name }) => name === 'env:SECRET'),
    [{ name: 'env:SECRET', value: 'hush' }],
  );
  kept.keeper.change([deleteIssuer('a')]);
  await kept.untilTold('env:SECRET', undefined);
  kept.keeper.change([putIssuer('a', { secretEnv: 'SECRET' })]);
  t.equal(kept.valueOf('env:SECRET'), 'hush', 'it is got anew');
});

t.test('problems are logged once, with many of them in one line, and when they are over', async (t) => {
  const directory = await createTemporaryDirectory(t);
  const names = Array.from({ length: 30 }, (_, index) => join(directory, `f${index}`));
  const kept = await keepMaterials(t, {
    issuers: new Map(names.map((jwksFile, index) => [`i${index}`, issuerWith({ jwksFile })])),
  });
  for (const name of names) await kept.untilTold(`file:${name}`, null);
  const [first] = names;
  await writeFile(first ?? '', 'content');
  await kept.untilTold(`file:${first}`, 'content');
  t.match(await kept.untilLogged('materials can be got again'), { materials: [`file:${first}`], count: 1 });
  const lines = kept.lines.filter(({ msg }) => msg.startsWith('materials cannot be got'));
  t.match(lines, [{ level: 50, count: 30 }]);
  t.match(lines, [{ problems: { length: 20 } }]);
  t.same(kept.keeper.counts(), { current: 1, stale: 0, missing: 29 });
  await writeFile(first ?? '', '');
  t.match(await kept.untilLogged('materials cannot be got anew'), { level: 40, count: 1 });
  t.equal(kept.valueOf(`file:${first}`), 'content');
});

t.test('of very many problems a hundred are shown', async (t) => {
  const issuers = new Map(
    Array.from(
      { length: 150 },
      (_, index) => [`i${index}`, issuerWith({ secretEnv: `NONE_${index}` })] as const,
    ),
  );
  const kept = await keepMaterials(t, { issuers });
  t.equal(kept.keeper.problems().length, 100);
  t.equal(kept.keeper.counts().missing, 150);
});

t.test('to refresh what is not needed, or no URL, is answered at once', async (t) => {
  const kept = await keepMaterials(
    t,
    { issuers: new Map([['a', issuerWith({ secretEnv: 'SECRET' })]]) },
    { environment: { SECRET: 'hush' } },
  );
  await kept.keeper.refresh('jwks:https://nobody.test/');
  await kept.keeper.refresh('nonsense');
  await kept.keeper.refresh('env:SECRET');
  t.equal(kept.told.length, 1);
});

async function makeCertificateFor(t: Test, days: number): Promise<string> {
  const directory = await createTemporaryDirectory(t);
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const subject = ['-subj', '/CN=x', '-days', String(days), '-keyout', key, '-out', cert];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await run('openssl', ['req', '-x509', ...kind, ...subject], { timeout: 10_000 });
  return cert;
}

t.test('the end of certificates is known, and warned of in time', async (t) => {
  const [long, short] = [await makeCertificateFor(t, 90), await makeCertificateFor(t, 5)];
  const kept = await keepMaterials(t, {
    certificates: new Map<string, Certificate>([
      ['long.test', { certFile: long, keyEnv: 'KEY' }],
      ['short.test', { certFile: short, keyEnv: 'KEY' }],
      ['none.test', { certFile: `${short}.none`, keyEnv: 'KEY' }],
    ]),
  });
  const warning = await kept.untilLogged('certificates will expire');
  t.match(warning, { level: 40, certificates: [{ kind: 'certificate', id: 'short.test' }], count: 1 });
  const inDays = () =>
    Object.fromEntries(
      [...kept.keeper.certificateExpiries()].map(({ kind, id, expiresAtMs }) => [
        `${kind} ${id}`,
        Math.round((expiresAtMs - Date.now()) / DAY_MS),
      ]),
    );
  t.same(inDays(), { 'certificate long.test': 90, 'certificate short.test': 5 });
  kept.keeper.change([
    putCertificate('third.test', { certFile: long, keyEnv: 'KEY' }),
    { op: 'delete', kind: 'certificate', id: 'short.test' },
  ]);
  t.same(inDays(), { 'certificate long.test': 90, 'certificate third.test': 90 });
  kept.keeper.change([
    putCluster('orders', { certFile: long, keyEnv: 'KEY' }),
    { op: 'delete', kind: 'certificate', id: 'third.test' },
  ]);
  kept.keeper.takeAdminCertificate(await readFile(short, 'utf8'));
  t.same(inDays(), { 'certificate long.test': 90, 'cluster orders': 90, 'admin ': 5 });
  kept.keeper.takeAdminCertificate(await readFile(long, 'utf8'));
  kept.keeper.change([{ op: 'put', kind: 'cluster', id: 'orders', value: { destinations: {} } }]);
  t.same(inDays(), { 'certificate long.test': 90, 'admin ': 90 });
});

t.test('certificates for origins and that of --admin are warned of too', async (t) => {
  const short = await makeCertificateFor(t, 5);
  const kept = await keepMaterials(t, {
    clusters: new Map([['orders', { destinations: {}, tls: { certFile: short, keyEnv: 'KEY' } }]]),
  });
  kept.keeper.takeAdminCertificate(await readFile(short, 'utf8'));
  await kept.untilTold(`file:${short}`, await readFile(short, 'utf8'));
  t.match(await kept.untilLogged('certificates will expire'), {
    certificates: [
      { kind: 'cluster', id: 'orders' },
      { kind: 'admin', id: '' },
    ],
  });
});
