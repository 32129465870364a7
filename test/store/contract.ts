/** What every store that can be written promises, whatever it is made of. */
import type { Test } from 'tap';
import type { Operation } from '../../lib/core/config/change.ts';
import type { Cluster, Route } from '../../lib/core/config/model.ts';
import {
  type NewChange,
  RevisionConflictError,
  type WritableConfigStore,
} from '../../lib/store/config-store.ts';

/** A place that outlives the stores which are opened on it one after the other. */
export interface StorePlace {
  open(): Promise<WritableConfigStore>;
}

export function clusterAt(port: number): Cluster {
  return { destinations: { one: { url: `http://127.0.0.1:${port}` } } };
}

function routeTo(cluster: string): Route {
  return { match: { path: `/${cluster}/{**rest}` }, cluster };
}

export function changeOf(operations: readonly Operation[], more: Partial<NewChange> = {}): NewChange {
  return { operations, actor: 'ada', message: 'a change', ...more };
}

export function putCluster(id: string, port = 8080): Operation {
  return { op: 'put', kind: 'cluster', id, value: clusterAt(port) };
}

function putRoute(id: string, cluster: string): Operation {
  return { op: 'put', kind: 'route', id, value: routeTo(cluster) };
}

/** `createPlace` makes a new, empty place each time, and removes it when the test ends. */
export function storeContract(t: Test, createPlace: (t: Test) => Promise<StorePlace>): void {
  const openStore = async (t: Test): Promise<WritableConfigStore> => {
    const store = await (await createPlace(t)).open();
    t.teardown(() => store.close());
    return store;
  };

  t.test('an empty store reads as null and has no changes', async (t) => {
    const store = await openStore(t);
    t.equal(store.writable, true);
    t.equal(await store.read(), null);
    t.strictSame(await store.changesSince(0), []);
  });

  t.test('a change is read back, with the head that publishing returned', async (t) => {
    const store = await openStore(t);
    const head = await store.publish(changeOf([putCluster('orders'), putRoute('orders-api', 'orders')]));
    t.match(head, { revision: 1, parent: null, id: /./, at: /^\d{4}-\d\d-\d\dT[\d:.]+Z$/ });
    t.strictSame(await store.read(), {
      head,
      document: { clusters: { orders: clusterAt(8080) }, routes: { 'orders-api': routeTo('orders') } },
    });
  });

  t.test('revisions count up, and each change names its parent', async (t) => {
    const store = await openStore(t);
    const first = await store.publish(changeOf([putCluster('a')]));
    const second = await store.publish(changeOf([putCluster('b')]));
    const third = await store.publish(changeOf([]));
    t.strictSame([first.revision, second.revision, third.revision], [1, 2, 3]);
    t.strictSame([second.parent, third.parent], [first.id, second.id]);
    t.equal(new Set([first.id, second.id, third.id]).size, 3);
  });

  t.test('a put replaces, a delete removes, also what is not there', async (t) => {
    const store = await openStore(t);
    await store.publish(changeOf([putCluster('a', 1), putCluster('b', 1)]));
    await store.publish(
      changeOf([
        putCluster('a', 2),
        { op: 'delete', kind: 'cluster', id: 'b' },
        { op: 'delete', kind: 'route', id: 'never-there' },
      ]),
    );
    t.strictSame((await store.read())?.document, { clusters: { a: clusterAt(2) }, routes: {} });
  });

  t.test('ids that objects inherit are ids like any other', async (t) => {
    const store = await openStore(t);
    await store.publish(changeOf([putCluster('constructor'), putCluster('toString'), putCluster('1')]));
    const document = (await store.read())?.document as { clusters: object };
    t.strictSame(Object.keys(document.clusters).sort(), ['1', 'constructor', 'toString']);
  });

  t.test('the log tells the changes after a revision, oldest first', async (t) => {
    const store = await openStore(t);
    const heads = [];
    for (const id of ['a', 'b', 'c']) {
      heads.push(
        await store.publish(changeOf([putCluster(id)], { actor: `${id}-actor`, message: `add ${id}` })),
      );
    }
    t.strictSame(await store.changesSince(1), [
      { ...heads[1], actor: 'b-actor', message: 'add b', operations: [putCluster('b')] },
      { ...heads[2], actor: 'c-actor', message: 'add c', operations: [putCluster('c')] },
    ]);
    t.equal((await store.changesSince(0))?.length, 3);
    t.strictSame(await store.changesSince(3), []);
    t.equal(await store.changesSince(4), null, 'a revision that the store never had');
    t.equal(await store.changesSince(-1), null);
  });

  t.test('a change on an outdated revision is refused and leaves no trace', async (t) => {
    const store = await openStore(t);
    await t.rejects(
      store.publish(changeOf([putCluster('x')], { expectedRevision: 1 })),
      new RevisionConflictError(1, 0),
    );
    const head = await store.publish(changeOf([putCluster('a')], { expectedRevision: 0 }));
    const conflict = await store
      .publish(changeOf([putCluster('b')], { expectedRevision: 0 }))
      .catch((e) => e);
    t.ok(conflict instanceof RevisionConflictError);
    t.equal(conflict.currentRevision, 1);
    t.strictSame(await store.read(), { head, document: { clusters: { a: clusterAt(8080) }, routes: {} } });
    t.equal((await store.changesSince(0))?.length, 1);
    t.equal((await store.publish(changeOf([putCluster('b')], { expectedRevision: 1 }))).revision, 2);
  });

  t.test('of two changes made at once on one revision exactly one wins', async (t) => {
    const store = await openStore(t);
    await store.publish(changeOf([putCluster('a')]));
    const results = await Promise.allSettled([
      store.publish(changeOf([putCluster('b')], { expectedRevision: 1 })),
      store.publish(changeOf([putCluster('c')], { expectedRevision: 1 })),
    ]);
    t.strictSame(results.map((result) => result.status).sort(), ['fulfilled', 'rejected']);
    const refused = results.find((result) => result.status === 'rejected');
    t.ok(refused?.reason instanceof RevisionConflictError);
    t.equal((await store.read())?.head?.revision, 2);
  });

  t.test('changes made at once without a condition are all written, in one chain', async (t) => {
    const store = await openStore(t);
    await Promise.all(
      Array.from({ length: 30 }, (_, index) => store.publish(changeOf([putCluster(`c${index}`)]))),
    );
    const changes = (await store.changesSince(0)) ?? [];
    t.strictSame(
      changes.map((change) => change.revision),
      Array.from({ length: 30 }, (_, index) => index + 1),
    );
    t.ok(changes.every((change, index) => change.parent === (changes[index - 1]?.id ?? null)));
    const document = (await store.read())?.document as { clusters: object };
    t.equal(Object.keys(document.clusters).length, 30);
  });

  t.test('a malformed operation refuses the change whole', async (t) => {
    const store = await openStore(t);
    const malformed: unknown[] = [
      { op: 'patch', kind: 'cluster', id: 'a' },
      { op: 'put', kind: 'clusters', id: 'a', value: {} },
      { op: 'put', kind: 'cluster', id: '__proto__', value: {} },
      { op: 'put', kind: 'cluster', id: '', value: {} },
      { op: 'put', kind: 'cluster', id: 'a' },
      { op: 'put', kind: 'cluster', id: 'a', value: [] },
      'put',
      null,
    ];
    for (const operation of malformed) {
      const operations = [putCluster('good'), operation] as Operation[];
      await t.rejects(store.publish(changeOf(operations)), /malformed/i, JSON.stringify(operation));
    }
    await t.rejects(store.publish(changeOf('none' as unknown as Operation[])), /malformed/i);
    t.equal(await store.read(), null);
  });

  t.test('changing what was handed in changes nothing in the store', async (t) => {
    const store = await openStore(t);
    const value: Cluster = clusterAt(1);
    const operations: Operation[] = [{ op: 'put', kind: 'cluster', id: 'a', value }];
    const published = store.publish(changeOf(operations));
    Object.assign(value, clusterAt(2));
    operations.pop();
    await published;
    t.strictSame((await store.read())?.document, { clusters: { a: clusterAt(1) }, routes: {} });
  });

  t.test('each change is hinted at to everyone who watches', async (t) => {
    const store = await openStore(t);
    const hinted = Promise.withResolvers<void>();
    const hintedToo = Promise.withResolvers<void>();
    store.watch(hinted.resolve);
    store.watch(hintedToo.resolve);
    await store.publish(changeOf([putCluster('a')]));
    await t.resolves(Promise.all([hinted.promise, hintedToo.promise]));
  });

  t.test('what was published is there when the place is opened again', async (t) => {
    const place = await createPlace(t);
    const before = await place.open();
    await before.publish(changeOf([putCluster('a'), putRoute('r', 'a')]));
    const head = await before.publish(changeOf([putCluster('b')]));
    const content = await before.read();
    const changes = await before.changesSince(0);
    await before.close();

    const after = await place.open();
    t.teardown(() => after.close());
    t.strictSame(await after.read(), content);
    t.strictSame(await after.changesSince(0), changes);
    const next = await after.publish(changeOf([putCluster('c')]));
    t.match(next, { revision: 3, parent: head.id });
  });

  t.test('a store that was closed takes no more changes', async (t) => {
    const store = await (await createPlace(t)).open();
    await store.close();
    await store.close();
    await t.rejects(store.publish(changeOf([putCluster('a')])), /closed/);
  });
}
