/** A store that lost everything and was filled again, with changes on top: what is known of the way there. */
import t from 'tap';
import { ChangeWriter } from '../../lib/primary/change-writer.ts';
import { routeTo } from '../helpers/fleet.ts';
import { startRedis } from '../helpers/redis-server.ts';
import { openStore } from '../helpers/store-client.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import { followStore } from './followed-store.ts';

const ORIGIN = { destinations: { only: { url: 'http://127.0.0.1:9' } } };
const put = (id: string) => ({ op: 'put', kind: 'route', id, value: routeTo(`/${id}`) }) as const;
const BASE = [{ op: 'put', kind: 'cluster', id: 'origin', value: ORIGIN } as const, put('first')];

t.test('who filled it is told that the change is served, also where others came after it', async (t) => {
  const redis = await startRedis(t);
  const store = await openStore(t, redis);
  // Not started: it compares when it is told to, and hears of nothing in between.
  const { keeper, follower } = await followStore(t, store, await createTemporaryDirectory(t));
  const change = { actor: 'somebody', message: '' };
  const before = await store.publish({ ...change, operations: BASE });
  await follower.sync();
  t.equal(keeper.head.id, before.id);

  await redis.command('FLUSHALL');
  await follower.sync();
  t.equal(keeper.storeIsEmpty, true);
  const order = { ...change, operations: [...BASE, put('second')], expectedRevision: 0 };
  const refill = await store.publish({ ...order, revisionFloor: before.revision });
  const next = await store.publish({ ...change, operations: [put('third')] });
  await follower.sync();

  t.equal(keeper.head.id, next.id);
  t.equal(keeper.chain.holds(keeper.head, refill), true);
  t.equal(keeper.chain.holds(keeper.head, next), true);
  t.equal(keeper.chain.has(before), false, 'nothing is said of what was there before');
});

t.test('there is no way back to before it was emptied: nothing is deleted instead', async (t) => {
  const redis = await startRedis(t);
  const store = await openStore(t, redis);
  const { keeper, follower } = await followStore(t, store, await createTemporaryDirectory(t));
  const change = { actor: 'somebody', message: '' };
  await store.publish({ ...change, operations: BASE });
  const before = await store.publish({ ...change, operations: [put('second')] });
  await follower.sync();
  await redis.command('FLUSHALL');
  await store.publish({ ...change, operations: BASE, expectedRevision: 0, revisionFloor: before.revision });
  await follower.sync();
  const writer = new ChangeWriter(store, keeper, follower);
  for (const revision of [1, 2]) {
    const order = { ...change, revision, dryRun: false, wait: 'none', timeoutMs: 0 } as const;
    await t.rejects(
      writer.rollback(order, () => {}),
      /is not in the history that is kept/,
    );
  }
  t.equal(keeper.table.configuration.routes.size, 1);
});
