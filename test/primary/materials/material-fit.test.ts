/** New contents of materials take the place of the former ones only where they fit. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { Operation } from '../../../lib/core/config/change.ts';
import type { MaterialGroup } from '../../../lib/core/config/material-names.ts';
import type { Certificate } from '../../../lib/core/config/model.ts';
import { checkPair, splitCertificates } from '../../../lib/net/pem.ts';
import { findMisfits, type Offer } from '../../../lib/primary/materials/material-fit.ts';
import { createTemporaryDirectory } from '../../helpers/temporary-directory.ts';
import { createAuthority } from '../../proxy/tls/test-authority.ts';
import { keepMaterials } from './kept-materials.ts';

const authority = await createAuthority(t);
const [first, second, third] = await Promise.all([
  authority.issue(),
  authority.issue({ key: 'rsa' }),
  authority.issue(),
]);

/** Files of their own, with these contents. */
async function filesOf(contents: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const base = await createTemporaryDirectory(t);
  const paths: Record<string, string> = {};
  for (const [name, text] of Object.entries(contents)) {
    paths[name] = join(base, name);
    await writeFile(join(base, name), text);
  }
  return paths;
}

t.test(
  'a certificate without its key waits for it, and whoever comes later gets the former pair',
  async (t) => {
    const { cert = '', key = '' } = await filesOf({ cert: first.cert, key: first.key });
    const kept = await keepMaterials(t, {
      certificates: new Map<string, Certificate>([['a.test', { certFile: cert, keyFile: key }]]),
    });
    await kept.untilTold(`file:${key}`, first.key);
    await writeFile(cert, second.cert);
    const line = await kept.untilLogged('materials cannot be got anew');
    t.match(line, { level: 40, problems: [/the key is not that of the certificate/, /cannot be used with/] });
    t.match(kept.keeper.problems(), [
      {
        name: `file:${cert}`,
        problem: `cannot be used with file:${key}: the key is not that of the certificate`,
      },
      { name: `file:${key}`, problem: /^cannot be used with file:.*cert: / },
    ]);
    t.same(kept.keeper.counts(), { current: 0, stale: 2, missing: 0 });
    t.equal(kept.valueOf(`file:${cert}`), first.cert, 'nobody is told of half a pair');
    await writeFile(key, second.key);
    await kept.untilTold(`file:${key}`, second.key);
    t.equal(kept.valueOf(`file:${cert}`), second.cert);
    t.same(kept.keeper.problems(), []);
    t.match(await kept.untilLogged('materials can be got again'), { count: 2 });
  },
);

t.test('authorities that cannot be read leave the former ones', async (t) => {
  const { ca = '' } = await filesOf({ ca: authority.ca });
  const kept = await keepMaterials(t, {
    clusters: new Map([['main', { destinations: {}, tls: { caFile: ca } }]]),
  });
  await kept.untilTold(`file:${ca}`, authority.ca);
  await writeFile(ca, 'garbage');
  await kept.untilLogged('materials cannot be got anew');
  t.equal(kept.valueOf(`file:${ca}`), authority.ca);
  t.match(kept.keeper.problems(), [{ problem: 'cannot be used: there is no certificate in it' }]);
});

t.test('what was never of use is missing, with the reason', async (t) => {
  const { cert = '', key = '' } = await filesOf({ cert: first.cert, key: third.key });
  const kept = await keepMaterials(t, {
    certificates: new Map<string, Certificate>([['a.test', { certFile: cert, keyFile: key }]]),
  });
  await kept.untilLogged('materials cannot be got: ');
  t.same([kept.valueOf(`file:${cert}`), kept.valueOf(`file:${key}`)], [null, null]);
  t.same(kept.keeper.counts(), { current: 0, stale: 0, missing: 2 });
  await writeFile(key, first.key);
  await kept.untilTold(`file:${key}`, first.key);
  t.equal(kept.valueOf(`file:${cert}`), first.cert);
});

t.test('a change of the entries decides anew what has to fit', async (t) => {
  const environment = { CERT: first.cert, KEY: first.key, OTHER_KEY: second.key };
  const put = (id: string, value: Certificate): Operation => ({ op: 'put', kind: 'certificate', id, value });
  const kept = await keepMaterials(
    t,
    { certificates: new Map([['a.test', { certEnv: 'CERT', keyEnv: 'OTHER_KEY' }]]) },
    { environment },
  );
  t.same([kept.valueOf('env:CERT'), kept.valueOf('env:OTHER_KEY')], [null, null]);
  kept.keeper.change([put('b.test', { certEnv: 'CERT', keyEnv: 'KEY' })]);
  t.same([kept.valueOf('env:CERT'), kept.valueOf('env:KEY')], [first.cert, first.key]);
  t.equal(kept.valueOf('env:OTHER_KEY'), null);
  kept.keeper.change([put('a.test', { certEnv: 'CERT', keyEnv: 'KEY' })]);
  t.same(kept.keeper.problems(), []);
});

t.test('the same pair of very many entries is checked once', async (t) => {
  const { cert = '', key = '' } = await filesOf({ cert: first.cert, key: first.key });
  const pair: Certificate = { certFile: cert, keyFile: key };
  const ids = Array.from({ length: 20_000 }, (_, index) => `h${index}.test`);
  const kept = await keepMaterials(t, { certificates: new Map(ids.map((id) => [id, pair])) });
  await kept.untilTold(`file:${key}`, first.key);
  kept.keeper.change(ids.map((id): Operation => ({ op: 'delete', kind: 'certificate', id })));
  t.same(kept.keeper.problems(), []);
});

const CERTIFICATES = [first.cert, second.cert, third.cert, 'garbage', null, undefined];
const KEYS = [first.key, second.key, third.key, 'garbage', null, undefined];
const GROUPS: readonly MaterialGroup[] = [
  { kind: 'pair', names: ['cert-a', 'key-a'] },
  { kind: 'pair', names: ['cert-a', 'key-b'] },
  { kind: 'pair', names: ['cert-b', 'key-b'] },
  { kind: 'authorities', names: ['cert-b'] },
];

function fits({ kind, names }: MaterialGroup, valueOfName: (name: string) => Offer['former']): boolean {
  const values = names.map(valueOfName);
  if (!values.every((value) => typeof value === 'string')) return false;
  try {
    if (kind === 'pair') checkPair({ cert: values[0] ?? '', key: values[1] ?? '' });
    else splitCertificates(values[0] ?? '');
    return true;
  } catch {
    return false;
  }
}

t.test('whatever comes, a group that fitted never gives way to one that does not', async () => {
  const certificate = fc.constantFrom(...CERTIFICATES);
  const key = fc.constantFrom(...KEYS);
  const values = fc.record({ 'cert-a': certificate, 'cert-b': certificate, 'key-a': key, 'key-b': key });
  fc.assert(
    fc.property(values, values, fc.subarray([...GROUPS]), (former, offered, groups) => {
      const offers = new Map(
        Object.entries(offered).map(([name, value]) => [
          name,
          { former: former[name as keyof typeof former], offered: value },
        ]),
      );
      const offerOf = (name: string) => offers.get(name) ?? { former: undefined, offered: undefined };
      const misfits = findMisfits(groups, offerOf);
      const resultOf = (name: string) => {
        const misfit = misfits.get(name);
        if (misfit === undefined) return offerOf(name).offered;
        return misfit.staysFormer ? offerOf(name).former : null;
      };
      for (const group of groups) {
        const isWhole = group.names.every((name) => typeof offerOf(name).offered === 'string');
        const fitted = fits(group, (name) => offerOf(name).former);
        if (fitted && isWhole && !fits(group, resultOf)) return false;
      }
      const allFit = groups.every((group) => fits(group, (name) => offerOf(name).offered));
      return !allFit || misfits.size === 0;
    }),
    { numRuns: 300 },
  );
});
