/** What was served last is only used where it can be trusted, and is of the store in use. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import pino from 'pino';
import t, { type Test } from 'tap';
import { EMPTY_CONFIGURATION } from '../../lib/core/config/document.ts';
import { LastGoodSource } from '../../lib/primary/last-good-source.ts';
import { LastGoodFile } from '../../lib/store/last-good-file.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import { CLUSTER, routeTo } from './followed-store.ts';

const HEAD = { revision: 7, id: 'seven', parent: 'six', at: new Date(0).toISOString() };

async function prepare(t: Test) {
  const directory = await createTemporaryDirectory(t);
  const file = new LastGoodFile(directory);
  const lines: { msg: string }[] = [];
  const logger = pino({ base: null }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const load = (source: string) => new LastGoodSource(file, source, logger).load();
  const save = (cluster: string) =>
    file.save({
      source: 'file',
      head: HEAD,
      configuration: {
        ...EMPTY_CONFIGURATION,
        clusters: new Map([['one', CLUSTER]]),
        routes: new Map([['a', routeTo('/a', cluster)]]),
      },
    });
  return { directory, file, lines, load, save };
}

t.test('what was saved is loaded, with its head', async (t) => {
  const { load, save, lines } = await prepare(t);
  await save('one');
  const loaded = await load('file');
  t.same(loaded?.head, HEAD);
  t.same([...(loaded?.table.configuration.routes.keys() ?? [])], ['a']);
  t.same(lines, []);
});

t.test('there is none at first, and none of another store', async (t) => {
  const { load, save, lines } = await prepare(t);
  t.equal(await load('file'), null);
  await save('one');
  t.same(lines, []);
  t.equal(await load('redis:elsewhere'), null);
  t.match(lines, [{ msg: /of another store: not used/, source: 'file', wanted: 'redis:elsewhere' }]);
});

t.test('a damaged one is set aside, and said', async (t) => {
  const { load, save, lines, file, directory } = await prepare(t);
  await save('one');
  await writeFile(file.path, 'half of i');
  t.equal(await load('file'), null);
  t.match(lines, [{ msg: 'last good configuration is damaged: set aside', setAsideAs: /damaged/ }]);
  t.match(await readdir(directory), [/^last-good\.damaged-/]);
});

t.test('one that this version does not take is not served, and said why', async (t) => {
  const { load, save, lines } = await prepare(t);
  await save('nowhere');
  t.equal(await load('file'), null);
  t.match(lines, [{ msg: 'last good configuration is not valid for this version', problems: [/cluster/] }]);
});

t.test('one that cannot be read does not keep a gateway from starting', async (t) => {
  const { load, lines, file } = await prepare(t);
  await mkdir(file.path);
  t.equal(await load('file'), null);
  t.match(lines, [{ msg: 'last good configuration cannot be read', reason: file.path }]);
});
