/** Writing to the embedded store: conditions, what is answered, and that nothing is written that should not be. */
import t, { type Test } from 'tap';
import { ControlError } from '../../lib/admin/control-plane.ts';
import { documentOf, EMPTY_CONFIGURATION } from '../../lib/core/config/document.ts';
import { ERRORS } from '../../lib/core/errors.ts';
import { ConfigFileStore } from '../../lib/store/config-file-store.ts';
import { FileStore, type FileStoreOptions } from '../../lib/store/file-store.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import {
  CLUSTER,
  followStore,
  orderOf,
  putCluster,
  putLostRoute,
  putRoute,
  refusalOf,
  removeRoute,
  routeTo,
} from './followed-store.ts';

/** A writer on a new store that holds a cluster and a route, at revision 1. */
async function openWriter(t: Test, options?: FileStoreOptions) {
  const store = await FileStore.open(await createTemporaryDirectory(t), options);
  t.teardown(() => store.close());
  const followed = await followStore(t, store);
  await followed.follower.start();
  await followed.change([putCluster(), putRoute('a')]);
  return { store, ...followed };
}

const isRefused = (error: unknown, definition: { code: string }): error is ControlError =>
  error instanceof ControlError && error.definition === definition;

t.test('a change is held as soon as it is written', async (t) => {
  const { store, keeper, change, routes, deltas } = await openWriter(t);
  const head = await change([putRoute('b')]);
  t.same([keeper.head, routes()], [head, ['a', 'b']]);
  t.match(await store.history(1), [{ ...head, actor: 'tester', message: 'a test' }]);
  t.equal(deltas.length, 3, 'the word of the store adds nothing');
});

t.test('a document replaces what is there, and only the difference is written', async (t) => {
  const { store, change, writer, routes } = await openWriter(t);
  const document = { clusters: { one: CLUSTER }, routes: { b: routeTo('/b') } };
  await change({ document });
  t.same(routes(), ['b']);
  t.match(await store.history(1), [
    {
      operations: [
        { op: 'put', id: 'b' },
        { op: 'delete', id: 'a' },
      ],
    },
  ]);
  const again = await writer.change(orderOf({ document }), () => {});
  t.match(again, { changed: false, head: { revision: 2 }, operations: [] });
  t.equal((await store.readHead())?.revision, 2);
});

t.test('what is invalid is refused with every problem, and nothing is written', async (t) => {
  const { store, change, keeper } = await openWriter(t);
  for (const content of [
    [putLostRoute('x'), putLostRoute('y')],
    { document: { clusters: {}, routes: { x: routeTo('/x'), y: routeTo('/y') } } },
  ]) {
    await t.rejects(
      change(content),
      refusalOf({
        definition: ERRORS.invalidConfiguration,
        details: { problems: [{ pointer: '/routes/x/cluster' }, { pointer: '/routes/y/cluster' }] },
      }),
    );
  }
  await t.rejects(
    change(['nonsense', { op: 'put', kind: 'cluster', id: '', value: 3 }]),
    refusalOf({
      definition: ERRORS.invalidConfiguration,
    }),
  );
  t.same([(await store.readHead())?.revision, keeper.refused], [1, null]);
});

t.test('a dry run says what would be, and writes nothing', async (t) => {
  const { store, writer, routes } = await openWriter(t);
  let planned = 0;
  const order = orderOf([putRoute('b'), removeRoute('a')], { dryRun: true });
  const would = await writer.change(order, (operations) => {
    planned = operations.length;
  });
  t.match(would, { changed: false, head: { revision: 1 } });
  t.same([planned, would.operations.length, routes()], [2, 2, ['a']]);
  t.equal((await store.readHead())?.revision, 1);
  await t.rejects(
    writer.change(orderOf([putLostRoute()], { dryRun: true }), () => {}),
    refusalOf({
      definition: ERRORS.invalidConfiguration,
    }),
  );
  await t.rejects(
    writer.change(orderOf([putRoute('b')], { dryRun: true, expectedRevision: 0 }), () => {}),
    refusalOf({
      definition: ERRORS.revisionConflict,
    }),
  );
  await t.rejects(
    writer.rollback({ ...order, revision: 9 }, () => {}),
    refusalOf({ definition: ERRORS.notFound }),
  );
  await writer.rollback({ ...order, revision: 0 }, () => {});
  t.equal((await store.readHead())?.revision, 1);
});

t.test('with the revision that is there a change is made, with any other it is not', async (t) => {
  const { change, keeper } = await openWriter(t);
  await change([putRoute('b')], { expectedRevision: 1 });
  for (const expectedRevision of [0, 1, 3]) {
    await t.rejects(
      change([putRoute('c')], { expectedRevision }),
      refusalOf({
        definition: ERRORS.revisionConflict,
        details: { currentRevision: 2 },
      }),
    );
  }
  t.equal(keeper.head.revision, 2);
});

t.test('fifty that write at once without a condition all succeed, each on the one before', async (t) => {
  const { store, change, routes } = await openWriter(t);
  const ids = Array.from({ length: 50 }, (_, index) => `r${index}`);
  const heads = await Promise.all(ids.map((id) => change([putRoute(id)])));
  t.same(
    heads.map(({ revision }) => revision).sort((one, other) => one - other),
    ids.map((_, index) => index + 2),
  );
  t.same(routes(), ['a', ...ids].sort());
  t.equal((await store.changesSince(1))?.length, 50);
});

t.test('of fifty that write at once on the same condition one succeeds', async (t) => {
  const { change, routes } = await openWriter(t);
  const ids = Array.from({ length: 50 }, (_, index) => `r${index}`);
  const outcomes = await Promise.allSettled(ids.map((id) => change([putRoute(id)], { expectedRevision: 1 })));
  const refused = outcomes.filter(
    (outcome) => outcome.status === 'rejected' && isRefused(outcome.reason, ERRORS.revisionConflict),
  );
  t.same([refused.length, routes().length], [49, 2]);
});

t.test('a rollback makes of the configuration what it was, as a new change', async (t) => {
  const { store, writer, change, routes, document } = await openWriter(t);
  const before = document();
  await change([putRoute('b'), putRoute('a', '/changed')]);
  await change([removeRoute('a'), putCluster('two')]);
  const { head, changed } = await writer.rollback({ ...orderOf([]), revision: 1 }, () => {});
  t.same([head.revision, changed, document()], [4, true, before]);
  const forth = await writer.rollback({ ...orderOf([]), revision: 3 }, () => {});
  t.same([forth.head.revision, routes()], [5, ['b']]);
  t.match(await store.history(1), [{ actor: 'tester', message: 'a test' }]);
});

t.test('a rollback to revision 0 takes everything away', async (t) => {
  const { writer, document } = await openWriter(t);
  await writer.rollback({ ...orderOf([]), revision: 0 }, () => {});
  t.same(document(), documentOf(EMPTY_CONFIGURATION));
});

t.test('a rollback to where one is writes nothing', async (t) => {
  const { store, writer } = await openWriter(t);
  t.match(await writer.rollback({ ...orderOf([]), revision: 1 }, () => {}), {
    changed: false,
    head: { revision: 1 },
  });
  t.equal((await store.readHead())?.revision, 1);
});

t.test('a rollback to what never was, or is not kept any more, is not found', async (t) => {
  const { writer, change, store } = await openWriter(t, { compactAfterChanges: 1, keptLogs: 1 });
  for (const id of ['b', 'c', 'd', 'e']) await change([putRoute(id)]);
  // What is not kept any more goes when the snapshot is written, which nobody waits for.
  while ((await store.changesSince(1)) !== null) await new Promise((resolve) => setImmediate(resolve));
  for (const revision of [1, 6, -1, 1.5]) {
    await t.rejects(
      writer.rollback({ ...orderOf([]), revision }, () => {}),
      refusalOf({
        definition: ERRORS.notFound,
        details: { currentRevision: 5 },
      }),
    );
  }
  t.equal((await store.readHead())?.revision, 5);
});

t.test('a rollback on a condition that does not hold is refused', async (t) => {
  const { writer, change } = await openWriter(t);
  await change([putRoute('b')]);
  await t.rejects(
    writer.rollback({ ...orderOf([]), revision: 1, expectedRevision: 1 }, () => {}),
    refusalOf({
      definition: ERRORS.revisionConflict,
    }),
  );
});

t.test('a change of very many entries is written and held', async (t) => {
  const { change, routes, keeper, store } = await openWriter(t);
  const head = await change(Array.from({ length: 2_500 }, (_, index) => putRoute(`r${index}`)));
  t.same([routes().length, keeper.head, await store.readHead()], [2_501, head, head]);
});

t.test('a configuration file is not written to, and the answer says what to do', async (t) => {
  const directory = await createTemporaryDirectory(t);
  const { change } = await followStore(t, new ConfigFileStore(`${directory}/gateway.yaml`));
  await t.rejects(change([putRoute('a')]), refusalOf({ definition: ERRORS.readOnly, message: /--config/ }));
});
