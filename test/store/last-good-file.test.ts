import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { documentOf, EMPTY_CONFIGURATION } from '../../lib/core/config/document.ts';
import type { Route } from '../../lib/core/config/model.ts';
import { type LastGood, type LastGoodContent, LastGoodFile } from '../../lib/store/last-good-file.ts';
import { watchEventLoop } from '../helpers/event-loop-block.ts';

const originOf = (revision: number) => ({
  source: 'file',
  head: { revision, id: `id-${revision}`, parent: null, at: '2026-01-01T00:00:00.000Z' },
});

const lastGood = (revision: number): LastGoodContent => ({
  ...originOf(revision),
  configuration: {
    ...EMPTY_CONFIGURATION,
    routes: new Map([
      ['b', { match: {}, cluster: 'b' }],
      ['1', { match: {}, cluster: `ü-${revision}` }],
    ]),
  },
});

const loadedLastGood = (revision: number): { kind: 'loaded' } & LastGood => ({
  kind: 'loaded',
  ...originOf(revision),
  document: {
    clusters: {},
    issuers: {},
    consumers: {},
    certificates: {},
    routes: { '1': { match: {}, cluster: `ü-${revision}` }, b: { match: {}, cluster: 'b' } },
  },
});

t.test('what was saved is loaded, also by another process later', async (t) => {
  const directory = t.testdir();
  const file = new LastGoodFile(directory);
  t.strictSame(await file.load(), { kind: 'missing' });
  await file.save(lastGood(1));
  await file.save(lastGood(2));
  t.strictSame(await new LastGoodFile(directory).load(), loadedLastGood(2));
  t.strictSame(readdirSync(directory), ['last-good.json']);
  t.equal(statSync(file.path).mode & 0o777, 0o600);
});

t.test(
  'saves faster than the disk are coalesced, and each waits for its content or a newer one',
  async (t) => {
    const file = new LastGoodFile(t.testdir());
    let resolvedSaves = 0;
    const revisionsOnDisk: number[] = [];
    const saves = Array.from({ length: 200 }, async (_, index) => {
      await file.save(lastGood(index + 1));
      resolvedSaves += 1;
      const { content } = JSON.parse(readFileSync(file.path, 'utf8'));
      t.ok(content.head.revision >= index + 1);
      revisionsOnDisk.push(content.head.revision);
    });
    await Promise.all(saves);
    t.equal(resolvedSaves, 200);
    t.ok(new Set(revisionsOnDisk).size <= 2, 'the first and the newest were written, not 200');
    t.match(await file.load(), { kind: 'loaded', head: { revision: 200 } });
  },
);

t.test('a file of which somebody only changed the white space is taken', async (t) => {
  const file = new LastGoodFile(t.testdir());
  const content = lastGood(1);
  (content.configuration.routes as Map<string, Route>).delete('1');
  await file.save(content);
  writeFileSync(file.path, JSON.stringify(JSON.parse(readFileSync(file.path, 'utf8')), null, 2));
  t.match(await file.load(), { kind: 'loaded', document: { routes: { b: { cluster: 'b' } } } });
});

t.test('a damaged file is set aside and named, never trusted', async (t) => {
  const damages: [string, (text: string) => string, RegExp][] = [
    ['half a file', (text) => text.slice(0, text.length / 2), /not valid JSON/],
    ['an empty file', () => '', /not valid JSON/],
    ['no object', () => '[]', /format is undefined/],
    ['null', () => 'null', /not a JSON object/],
    ['a changed byte', (text) => text.replace('ü-1', 'ü-2'), /checksum does not match/],
    ['no content', (text) => text.replace('"content"', '"contents"'), /checksum does not match/],
    [
      'another version',
      (text) => text.replace('last-good/1', 'last-good/2'),
      /format is "fengling-gateway\/last-good\/2"/,
    ],
  ];
  for (const [name, damage, reason] of damages) {
    await t.test(name, async (t) => {
      const directory = t.testdir();
      const file = new LastGoodFile(directory);
      await file.save(lastGood(1));
      const damaged = damage(readFileSync(file.path, 'utf8'));
      writeFileSync(file.path, damaged);
      const loaded = await file.load();
      t.match(loaded, { kind: 'damaged', reason });
      if (loaded.kind !== 'damaged' || loaded.setAsideAs === null) return t.fail('it was not set aside');
      t.match(loaded.reason, file.path);
      t.match(loaded.setAsideAs, /last-good\.damaged-[\dT.-]+Z\.json$/);
      t.equal(readFileSync(loaded.setAsideAs, 'utf8'), damaged);
      t.strictSame(await file.load(), { kind: 'missing' });
      await file.save(lastGood(2));
      t.match(await file.load(), { kind: 'loaded', head: { revision: 2 } });
    });
  }
});

t.test('what is saved is what was there at the call, whatever changes while it is written', async (t) => {
  const file = new LastGoodFile(t.testdir());
  const content = lastGood(1);
  const routes = content.configuration.routes as Map<string, Route>;
  const saved = file.save(content);
  routes.clear();
  await saved;
  t.strictSame(await file.load(), loadedLastGood(1));
});

t.test('to save 100,000 routes does not hold up the event loop', async (t) => {
  const file = new LastGoodFile(t.testdir());
  const routes = new Map<string, Route>();
  for (let index = 0; index < 100_000; index += 1) {
    const match = { hosts: [`host-${index % 100}.example.com`], path: `/service-${index}/{**rest}` };
    routes.set(`route-${(index * 7_919) % 100_000}`, { match, cluster: 'a', order: index });
  }
  const configuration = {
    ...EMPTY_CONFIGURATION,
    clusters: new Map([['a', { destinations: {} }]]),
    routes,
  };
  const { longestBlockMs, totalMs } = await watchEventLoop(() =>
    file.save({ ...originOf(1), configuration }),
  );
  t.ok(longestBlockMs < totalMs / 3, `${longestBlockMs} of ${totalMs} ms`);
  const loaded = await file.load();
  t.equal(loaded.kind, 'loaded');
  if (loaded.kind === 'loaded') t.strictSame(loaded.document, documentOf(configuration));
});

t.test('a checksum does not make a head of anything', async (t) => {
  const { encodeChecksummed } = await import('../../lib/store/checksummed-json.ts');
  const file = new LastGoodFile(t.testdir());
  for (const head of [null, { revision: -1, id: '', parent: null, at: '' }, { revision: 1 }]) {
    writeFileSync(file.path, encodeChecksummed('fengling-gateway/last-good/1', { head, document: {} }));
    t.match(await file.load(), { kind: 'damaged', reason: /no valid head/ });
  }
});

t.test('at most five damaged files are kept, the newest', async (t) => {
  const old = ['2001', '2002', '2003', '2004', '2005', '2006'].map(
    (year) => `last-good.damaged-${year}.json`,
  );
  const directory = t.testdir(Object.fromEntries(old.map((name) => [name, ''])));
  const file = new LastGoodFile(directory);
  writeFileSync(file.path, 'damaged');
  await file.load();
  const kept = readdirSync(directory).sort();
  t.equal(kept.length, 5);
  t.strictSame(kept.slice(0, 4), old.slice(2));
});

t.test('a save that fails says why, and the next one succeeds', async (t) => {
  const file = new LastGoodFile(t.testdir());
  mkdirSync(file.path);
  await t.rejects(file.save(lastGood(1)), /cannot write .*last-good\.json: .*EISDIR/);
  await t.rejects(file.load(), /cannot read .*last-good\.json: .*EISDIR/);
  rmdirSync(file.path);
  await file.save(lastGood(2));
  t.match(await file.load(), { kind: 'loaded', head: { revision: 2 } });
});
