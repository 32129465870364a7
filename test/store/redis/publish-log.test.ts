/** What publishing a change does with the log that is there. */
import t, { type Test } from 'tap';
import { RedisStore } from '../../../lib/store/redis/redis-store.ts';
import { startRedis } from '../../helpers/redis-server.ts';
import { changeOf, putCluster } from '../contract.ts';

/** A first change of this many clusters makes several megabytes of log. */
const MANY_CLUSTERS = 20_000;
const MEGABYTE = 1_048_576;

async function openStore(t: Test, prefix: string): Promise<RedisStore> {
  const store = await RedisStore.open(redis.settings(prefix));
  t.teardown(() => store.close());
  return store;
}

/** Memory of the interpreter that runs the scripts, garbage included. */
async function scriptMemoryBytes(): Promise<number> {
  return Number(/^used_memory_lua:(\d+)/m.exec(await redis.command('INFO', 'memory'))?.[1]);
}

const redis = await startRedis(t);

t.test('a small change does not make the script read the large ones before it', async (t) => {
  const store = await openStore(t, '{large}:');
  const clusters = Array.from({ length: MANY_CLUSTERS }, (_, index) => putCluster(`c${index}`));
  await store.publish(changeOf(clusters));
  t.ok(Number(await redis.command('HGET', '{large}:head', 'logBytes')) > 2 * MEGABYTE);
  await redis.command('SCRIPT', 'FLUSH', 'SYNC');
  await store.publish(changeOf([putCluster('c1', 8081)]));
  t.ok((await scriptMemoryBytes()) < MEGABYTE);
});

t.test('a log whose entries ahead of the head were deleted is given up, the store goes on', async (t) => {
  const store = await openStore(t, '{ahead}:');
  await store.publish(changeOf([putCluster('a')]));
  await redis.command('XADD', '{ahead}:log', '9-0', 'some', 'thing');
  await redis.command('XDEL', '{ahead}:log', '9-0');
  await store.publish(changeOf([putCluster('b')]));
  t.equal((await store.readHead())?.revision, 2);
  t.equal((await store.changesSince(1))?.length, 1);
  t.equal(await store.changesSince(0), null);
  await store.publish(changeOf([putCluster('c')]));
  t.equal((await store.changesSince(1))?.length, 2);
});
