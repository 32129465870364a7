/** A store that lost writes, or everything, and what then is served, said and known to be served. */
import t, { type Test } from 'tap';
import { LastGoodFile } from '../../lib/store/last-good-file.ts';
import { followStore, putCluster, putLostRoute, putRoute, removeRoute } from './followed-store.ts';
import { ScriptedStore } from './scripted-store.ts';

/** Follows a store at revision 3, with a cluster and the routes a, b and c. */
async function followThree(t: Test) {
  const store = new ScriptedStore();
  const first = store.write([putCluster(), putRoute('a')]);
  const second = store.write([putRoute('b')]);
  const third = store.write([putRoute('c')]);
  const followed = await followStore(t, store);
  await followed.follower.start();
  return { store, first, second, third, ...followed };
}

t.test('a store that stepped back wins, loudly, and what it lost is not known as served', async (t) => {
  const { store, keeper, follower, routes, stepBacks, deltas, first, third } = await followThree(t);
  store.stepBackTo(1);
  await follower.sync();
  t.same([routes(), keeper.head, keeper.refused], [['a'], store.head, null]);
  t.match(stepBacks, [{ from: { revision: 3 }, to: { revision: 1 } }]);
  t.match(deltas.at(-1), { revision: 1, parent: third.id });
  t.notOk(keeper.chain.has(third));
  t.ok(keeper.chain.has(first));
});

t.test('a store that stepped back and went on to the same number has another configuration', async (t) => {
  const { store, keeper, follower, routes, stepBacks, third } = await followThree(t);
  store.stepBackTo(2);
  const other = store.write([putRoute('other')]);
  await follower.sync();
  t.same([routes(), stepBacks.length], [['a', 'b', 'other'], 1]);
  t.notOk(keeper.chain.holds(other, third));
});

t.test('one that went on beyond it is a step back too, and a greater number no proof', async (t) => {
  const { store, keeper, follower, routes, stepBacks, third } = await followThree(t);
  store.stepBackTo(2);
  const others = ['x', 'y', 'z'].map((id) => store.write([putRoute(id)]));
  store.tell(others[2] ?? third);
  await follower.sync();
  t.same([routes(), stepBacks.length], [['a', 'b', 'x', 'y', 'z'], 1]);
  t.notOk(keeper.chain.holds(keeper.head, third));
});

t.test('a change of a branch that is gone is not taken, whenever it is told', async (t) => {
  const { store, keeper, follower, routes, deltas } = await followThree(t);
  const lost = store.write([putRoute('lost-later')]);
  store.stepBackTo(2);
  await follower.sync();
  const before = deltas.length;
  store.tell(lost);
  await follower.sync();
  t.same([routes(), keeper.head, deltas.length], [['a', 'b'], store.head, before]);
});

t.test('an emptied store takes nothing away, and says so once', async (t) => {
  const { store, keeper, follower, routes, deltas, logged } = await followThree(t);
  const { head } = keeper;
  store.empty();
  await follower.sync();
  await follower.sync();
  t.same([routes(), keeper.head, keeper.storeIsEmpty, deltas.length], [['a', 'b', 'c'], head, true, 1]);
  t.equal(logged.filter(({ msg }) => msg.startsWith('the store is empty')).length, 1);
});

t.test('a store that is there again as it was is no news', async (t) => {
  const { store, keeper, follower, deltas } = await followThree(t);
  const bringBack = store.empty();
  await follower.sync();
  t.equal(keeper.storeIsEmpty, true);
  bringBack();
  await follower.sync();
  t.same([keeper.storeIsEmpty, deltas.length], [false, 1]);
});

for (const [what, revision] of [
  ['a lower', 1],
  ['the same', 3],
] as const) {
  t.test(`an emptied store that somebody filled at ${what} revision wins, loudly`, async (t) => {
    const { store, keeper, follower, routes, stepBacks, third } = await followThree(t);
    store.empty();
    await follower.sync();
    const refilled = store.write([putCluster(), putRoute('new')], { revision });
    store.tell(refilled);
    await follower.sync();
    t.same([routes(), keeper.head, keeper.storeIsEmpty], [['new'], store.head, false]);
    t.equal(stepBacks.length, 1);
    t.notOk(keeper.chain.holds(keeper.head, third));
    t.ok(keeper.chain.holds(keeper.head, refilled));
  });
}

t.test('one that was filled again above what is held is followed without alarm', async (t) => {
  const { store, keeper, follower, routes, stepBacks } = await followThree(t);
  store.empty();
  await follower.sync();
  store.write([putCluster(), putRoute('a'), putRoute('new')], { revisionFloor: 3 });
  await follower.sync();
  t.same([routes(), keeper.head.revision, stepBacks, keeper.storeIsEmpty], [['a', 'new'], 4, [], false]);
});

t.test('an emptied store that is filled with nonsense is refused, and not called empty', async (t) => {
  const { store, keeper, follower, routes, refusals } = await followThree(t);
  store.empty();
  await follower.sync();
  store.write([putLostRoute()]);
  await follower.sync();
  t.same([routes(), keeper.storeIsEmpty, keeper.refused?.head?.revision], [['a', 'b', 'c'], false, 1]);
  t.equal(refusals.length, 1);
});

t.test('a refused change leaves all as it is; the next one mends it', async (t) => {
  const { store, keeper, follower, routes, refusals, deltas, third, waitFor } = await followThree(t);
  const bad = store.write([putLostRoute(), putRoute('good')]);
  store.tell(bad);
  // On a busy machine it waits for its turn.
  await waitFor(() => refusals.length > 0);
  t.same([routes(), keeper.head.revision], [['a', 'b', 'c'], 3], 'refused whole');
  t.match(keeper.refused, { head: { revision: 4 }, problems: [{ pointer: '/routes/lost/cluster' }] });
  const mend = store.write([removeRoute('lost')]);
  store.tell(mend);
  await follower.sync();
  t.same([routes(), keeper.refused, keeper.head.revision], [['a', 'b', 'c', 'good'], null, 5]);
  t.match(deltas.at(-1), { revision: 5, parent: third.id, operations: [{ id: 'good' }] });
  t.ok(keeper.chain.holds(mend, bad), 'the refused one is part of it now');
  t.equal(refusals.length, 1);
});

t.test(
  'two refused in a row: the newest is the one that is named, and both are mended at once',
  async (t) => {
    const { store, keeper, follower, routes, refusals } = await followThree(t);
    store.tell(store.write([putLostRoute('lost-1')]));
    store.tell(store.write([putLostRoute('lost-2')]));
    await follower.sync();
    t.same(
      refusals.map(({ head }) => head?.revision),
      [4, 5],
    );
    t.equal(keeper.refused?.problems.length, 2);
    store.tell(store.write([removeRoute('lost-1')]));
    await follower.sync();
    t.same([keeper.refused?.head?.revision, keeper.refused?.problems.length], [6, 1], 'half is not enough');
    store.tell(store.write([putCluster('nowhere')]));
    await follower.sync();
    t.same([keeper.refused, routes(), keeper.head], [null, ['a', 'b', 'c', 'lost-2'], store.head]);
  },
);

t.test('a refused change does not hold up the good ones before it', async (t) => {
  const { store, keeper, follower, routes } = await followThree(t);
  store.write([putRoute('d')]);
  store.write([putLostRoute()]);
  await follower.sync();
  t.same([routes(), keeper.head.revision, keeper.refused?.head?.revision], [['a', 'b', 'c', 'd'], 4, 5]);
});

t.test('what is refused is neither read again nor said again, until it changes', async (t) => {
  const { store, follower, refusals, logged, keeper } = await followThree(t);
  const bad = store.write([putLostRoute()]);
  store.tell(bad);
  store.tell(bad);
  store.asked.length = 0;
  await follower.sync();
  await follower.sync();
  t.same([store.asked, refusals.length], [['readHead', 'readHead'], 1]);
  t.equal(logged.filter(({ msg }) => msg === 'configuration refused').length, 1);
  store.stepBackTo(3);
  await follower.sync();
  t.same([keeper.refused, keeper.head.revision], [null, 3], 'and a store that lost it is in step');
});

t.test('a refused configuration that is read whole changes nothing', async (t) => {
  const { store, keeper, follower, routes, stepBacks } = await followThree(t);
  store.stepBackTo(1);
  store.write([putLostRoute()]);
  await follower.sync();
  t.same([routes(), keeper.head.revision, keeper.refused?.head?.revision], [['a', 'b', 'c'], 3, 2]);
  t.same(stepBacks, [], 'it was not taken');
});

t.test('an empty configuration that was served last is no store that lost everything', async (t) => {
  const store = new ScriptedStore();
  const first = await followStore(t, store);
  await first.follower.start();
  const { head, configuration } = first.keeper.current;
  await new LastGoodFile(first.directory).save({ source: store.source, head, configuration });

  const second = await followStore(t, store, first.directory);
  t.equal(await second.keeper.loadLastGood(), true);
  await second.follower.start();
  t.same([second.keeper.storeIsEmpty, second.emptied], [false, 0]);
  store.tell(store.write([putCluster(), putRoute('a')]));
  await second.follower.sync();
  t.same([second.routes(), second.keeper.head, second.stepBacks], [['a'], store.head, []]);
});
