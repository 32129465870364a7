/** Which way a change takes from the store, and that each arrives once, whatever is told in which order. */
import t, { type Test } from 'tap';
import { StoreUnavailableError, UnreadableStoreError } from '../../lib/store/config-store.ts';
import { FileStore } from '../../lib/store/file-store.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import { followStore, putCluster, putLostRoute, putRoute, removeRoute } from './followed-store.ts';
import { ScriptedStore } from './scripted-store.ts';

const UNAVAILABLE = new StoreUnavailableError('gone', { notWritten: true });

/** Follows a store that holds a cluster and a route, at revision 1. */
async function followScripted(t: Test) {
  const store = new ScriptedStore();
  store.write([putCluster(), putRoute('a')]);
  const followed = await followStore(t, store);
  await followed.follower.start();
  store.asked.length = 0;
  return { store, ...followed };
}

t.test('a store that was never written to is an empty configuration', async (t) => {
  const store = new ScriptedStore();
  const { keeper, follower, deltas, emptied } = await followStore(t, store);
  await follower.start();
  t.same([keeper.hasConfiguration, keeper.storeIsEmpty, keeper.head.revision], [true, false, 0]);
  t.match([deltas, emptied], [[{ revision: 0, operations: [] }], 0]);
  t.ok(keeper.chain.has(keeper.head), 'and whoever asks learns that it is served');
});

t.test('a store that cannot be read gives nothing, and is taken once it can', async (t) => {
  const store = new ScriptedStore();
  store.write([putCluster(), putRoute('a')]);
  store.failures.set('readHead', UNAVAILABLE);
  const { keeper, follower, routes, refusals } = await followStore(t, store);
  await follower.start();
  t.same([keeper.hasConfiguration, keeper.refused, refusals], [false, null, []]);
  store.failures.clear();
  await follower.sync();
  t.same(routes(), ['a']);
});

t.test('a change that comes with its content is taken without asking the store', async (t) => {
  const { store, routes, keeper, waitFor } = await followScripted(t);
  store.tell(store.write([putRoute('b')]));
  // On a busy machine it waits for its turn.
  await waitFor(() => keeper.head.id === store.head?.id);
  t.same([routes(), store.asked, keeper.head], [['a', 'b'], [], store.head]);
});

t.test('a change that is told twice is one', async (t) => {
  const { store, follower, deltas, waitFor } = await followScripted(t);
  const change = store.write([putRoute('b')]);
  store.tell(change);
  store.tell(change);
  follower.offer(change);
  await waitFor(() => deltas.length > 1);
  t.same([deltas.length, store.asked], [2, []]);
});

t.test('changes that come in the wrong order are taken in the right one', async (t) => {
  const { store, deltas, routes, waitFor } = await followScripted(t);
  const changes = ['b', 'c', 'd'].map((id) => store.write([putRoute(id)]));
  for (const change of changes.toReversed()) store.tell(change);
  await waitFor(() => routes().length === 4);
  t.same(
    deltas.map(({ revision }) => revision),
    [1, 2, 3, 4],
  );
});

t.test('after a gap the log is replayed, change by change', async (t) => {
  const { store, deltas, routes, keeper, follower } = await followScripted(t);
  for (const id of ['b', 'c', 'd']) store.write([putRoute(id)]);
  await follower.sync();
  t.same(
    deltas.map(({ revision, parent, operations }) => [revision, parent, operations.length]),
    [1, 2, 3, 4].map((revision) => [
      revision,
      revision === 1 ? 'empty' : `c${revision - 1}`,
      revision === 1 ? 2 : 1,
    ]),
  );
  t.same(
    [routes(), store.asked],
    [
      ['a', 'b', 'c', 'd'],
      ['readHead', 'changesSince'],
    ],
  );
  t.ok(keeper.chain.holds(keeper.head, { revision: 2, id: 'c2' }));
});

t.test('where the log is trimmed everything is read, and the difference is one change', async (t) => {
  const { store, deltas, follower, stepBacks } = await followScripted(t);
  store.write([putRoute('b')]);
  store.write([putRoute('c')]);
  store.trimLog(2);
  await follower.sync();
  t.match(deltas.at(-1), { revision: 3, parent: 'c1', operations: [{ id: 'b' }, { id: 'c' }] });
  t.same([deltas.length, stepBacks], [2, []]);
});

t.test(
  'a change of more entries than can be checked in one go is taken without asking the store',
  async (t) => {
    const { store, deltas, keeper, follower, waitFor } = await followScripted(t);
    const many = Array.from({ length: 1_500 }, (_, index) => putRoute(`r${index}`));
    store.tell(store.write(many));
    await waitFor(() => deltas.length === 2);
    t.same(store.asked, []);
    t.same([deltas[1]?.operations.length, deltas[1]?.parent], [1_500, 'c1']);
    t.ok(
      keeper.chain.holds(keeper.head, { revision: 1, id: 'c1' }),
      'what was held before is known to be part',
    );
    await follower.sync();
    t.equal(deltas.length, 2);
  },
);

t.test(
  'who wrote a large change learns that it is served, also where the store has moved on meanwhile',
  async (t) => {
    const { store, keeper, follower, routes } = await followScripted(t);
    const large = store.write(Array.from({ length: 1_500 }, (_, index) => putRoute(`r${index}`)));
    store.tell(large);
    const next = store.write([putRoute('next'), removeRoute('r7')]);
    await follower.sync();
    t.same(keeper.head, store.head);
    t.ok(keeper.chain.holds(next, large));
    t.ok(keeper.chain.holds(next, { revision: 1, id: 'c1' }));
    t.same(
      [routes().includes('next'), routes().includes('r7'), routes().includes('r8')],
      [true, false, true],
    );
  },
);

t.test('a row of changes that is long in all is taken up to its end', async (t) => {
  const { store, keeper, deltas, follower, routes } = await followScripted(t);
  store.write([putRoute('a')]);
  store.write(Array.from({ length: 1_500 }, (_, index) => putRoute(`r${index}`)));
  store.write([putRoute('b'), removeRoute('a'), removeRoute('r1')]);
  await follower.sync();
  t.same(keeper.head, store.head);
  t.same([routes().includes('a'), routes().includes('r1'), routes().includes('b')], [false, false, true]);
  t.equal(routes().length, 1_499 + 1);
  t.equal(deltas.length, 3);
});

t.test('a change that is offered during a comparison is taken after it, once', async (t) => {
  const { store, deltas, routes, follower, keeper } = await followScripted(t);
  const gate = store.hold('readHead');
  const compared = follower.sync();
  await gate.reached;
  const change = store.write([putRoute('b')]);
  store.tell(change);
  t.equal(keeper.head.revision, 1, 'one thing at a time');
  gate.open();
  await compared;
  await follower.sync();
  t.same([deltas.length, routes()], [2, ['a', 'b']]);
});

t.test('who asks for a comparison during another one waits for the next', async (t) => {
  const { store, routes, follower } = await followScripted(t);
  const gate = store.hold('readHead');
  const first = follower.sync();
  await gate.reached;
  const second = follower.sync();
  t.equal(follower.sync(), second, 'one for all who wait');
  gate.open();
  await first;
  store.write([putRoute('b')]);
  await second;
  t.same(routes(), ['a', 'b']);
});

t.test('a hint is enough', async (t) => {
  const { store, routes, waitFor } = await followScripted(t);
  store.write([putRoute('b')]);
  store.hint();
  await waitFor(() => routes().length === 2);
});

t.test('a change that nobody tells of is found, a moment later', async (t) => {
  const { store, routes, waitFor } = await followScripted(t);
  store.write([putRoute('b')]);
  // The timer of the follower keeps no process alive; that of this wait does.
  await waitFor(() => routes().length === 2);
  t.match(store.asked.slice(-2), ['readHead', 'changesSince']);
});

t.test('a flood of changes is not kept but read from the log', async (t) => {
  const { store, routes, follower } = await followScripted(t);
  const gate = store.hold('readHead');
  const compared = follower.sync();
  await gate.reached;
  for (let index = 0; index < 1_500; index += 1) store.tell(store.write([putRoute('b', `/${index}`)]));
  gate.open();
  await compared;
  await follower.sync();
  t.same(routes(), ['a', 'b']);
  t.equal(follower.sync() instanceof Promise, true);
});

t.test('a store that is out of reach meanwhile changes nothing, and costs nothing', async (t) => {
  const { store, keeper, follower, refusals, routes } = await followScripted(t);
  for (const asked of ['readHead', 'changesSince', 'read'] as const) {
    store.failures.set(asked, UNAVAILABLE);
    store.write([putRoute(`new-${asked}`)]);
    if (asked === 'read') store.trimLog(99);
    await follower.sync();
    t.same([keeper.refused, refusals, routes()], [null, [], ['a']], asked);
    store.failures.delete(asked);
    if (asked !== 'read') store.stepBackTo(1);
  }
  await follower.sync();
  t.same(keeper.head, store.head);
});

t.test('what cannot be understood is refused, said once, and forgotten when it is mended', async (t) => {
  const { store, keeper, follower, refusals } = await followScripted(t);
  const problems = [{ pointer: '', message: 'the head is no head' }];
  const unreadable = new UnreadableStoreError('nonsense', problems);
  for (const round of [1, 2]) {
    store.failures.set('readHead', unreadable);
    await follower.sync();
    await follower.sync();
    t.match(keeper.refused, { head: null, problems }, `round ${round}`);
    t.equal(refusals.length, round);
    store.failures.clear();
    await follower.sync();
    t.equal(keeper.refused, null);
  }
});

t.test(
  'entries that cannot be understood are not read again and again, and the next head is tried',
  async (t) => {
    const { store, keeper, follower, refusals, routes } = await followScripted(t);
    store.write([putRoute('b')]);
    store.trimLog(99);
    store.failures.set(
      'read',
      new UnreadableStoreError('nonsense', [{ pointer: '/routes/x', message: 'no JSON' }]),
    );
    await follower.sync();
    store.asked.length = 0;
    await follower.sync();
    t.same([store.asked, refusals.length, keeper.refused?.head?.revision], [['readHead'], 1, 2]);
    store.failures.clear();
    store.write([putRoute('c')]);
    await follower.sync();
    t.same([keeper.refused, routes()], [null, ['a', 'b', 'c']]);
  },
);

t.test('after closing nothing is asked and nothing taken, and what is asked for ends', async (t) => {
  const { store, follower, deltas } = await followScripted(t);
  const gate = store.hold('readHead');
  const compared = follower.sync();
  await gate.reached;
  const closed = follower.close();
  const late = follower.sync();
  gate.open();
  await Promise.all([compared, closed, late]);
  store.asked.length = 0;
  store.tell(store.write([putRoute('b')]));
  store.hint();
  await follower.sync();
  t.same([store.asked, deltas.length], [[], 1]);
});

t.test('on the embedded store each change is taken as it is written', async (t) => {
  const directory = await createTemporaryDirectory(t);
  const store = await FileStore.open(directory);
  t.teardown(() => store.close());
  const { follower, keeper, deltas, routes } = await followStore(t, store);
  await follower.start();
  const change = { actor: 'a', message: '' };
  await store.publish({ ...change, operations: [putCluster(), putRoute('a')] });
  await store.publish({ ...change, operations: [putLostRoute()] });
  await store.publish({ ...change, operations: [putCluster('nowhere')] });
  const head = await store.readHead();
  await follower.sync();
  t.same([keeper.head, keeper.refused, routes()], [head, null, ['a', 'lost']]);
  t.same(
    deltas.map(({ revision }) => revision),
    [0, 1, 3],
    'the one between was refused, and mended by the next',
  );
});
