/** Writing where the store holds what is refused here, or nothing any more. */
import t, { type Test } from 'tap';
import {
  CLUSTER,
  followStore,
  orderOf,
  putCluster,
  putLostRoute,
  putRoute,
  removeRoute,
  routeTo,
} from './followed-store.ts';
import { ScriptedStore } from './scripted-store.ts';

/** A writer on a store at revision 2, with a cluster and the routes a and b. */
async function openWriter(t: Test) {
  const store = new ScriptedStore();
  store.write([putCluster(), putRoute('a')]);
  store.write([putRoute('b')]);
  const followed = await followStore(t, store);
  await followed.follower.start();
  return { store, ...followed };
}

const idsIn = (store: ScriptedStore) => Object.keys(store.document.routes).sort();

t.test(
  'writing while the newest is refused undoes what is bad, and keeps what others wrote beside it',
  async (t) => {
    const { store, keeper, follower, writer, routes } = await openWriter(t);
    store.write([putLostRoute(), removeRoute('b'), putRoute('a', '/bad')]);
    store.write([putRoute('too')]);
    await follower.sync();
    t.equal(keeper.refused?.head?.revision, 4);
    const { head, warnings } = await writer.change(orderOf([putRoute('c')]), () => {});
    await follower.sync();
    t.same([keeper.head, keeper.refused, store.head], [head, null, head]);
    t.same(
      [routes(), idsIn(store)],
      [
        ['a', 'b', 'c', 'too'],
        ['a', 'b', 'c', 'too'],
      ],
    );
    t.match(store.document.routes, { a: { match: { path: '/a' } } });
    t.match(warnings, [{ message: 'revision 3 by test was refused here, and is undone by this change' }]);
  },
);

t.test('a whole document, or a rollback, replaces also what was good of the refused', async (t) => {
  const { store, follower, change, writer, routes, document } = await openWriter(t);
  const before = document();
  store.write([putLostRoute()]);
  store.write([putRoute('too')]);
  await follower.sync();
  await change({ document: before });
  t.same(routes(), ['a', 'b']);
  store.write([putLostRoute()]);
  store.write([putRoute('too')]);
  await follower.sync();
  await writer.rollback({ ...orderOf([]), revision: 1 }, () => {});
  t.same([routes(), idsIn(store)], [['a'], ['a']]);
});

t.test('a dry run says what it would undo, and undoes nothing', async (t) => {
  const { store, follower, writer } = await openWriter(t);
  store.write([putLostRoute()]);
  await follower.sync();
  const { warnings } = await writer.change(orderOf([putRoute('c')], { dryRun: true }), () => {});
  t.match(warnings, [{ message: /^revision 3 by test was refused here/ }]);
  t.equal(store.head?.revision, 3);
});

t.test('the same where the log does not tell any more what was done', async (t) => {
  const { store, keeper, follower, change, routes } = await openWriter(t);
  store.write([putLostRoute(), removeRoute('b')]);
  store.trimLog(3);
  await follower.sync();
  await change([putRoute('c')]);
  await follower.sync();
  t.same([keeper.refused, routes(), idsIn(store)], [null, ['a', 'b', 'c'], ['a', 'b', 'c']]);
});

t.test('to write what is held is enough to get rid of what is refused', async (t) => {
  const { store, keeper, follower, writer, document } = await openWriter(t);
  for (const write of [
    () => writer.change(orderOf({ document: document() }), () => {}),
    () => writer.change(orderOf([putRoute('b')]), () => {}),
    () => writer.rollback({ ...orderOf([]), revision: keeper.head.revision }, () => {}),
  ]) {
    store.write([putLostRoute()]);
    await follower.sync();
    t.match(await write(), { changed: true });
    await follower.sync();
    t.same([keeper.refused, idsIn(store)], [null, ['a', 'b']]);
  }
});

t.test('what somebody mended, and this instance has not heard of yet, is not undone', async (t) => {
  const { store, keeper, follower, change, routes } = await openWriter(t);
  store.write([putLostRoute()]);
  await follower.sync();
  t.equal(keeper.refused?.head?.revision, 3);
  store.write([removeRoute('lost'), putRoute('theirs')]);
  await change([putRoute('ours')]);
  await follower.sync();
  t.same([keeper.refused, routes()], [null, ['a', 'b', 'ours', 'theirs']]);
  t.same(idsIn(store), ['a', 'b', 'ours', 'theirs']);
});

t.test('nor what somebody mends while this instance is about to undo it', async (t) => {
  const { store, keeper, follower, change, routes } = await openWriter(t);
  store.write([putLostRoute()]);
  await follower.sync();
  const gate = store.hold('changesSince');
  const written = change([putRoute('ours')]);
  await gate.reached;
  store.write([removeRoute('lost'), putRoute('theirs')]);
  gate.open();
  await written;
  await follower.sync();
  t.same([keeper.refused, routes()], [null, ['a', 'b', 'ours', 'theirs']]);
});

t.test('with a condition on what is held one writes over what is refused', async (t) => {
  const { store, keeper, follower, change, routes } = await openWriter(t);
  store.write([putLostRoute()]);
  t.equal(keeper.refused, null, 'not known here yet');
  await change([putRoute('ours')], { expectedRevision: 2 });
  await follower.sync();
  t.same([keeper.refused, routes()], [null, ['a', 'b', 'ours']]);
});

t.test('writing to an emptied store brings everything back, and counts on', async (t) => {
  const { store, keeper, follower, change, routes, stepBacks } = await openWriter(t);
  store.empty();
  await follower.sync();
  const head = await change([putRoute('c'), removeRoute('a')], { expectedRevision: 2 });
  await follower.sync();
  t.same([head.revision, keeper.head, keeper.storeIsEmpty], [3, head, false]);
  t.same(
    [routes(), idsIn(store)],
    [
      ['b', 'c'],
      ['b', 'c'],
    ],
  );
  t.same(stepBacks, []);
  t.ok(keeper.chain.has(head));
});

t.test('to write what is held is enough to bring everything back', async (t) => {
  const { store, keeper, follower, change, document } = await openWriter(t);
  store.empty();
  await follower.sync();
  await change({ document: document() });
  await follower.sync();
  t.same([keeper.storeIsEmpty, idsIn(store)], [false, ['a', 'b']]);
});

t.test('an emptied store that somebody else fills first is followed', async (t) => {
  const { store, keeper, follower, change, routes } = await openWriter(t);
  store.empty();
  await follower.sync();
  store.write([putCluster(), putRoute('new')]);
  await change([putRoute('ours')]);
  await follower.sync();
  t.same([routes(), idsIn(store), keeper.storeIsEmpty], [['new', 'ours'], ['new', 'ours'], false]);
});

t.test('an emptied store that was filled with nonsense can be written to', async (t) => {
  const { store, keeper, follower, change, routes } = await openWriter(t);
  store.empty();
  await follower.sync();
  store.write([putLostRoute()]);
  await follower.sync();
  const head = await change([putRoute('c')]);
  await follower.sync();
  t.same([keeper.refused, keeper.head, keeper.storeIsEmpty], [null, head, false]);
  t.same(
    [routes(), idsIn(store)],
    [
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ],
  );
  t.ok(head.revision > 2, 'and counts on');
});

t.test('a store that began with nonsense can be written to', async (t) => {
  const store = new ScriptedStore();
  const { keeper, follower, change, routes } = await followStore(t, store);
  await follower.start();
  store.write([putLostRoute()]);
  await follower.sync();
  await change({ document: { clusters: { one: CLUSTER }, routes: { a: routeTo('/a') } } });
  await follower.sync();
  t.same([keeper.refused, routes(), idsIn(store)], [null, ['a'], ['a']]);
});
