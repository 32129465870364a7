/** A configuration file that fills a store which nobody has written to. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import t, { type Test } from 'tap';
import { NoConfigurationError } from '../../lib/primary/config-keeper.ts';
import { seedStore } from '../../lib/primary/seed-store.ts';
import { ConfigFileStore } from '../../lib/store/config-file-store.ts';
import { UnreadableStoreError } from '../../lib/store/config-store.ts';
import { FileStore } from '../../lib/store/file-store.ts';
import { RedisStore } from '../../lib/store/redis/redis-store.ts';
import { startRedis } from '../helpers/redis-server.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import { CLUSTER, putCluster, routeTo } from './followed-store.ts';

const logger = pino({ level: 'silent' });
const DOCUMENT = { clusters: { one: CLUSTER }, routes: { a: routeTo('/a') } };

async function prepare(t: Test, text: string) {
  const directory = await createTemporaryDirectory(t);
  const file = join(directory, 'seed.yaml');
  await writeFile(file, text);
  const store = await FileStore.open(directory);
  t.teardown(() => store.close());
  return { store, file };
}

t.test('an empty store gets all of the file, as one change that names it', async (t) => {
  const { store, file } = await prepare(t, JSON.stringify(DOCUMENT));
  await seedStore(store, file, logger);
  t.match(await store.read(), { head: { revision: 1, parent: null }, document: DOCUMENT });
  t.match(await store.history(9), [{ actor: 'gateway', message: `seeded from ${file}` }]);
});

t.test('a store that somebody has written to is left alone', async (t) => {
  const { store, file } = await prepare(t, JSON.stringify(DOCUMENT));
  await store.publish({ operations: [putCluster('theirs')], actor: 'a', message: '' });
  await seedStore(store, file, logger);
  t.match(await store.read(), { head: { revision: 1 }, document: { clusters: { theirs: CLUSTER } } });
});

t.test('a file without anything in it writes nothing', async (t) => {
  const { store, file } = await prepare(t, 'routes: {}\n');
  await seedStore(store, file, logger);
  t.equal(await store.read(), null);
});

t.test('a file that is not valid, or is none, seeds nothing', async (t) => {
  const { store, file } = await prepare(t, 'routes: 3\n');
  await t.rejects(seedStore(store, file, logger), NoConfigurationError);
  await t.rejects(seedStore(store, file, logger), { message: `${file} cannot seed the store:\n  /routes` });
  await t.rejects(seedStore(store, `${file}.missing`, logger), UnreadableStoreError);
  t.equal(await store.read(), null);
});

t.test('a configuration file is not seeded', async (t) => {
  const { file } = await prepare(t, 'routes: 3\n');
  await seedStore(new ConfigFileStore(file), file, logger);
});

t.test('of instances that seed one Redis at the same time one does, and none fails', async (t) => {
  const { file } = await prepare(t, JSON.stringify(DOCUMENT));
  const redis = await startRedis(t);
  const stores = await Promise.all([1, 2, 3].map(() => RedisStore.open(redis.settings())));
  for (const store of stores) t.teardown(() => store.close());
  await Promise.all(stores.map((store) => seedStore(store, file, logger)));
  t.match(await stores[0]?.read(), { head: { revision: 1 }, document: DOCUMENT });
  t.equal((await stores[1]?.history(9))?.length, 1);
});
