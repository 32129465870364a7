/** Two instances on one real Redis: what one writes the other has, and neither overwrites what it has not seen. */
import t, { type Test } from 'tap';
import { ERRORS } from '../../lib/core/errors.ts';
import { RedisStore } from '../../lib/store/redis/redis-store.ts';
import { eventually } from '../helpers/eventually.ts';
import { startRedis } from '../helpers/redis-server.ts';
import {
  type Followed,
  followStore,
  orderOf,
  putCluster,
  putLostRoute,
  putRoute,
  refusalOf,
} from './followed-store.ts';

async function openPair(t: Test) {
  const redis = await startRedis(t);
  const open = async () => {
    const store = await RedisStore.open(redis.settings());
    t.teardown(() => store.close());
    const followed = await followStore(t, store);
    await followed.follower.start();
    return { store, ...followed };
  };
  const [one, two] = [await open(), await open()];
  await one.change([putCluster(), putRoute('a')]);
  const agree = () =>
    eventually(() => {
      if (one.keeper.head.id !== two.keeper.head.id) throw new Error('they hold different heads');
      if (one.keeper.table.fingerprint !== two.keeper.table.fingerprint) throw new Error('or contents');
    });
  await agree();
  return { redis, one, two, agree };
}

t.test('fifty writes at once through both all succeed, in one chain', async (t) => {
  const { one, two, agree } = await openPair(t);
  const ids = Array.from({ length: 50 }, (_, index) => `r${index}`);
  const heads = await Promise.all(
    ids.map((id, index) => (index % 2 === 0 ? one : two).change([putRoute(id)])),
  );
  await agree();
  t.same(one.routes(), ['a', ...ids].sort());
  t.equal(new Set(heads.map(({ revision }) => revision)).size, 50);
  const changes = await two.store.changesSince(1);
  t.equal(changes?.length, 50);
  t.ok(changes?.every(({ parent }, index) => index === 0 || parent === changes[index - 1]?.id));
  for (const { keeper } of [one, two]) t.ok(heads.every((head) => keeper.chain.holds(keeper.head, head)));
});

t.test('of two with the same condition one wins, and the other learns the revision', async (t) => {
  const { one, two, agree } = await openPair(t);
  const write = (by: Followed, path: string) => by.change([putRoute('a', path)], { expectedRevision: 1 });
  const outcomes = await Promise.allSettled([write(one, '/one'), write(two, '/two')]);
  const [lost] = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  t.match(lost, refusalOf({ definition: ERRORS.revisionConflict, details: { currentRevision: 2 } }));
  await agree();
  t.equal(one.keeper.head.revision, 2);
});

t.test('what one wrote the other can write on at once, whether it has heard of it or not', async (t) => {
  const { one, two } = await openPair(t);
  const head = await one.change([putRoute('b')]);
  await two.change([putRoute('c')], { expectedRevision: head.revision });
  t.same(two.routes(), ['a', 'b', 'c']);
  const { content: _, ...order } = orderOf([]);
  await one.writer.rollback({ ...order, revision: 3 }, () => {});
  await one.writer.rollback({ ...order, revision: 1 }, () => {});
  t.same(one.routes(), ['a']);
});

t.test(
  'a console that writes nonsense is refused by both, and mended by the first that writes',
  async (t) => {
    const { one, two, agree } = await openPair(t);
    await two.store.publish({ operations: [putLostRoute()], actor: 'console', message: '' });
    for (const { waitFor, keeper } of [one, two]) await waitFor(() => keeper.refused !== null);
    await Promise.all([one.change([putRoute('b')]), two.change([putRoute('c')])]);
    await agree();
    t.same([one.routes(), one.keeper.refused, two.keeper.refused], [['a', 'b', 'c'], null, null]);
  },
);

t.test('a flushed Redis takes nothing away, and is filled again by whoever writes first', async (t) => {
  const { redis, one, two, agree } = await openPair(t);
  await redis.command('FLUSHALL');
  for (const { waitFor, keeper } of [one, two]) await waitFor(() => keeper.storeIsEmpty);
  t.same([one.routes(), two.routes()], [['a'], ['a']]);
  await Promise.all([one.change([putRoute('b')]), two.change([putRoute('c')])]);
  await agree();
  t.same([one.routes(), one.keeper.head.revision], [['a', 'b', 'c'], 3]);
  t.same([one.stepBacks, two.stepBacks], [[], []]);
});
