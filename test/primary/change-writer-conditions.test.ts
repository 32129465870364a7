/** What has to be so for a change to be made, besides its being valid. */
import t, { type Test } from 'tap';
import type { EntryRequirement } from '../../lib/admin/control-plane.ts';
import { ERRORS } from '../../lib/core/errors.ts';
import { StoreUnavailableError, UnreadableStoreError } from '../../lib/store/config-store.ts';
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
import { ScriptedStore } from './scripted-store.ts';

/** A writer on a store that holds a cluster and the route a, at revision 1. */
async function openWriter(t: Test) {
  const store = new ScriptedStore();
  store.write([putCluster(), putRoute('a')]);
  const followed = await followStore(t, store);
  await followed.follower.start();
  return { store, ...followed };
}

const route = (id: string, present: boolean): EntryRequirement => ({
  kind: 'route',
  id,
  present,
  otherwise: ERRORS.notFound,
});

t.test('an entry that has to be there, or must not be, decides', async (t) => {
  const { change, routes } = await openWriter(t);
  await change([putRoute('b')], { requires: route('b', false) });
  await change([removeRoute('a')], { requires: route('a', true) });
  const refusal = refusalOf({ definition: ERRORS.notFound, details: { currentRevision: 3 } });
  await t.rejects(change([putRoute('b', '/x')], { requires: route('b', false) }), refusal);
  await t.rejects(change([removeRoute('a')], { requires: route('a', true) }), refusal);
  await t.rejects(change([removeRoute('a')], { requires: route('a', true), dryRun: true }), refusal);
  t.same(routes(), ['b']);
});

t.test('what this instance has not heard of yet counts', async (t) => {
  const { store, change } = await openWriter(t);
  store.write([putRoute('theirs')]);
  await change([removeRoute('theirs')], { requires: route('theirs', true) });
  store.write([putRoute('late')]);
  await t.rejects(change([putRoute('late', '/ours')], { requires: route('late', false) }), {
    message: /there is a route "late" already/,
  });
});

t.test('all entries of one kind are replaced, and those of the others stay', async (t) => {
  const { change, document } = await openWriter(t);
  await change({ kind: 'route', entries: { b: routeTo('/b') } });
  const others = { issuers: {}, consumers: {}, certificates: {} };
  t.same(document(), { clusters: { one: CLUSTER }, ...others, routes: { b: routeTo('/b') } });
  await t.rejects(
    change({ kind: 'cluster', entries: {} }),
    refusalOf({
      definition: ERRORS.invalidConfiguration,
      details: { problems: [{ pointer: '/routes/b/cluster' }] },
    }),
  );
  await t.rejects(
    change({ kind: 'route', entries: 'nonsense' }),
    refusalOf({ definition: ERRORS.invalidConfiguration, details: { problems: [{ pointer: '/routes' }] } }),
  );
});

t.test(
  'very many operations are checked as one configuration: the same is refused, and the same written',
  async (t) => {
    const { change, routes, keeper } = await openWriter(t);
    const many = Array.from({ length: 1_500 }, (_, index) => putRoute(`r${index}`));
    await t.rejects(
      change([...many, putLostRoute()]),
      refusalOf({
        definition: ERRORS.invalidConfiguration,
        details: { problems: [{ pointer: '/routes/lost/cluster' }] },
      }),
    );
    await t.rejects(
      change([...many, 'nonsense']),
      refusalOf({
        definition: ERRORS.invalidConfiguration,
        details: { problems: [{ pointer: '/operations/1500' }] },
      }),
    );
    await change([...many, removeRoute('a')]);
    t.same([routes().length, keeper.head.revision], [1_500, 2]);
  },
);

t.test('who holds no configuration changes none: it would take away what the store holds', async (t) => {
  const store = new ScriptedStore();
  const unavailable = new StoreUnavailableError('gone', { notWritten: true });
  store.failures.set('readHead', unavailable);
  const { follower, change } = await followStore(t, store);
  await follower.start();
  const notReady = { definition: ERRORS.notReady, message: /there is no configuration here yet/ };
  await t.rejects(change([putCluster()]), refusalOf(notReady));
  await t.rejects(change({ document: {} }), refusalOf(notReady));

  store.failures.clear();
  store.write([putLostRoute()]);
  await follower.sync();
  const details = { problems: [{ pointer: '/routes/lost/cluster' }] };
  await t.rejects(change([putCluster()]), refusalOf({ ...notReady, details }));
  t.match(
    await change({ document: { clusters: { one: CLUSTER } } }),
    { revision: 2 },
    'but may replace all of it',
  );
});

t.test('a writer that comes when the gateway stops is told so, and nothing is written', async (t) => {
  const { store, follower, change } = await openWriter(t);
  await follower.close();
  await t.rejects(change([putRoute('b')]), refusalOf({ definition: ERRORS.draining }));
  t.equal(store.head?.revision, 1);
});

t.test('a failure that nobody knows is not called something else', async (t) => {
  const { store, change } = await openWriter(t);
  const failure = new TypeError('a mistake in the code');
  store.failures.set('publish', failure);
  await t.rejects(change([putRoute('b')]), failure);
  store.failures.set('publish', new UnreadableStoreError('nonsense', []));
  await t.rejects(
    change([putRoute('b')]),
    refusalOf({ definition: ERRORS.storeUnavailable, message: /nonsense/ }),
  );
});

t.test('the next writer is not held up by one that failed', async (t) => {
  const { store, writer, change, routes } = await openWriter(t);
  const gate = store.hold('publish');
  store.failures.set('publish', new StoreUnavailableError('gone', { notWritten: true }));
  const first = writer.change(orderOf([putRoute('b')]), () => {});
  await gate.reached;
  const second = change([putRoute('c')]);
  gate.open();
  await t.rejects(first, refusalOf({ definition: ERRORS.storeUnavailable, details: { written: 'no' } }));
  store.failures.clear();
  await second;
  t.same(routes(), ['a', 'c']);
});
