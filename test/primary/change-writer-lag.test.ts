/** Writing where this instance lags behind the store, or the store does not answer as it should. */
import t, { type Test } from 'tap';
import { ERRORS } from '../../lib/core/errors.ts';
import {
  MalformedChangeError,
  StoreUnavailableError,
  UnreadableStoreError,
} from '../../lib/store/config-store.ts';
import {
  followStore,
  orderOf,
  putCluster,
  putLostRoute,
  putRoute,
  refusalOf,
  removeRoute,
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
  'a writer without a condition is not bothered by what this instance has not heard of yet',
  async (t) => {
    const { store, change, routes } = await openWriter(t);
    store.write([putRoute('theirs')]);
    const head = await change([putRoute('ours')]);
    t.same([head.revision, routes()], [4, ['a', 'b', 'ours', 'theirs']]);
  },
);

t.test('nor one that knows a newer revision than this instance', async (t) => {
  const { store, change, routes } = await openWriter(t);
  store.write([putRoute('theirs')]);
  await change([putRoute('ours')], { expectedRevision: 3 });
  t.same(routes(), ['a', 'b', 'ours', 'theirs']);
});

t.test('a condition that only this instance still fulfils does not overwrite what is newer', async (t) => {
  const { store, change } = await openWriter(t);
  store.write([putRoute('a', '/theirs')]);
  await t.rejects(
    change([putRoute('a', '/ours')], { expectedRevision: 2 }),
    refusalOf({
      definition: ERRORS.revisionConflict,
      details: { currentRevision: 3 },
    }),
  );
  t.match(store.document.routes, { a: { match: { path: '/theirs' } } });
});

t.test('what is done already here is done over where somebody has undone it elsewhere', async (t) => {
  const { store, writer, change, routes, document } = await openWriter(t);
  const before = document();
  store.write([removeRoute('a')]);
  t.match(await writer.change(orderOf({ document: before }), () => {}), { changed: true });
  t.same(routes(), ['a', 'b']);
  store.write([putRoute('c')]);
  const { revision } = store.head ?? { revision: 0 };
  store.write([putRoute('d')]);
  await writer.rollback({ ...orderOf([]), revision }, () => {});
  t.same(routes(), ['a', 'b', 'c'], 'a revision that only others knew of');
  await change([putRoute('b')]);
  t.equal(store.head?.revision, 7, 'nothing to do is nothing written');
});

t.test('a change that was just written is what the next one starts from, also a large one', async (t) => {
  const { store, writer, change, document, keeper } = await openWriter(t);
  const before = document();
  const large = Array.from({ length: 1_500 }, (_, index) => putRoute(`r${index}`));
  const first = change(large);
  const second = writer.change(orderOf({ document: before }), () => {});
  const { revision, id } = await first;
  t.ok(keeper.chain.has({ revision, id }), 'it is held when the writer is answered');
  t.match(await second, { changed: true, head: { revision: 4 } });
  t.same([idsIn(store), document()], [['a', 'b'], before]);
});

t.test('where the store does not answer after a write the writer is not left waiting', async (t) => {
  const { store, follower, change } = await openWriter(t);
  store.write([putLostRoute()]);
  await follower.sync();
  const gate = store.hold('publish');
  const written = change([putRoute('c')]);
  await gate.reached;
  store.failures.set('readHead', new StoreUnavailableError('gone', { notWritten: true }));
  gate.open();
  t.match(await written, { revision: 4 });
});

t.test('a change is planned anew on what somebody wrote meanwhile, and checked anew', async (t) => {
  const { store, writer } = await openWriter(t);
  const gate = store.hold('publish');
  const planned: number[] = [];
  const written = writer.change(orderOf([putRoute('c', '/c', 'two'), putCluster('two')]), (operations) =>
    planned.push(operations.length),
  );
  await gate.reached;
  store.write([putCluster('two')]);
  gate.open();
  t.match(await written, { operations: { length: 1 } });
  t.same(planned, [2, 1], 'the cluster is there already');

  const second = store.hold('publish');
  const invalid = writer.change(orderOf([putRoute('d', '/d', 'two')]), () => {});
  await second.reached;
  store.write([removeRoute('c'), { op: 'delete', kind: 'cluster', id: 'two' }]);
  second.open();
  await t.rejects(invalid, refusalOf({ definition: ERRORS.invalidConfiguration }));
});

t.test(
  'a store that lost writes and counted the same numbers again is not taken for the one held',
  async (t) => {
    const { store, change, routes, stepBacks } = await openWriter(t);
    store.stepBackTo(1);
    store.write([putRoute('x')]);
    await change([putRoute('ours')]);
    t.same([routes(), stepBacks.length], [['a', 'ours', 'x'], 1]);
  },
);

t.test('a store that cannot be written to says whether it was', async (t) => {
  const { store, change, routes } = await openWriter(t);
  for (const notWritten of [true, false]) {
    store.failures.set('publish', new StoreUnavailableError('Redis is read-only', { notWritten }));
    await t.rejects(
      change([putRoute('c')]),
      refusalOf({
        definition: ERRORS.storeUnavailable,
        message: /^Redis is read-only: (nothing was written|it is not known)/,
        details: { written: notWritten ? 'no' : 'unknown' },
      }),
    );
  }
  store.failures.set(
    'publish',
    new MalformedChangeError([{ pointer: '/operations/0', message: 'too long' }]),
  );
  await t.rejects(
    change([putRoute('c')]),
    refusalOf({
      definition: ERRORS.invalidConfiguration,
      details: { problems: [{ message: 'too long' }] },
    }),
  );
  t.same(routes(), ['a', 'b']);
});

t.test('a store that cannot be understood is not written to blindly', async (t) => {
  const { store, follower, change, writer } = await openWriter(t);
  const problems = [{ pointer: '', message: 'no JSON' }];
  store.failures.set('readHead', new UnreadableStoreError('nonsense', problems));
  store.failures.set('changesSince', new UnreadableStoreError('nonsense', problems));
  await follower.sync();
  const refusal = refusalOf({ definition: ERRORS.storeUnavailable, details: { problems } });
  await t.rejects(change([putRoute('c')]), refusal);
  await t.rejects(
    writer.rollback({ ...orderOf([]), revision: 1 }, () => {}),
    refusal,
  );
});

t.test('a store that is out of reach when a condition is checked does not hold up a writer', async (t) => {
  const { store, change } = await openWriter(t);
  store.failures.set('readHead', new StoreUnavailableError('gone', { notWritten: true }));
  await t.rejects(
    change([putRoute('c')], { expectedRevision: 3 }),
    refusalOf({
      definition: ERRORS.revisionConflict,
      details: { currentRevision: 2 },
    }),
  );
});

t.test('of a history that was replaced nothing can be rolled back to', async (t) => {
  const { store, follower, writer, change, routes } = await openWriter(t);
  await change([putRoute('c')]);
  store.stepBackTo(1);
  store.write([putRoute('x')]);
  store.write([putRoute('y')]);
  // Not known here yet.
  await t.rejects(
    writer.rollback({ ...orderOf([]), revision: 2 }, () => {}),
    refusalOf({ definition: ERRORS.notFound }),
  );
  await follower.sync();
  await writer.rollback({ ...orderOf([]), revision: 2 }, () => {});
  t.same(routes(), ['a', 'x'], 'but to what the store calls by that number now');
});
