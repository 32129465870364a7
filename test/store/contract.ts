/** What every store that can be written promises, whatever it is made of. */
import fc from 'fast-check';
import type { Test } from 'tap';
import type { Delta, Head, Operation } from '../../lib/core/config/change.ts';
import { applyOperations } from '../../lib/core/config/difference.ts';
import { EMPTY_CONFIGURATION } from '../../lib/core/config/document.ts';
import { equalValues } from '../../lib/core/config/equal-values.ts';
import {
  type Cluster,
  COLLECTIONS,
  type Configuration,
  KINDS,
  type Kind,
  type Route,
} from '../../lib/core/config/model.ts';
import {
  MalformedChangeError,
  type NewChange,
  RevisionConflictError,
  type StoreListener,
  type WritableConfigStore,
} from '../../lib/store/config-store.ts';

/** A place that outlives the stores which are opened on it. */
export interface StorePlace {
  open(): Promise<WritableConfigStore>;
}

export interface StoreContractOptions {
  /** Several stores may be open on one place at a time, as instances that share it do. */
  readonly shared?: boolean;
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

function deleteOf(kind: Operation['kind'], id: string): Operation {
  return { op: 'delete', kind, id };
}

/** Collects what a store tells, for tests that wait until it has told enough. */
class Told implements StoreListener {
  readonly deltas: Delta[] = [];
  #hints = 0;
  #check = (): void => {};

  onHint(): void {
    this.#hints += 1;
    this.#check();
  }

  onChange(delta: Delta): void {
    this.deltas.push(delta);
    this.#check();
  }

  /** Resolves once the store has told anything at all: from then on it is certain to be listening. */
  something(): Promise<void> {
    return this.#until(() => this.#hints > 0 || this.deltas.length > 0);
  }

  /** The changes after `revision` that came with their operations, once there are `count` of them. */
  async deltasAfter(revision: number, count: number): Promise<Delta[]> {
    const after = (): Delta[] => this.deltas.filter((delta) => delta.revision > revision);
    await this.#until(() => after().length >= count);
    return after();
  }

  #until(reached: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#check = () => {
      if (reached()) resolve();
    };
    this.#check();
    return promise;
  }
}

async function readContent(store: WritableConfigStore): Promise<Configuration> {
  const stored = await store.read();
  if (stored === null) return EMPTY_CONFIGURATION;
  const document = stored.document as Record<string, object | undefined>;
  const collections = Object.values(COLLECTIONS).map((collection) => [
    collection,
    new Map(Object.entries(document[collection] ?? {})),
  ]);
  return Object.fromEntries(collections);
}

/** The document of a store that holds these entries, and none of other kinds. */
export function documentWith(sections: Readonly<Record<string, object>>): Record<string, object> {
  const empty = Object.values(COLLECTIONS).map((collection) => [collection, {}]);
  return { ...Object.fromEntries(empty), ...sections };
}

function equalContent(left: Configuration, right: Configuration): boolean {
  return Object.values(COLLECTIONS).every((collection) =>
    equalValues(
      Object.fromEntries<unknown>(left[collection]),
      Object.fromEntries<unknown>(right[collection]),
    ),
  );
}

function hasDanglingRoute({ clusters, routes }: Configuration): boolean {
  return [...routes.values()].some(({ cluster }) => !clusters.has(cluster));
}

/** `createPlace` makes a new, empty place each time, and removes it when the test ends. */
export function storeContract(
  t: Test,
  createPlace: (t: Test) => Promise<StorePlace>,
  options: StoreContractOptions = {},
): void {
  const openStore = async (t: Test): Promise<WritableConfigStore> => {
    const store = await (await createPlace(t)).open();
    t.teardown(() => store.close());
    return store;
  };

  t.test('an empty store reads as null and has no changes', async (t) => {
    const store = await openStore(t);
    t.equal(store.writable, true);
    t.equal(await store.read(), null);
    t.equal(await store.readHead(), null);
    t.strictSame(await store.changesSince(0), []);
    t.strictSame(await store.history(10), []);
    t.match(store.condition, { reachable: true, problem: null, since: /^\d{4}-\d\d-\d\dT/ });
  });

  t.test('a change is read back, with the head that publishing returned', async (t) => {
    const store = await openStore(t);
    const head = await store.publish(changeOf([putCluster('orders'), putRoute('orders-api', 'orders')]));
    t.match(head, { revision: 1, parent: null, id: /./, at: /^\d{4}-\d\d-\d\dT[\d:.]+Z$/ });
    t.strictSame(await store.readHead(), head);
    t.strictSame(await store.read(), {
      head,
      document: documentWith({
        clusters: { orders: clusterAt(8080) },
        routes: { 'orders-api': routeTo('orders') },
      }),
    });
  });

  t.test('entries of every kind are kept, and certificates by host names', async (t) => {
    const store = await openStore(t);
    const certificateId = `*.${'a'.repeat(63)}.${'b'.repeat(63)}.example.com`;
    const idOf = (kind: Kind): string => (kind === 'certificate' ? certificateId : `one-${kind}`);
    const operations = KINDS.map((kind) => ({ op: 'put', kind, id: idOf(kind), value: { of: kind } }));
    await store.publish(changeOf(operations as unknown as Operation[]));
    const sections = KINDS.map((kind) => [COLLECTIONS[kind], { [idOf(kind)]: { of: kind } }]);
    t.strictSame((await store.read())?.document, Object.fromEntries(sections));
    const [change] = await store.history(1);
    t.strictSame(change?.operations, operations);
    t.strictSame(
      change?.undo,
      KINDS.toReversed().map((kind) => deleteOf(kind, idOf(kind))),
    );
    await store.publish(changeOf(change?.undo ?? []));
    t.strictSame((await store.read())?.document, documentWith({}));
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
    t.strictSame((await store.read())?.document, documentWith({ clusters: { a: clusterAt(2) } }));
  });

  t.test('ids that objects inherit are ids like any other', async (t) => {
    const store = await openStore(t);
    await store.publish(changeOf([putCluster('constructor'), putCluster('toString'), putCluster('1')]));
    const document = (await store.read())?.document as { clusters: object };
    t.strictSame(Object.keys(document.clusters).sort(), ['1', 'constructor', 'toString']);
  });

  t.test('the log tells the changes after a revision, oldest first', async (t) => {
    const store = await openStore(t);
    const heads: Head[] = [];
    for (const id of ['a', 'b', 'c']) {
      heads.push(
        await store.publish(changeOf([putCluster(id)], { actor: `${id}-actor`, message: `add ${id}` })),
      );
    }
    t.strictSame(
      await store.changesSince(1),
      ['b', 'c'].map((id, index) => ({
        ...heads[index + 1],
        actor: `${id}-actor`,
        message: `add ${id}`,
        operations: [putCluster(id)],
        undo: [deleteOf('cluster', id)],
      })),
    );
    t.equal((await store.changesSince(0))?.length, 3);
    t.strictSame(await store.changesSince(3), []);
    t.equal(await store.changesSince(4), null, 'a revision that the store never had');
    t.equal(await store.changesSince(-1), null);
  });

  t.test('the history tells the changes newest first, page by page', async (t) => {
    const store = await openStore(t);
    for (const id of ['a', 'b', 'c', 'd']) await store.publish(changeOf([putCluster(id)]));
    const changes = (await store.changesSince(0)) ?? [];
    t.strictSame(await store.history(10), changes.toReversed());
    const revisionsOf = async (limit: number, before?: number): Promise<number[]> =>
      (await store.history(limit, before)).map((change) => change.revision);
    t.strictSame(await revisionsOf(3), [4, 3, 2]);
    t.strictSame(await revisionsOf(2, 4), [3, 2]);
    t.strictSame(await revisionsOf(2, 2), [1]);
    t.strictSame(await revisionsOf(2, 1), []);
    t.strictSame(await revisionsOf(1, 1_000), [4], 'a revision that is yet to come');
  });

  t.test('each change tells what undoes it, in an order that is safe', async (t) => {
    const store = await openStore(t);
    const steps: Operation[][] = [
      [putCluster('a', 1), putCluster('b', 1), putRoute('r', 'a'), putRoute('s', 'b')],
      [putCluster('a', 2), putCluster('a', 3), putRoute('r', 'b')],
      [putRoute('s', 'a'), deleteOf('cluster', 'b'), deleteOf('route', 'r')],
      [deleteOf('cluster', 'never-there'), putCluster('brief'), deleteOf('cluster', 'brief')],
      [deleteOf('route', 's'), deleteOf('cluster', 'a'), putCluster('a', 4), putRoute('r', 'a')],
      [],
      [deleteOf('route', 'r'), deleteOf('cluster', 'a')],
    ];
    const contents = [await readContent(store)];
    for (const operations of steps) {
      await store.publish(changeOf(operations));
      contents.push(await readContent(store));
    }
    let content = contents.pop() ?? EMPTY_CONFIGURATION;
    for (const { revision, undo } of await store.history(steps.length)) {
      for (const operation of undo) {
        content = applyOperations(content, [operation]);
        t.notOk(hasDanglingRoute(content), `undoing revision ${revision} takes no cluster from its routes`);
      }
      t.ok(equalContent(content, contents.pop() ?? EMPTY_CONFIGURATION), `revision ${revision} is undone`);
    }
    t.strictSame(contents, []);
  });

  t.test('to publish what undoes a change brings the content before it back, for any change', async (t) => {
    const store = await openStore(t);
    const id = fc.constantFrom('a', 'b', '1');
    const operation: fc.Arbitrary<Operation> = fc.oneof(
      fc.tuple(id, fc.nat(9)).map(([id, port]) => putCluster(id, port + 1)),
      fc.tuple(id, id).map(([id, cluster]) => putRoute(id, cluster)),
      fc
        .tuple(fc.constantFrom('issuer', 'consumer', 'certificate'), id, fc.nat(9))
        .map(([kind, id, value]) => ({ op: 'put', kind, id, value: { value } }) as unknown as Operation),
      fc.tuple(fc.constantFrom(...KINDS), id).map(([kind, id]) => deleteOf(kind, id)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 6 }), fc.boolean(), async (operations, isUndone) => {
        const before = await readContent(store);
        await store.publish(changeOf(operations));
        const [change] = await store.history(1);
        if (change === undefined) return false;
        const after = await readContent(store);
        // Not always, so that the next change begins with another content.
        if (isUndone) await store.publish(changeOf(change.undo));
        return (
          equalContent(after, applyOperations(before, operations)) &&
          equalContent(applyOperations(after, change.undo), before) &&
          equalContent(await readContent(store), isUndone ? before : after)
        );
      }),
      { numRuns: 60 },
    );
  });

  t.test('counting goes on above a floor, and the chain of changes does not break there', async (t) => {
    const store = await openStore(t);
    const first = await store.publish(
      changeOf([putCluster('a')], { revisionFloor: 41, expectedRevision: 0 }),
    );
    t.match(first, { revision: 42, parent: null });
    const second = await store.publish(changeOf([putCluster('b')], { revisionFloor: 7 }));
    t.match(second, { revision: 43, parent: first.id }, 'a floor that was passed long ago');
    const third = await store.publish(changeOf([putCluster('c')], { revisionFloor: 99 }));
    t.match(third, { revision: 100, parent: second.id });
    const revisionsSince = async (revision: number): Promise<number[] | undefined> =>
      (await store.changesSince(revision))?.map((change) => change.revision);
    t.strictSame(await revisionsSince(0), [42, 43, 100]);
    t.strictSame(await revisionsSince(42), [43, 100]);
    t.strictSame(await revisionsSince(43), [100]);
    t.strictSame(await revisionsSince(100), []);
    t.strictSame(
      (await store.history(2)).map((change) => change.revision),
      [100, 43],
    );
    t.strictSame(await store.readHead(), third);
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
    t.strictSame(await store.read(), { head, document: documentWith({ clusters: { a: clusterAt(8080) } }) });
    t.equal((await store.changesSince(0))?.length, 1);
    t.equal((await store.publish(changeOf([putCluster('b')], { expectedRevision: 1 }))).revision, 2);
  });

  t.test(
    'a revision with another id is another one: numbers come again where writes were lost',
    async (t) => {
      const store = await openStore(t);
      const head = await store.publish(changeOf([putCluster('a')]));
      const condition = { expectedRevision: 1, expectedId: 'of-a-lost-history' };
      await t.rejects(store.publish(changeOf([putCluster('b')], condition)), {
        name: 'RevisionConflictError',
      });
      const next = await store.publish(changeOf([putCluster('b')], { ...condition, expectedId: head.id }));
      t.match(next, { revision: 2, parent: head.id });
    },
  );

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
      { op: 'put', kind: 'issuer', id: '*.example.com', value: {} },
      { op: 'put', kind: 'certificate', id: 'API.example.com', value: {} },
      { op: 'put', kind: 'certificate', id: '*', value: {} },
      { op: 'put', kind: 'certificate', id: 'a'.repeat(252), value: {} },
      'put',
      null,
    ];
    for (const operation of malformed) {
      const operations = [putCluster('good'), operation] as Operation[];
      const error = await store.publish(changeOf(operations)).catch((reason: unknown) => reason);
      t.ok(error instanceof MalformedChangeError, JSON.stringify(operation));
      t.match(error, { problems: [{ pointer: '/1' }] });
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
    t.strictSame((await store.read())?.document, documentWith({ clusters: { a: clusterAt(1) } }));
  });

  t.test('each change is told to everyone who watches', async (t) => {
    const store = await openStore(t);
    const hinted = Promise.withResolvers<void>();
    const told = new Told();
    store.watch({ onHint: hinted.resolve });
    store.watch(told);
    await store.publish(changeOf([putCluster('a')]));
    await t.resolves(Promise.all([hinted.promise, told.something()]));
  });

  t.test('those who watch get the changes in order, each with its operations and its parent', async (t) => {
    const store = await openStore(t);
    const told = new Told();
    store.watch(told);
    const first = await store.publish(changeOf([putCluster('a')]));
    await told.something();
    for (const id of ['b', 'c', 'd']) await store.publish(changeOf([putCluster(id), putRoute(id, id)]));
    const changes = (await store.changesSince(first.revision)) ?? [];
    t.equal(changes.length, 3);
    t.strictSame(
      await told.deltasAfter(first.revision, 3),
      changes.map(({ revision, id, parent, at, operations }) => ({ revision, id, parent, at, operations })),
    );
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

  if (options.shared === true) sharedStoreContract(t, createPlace);
}

/** What a store that several instances have open at once promises besides. */
function sharedStoreContract(t: Test, createPlace: (t: Test) => Promise<StorePlace>): void {
  const openTwo = async (t: Test): Promise<[WritableConfigStore, WritableConfigStore]> => {
    const place = await createPlace(t);
    const stores: [WritableConfigStore, WritableConfigStore] = [await place.open(), await place.open()];
    t.teardown(() => Promise.all(stores.map((store) => store.close())));
    return stores;
  };

  t.test('a change made in one store is read, and told, in the other', async (t) => {
    const [here, there] = await openTwo(t);
    t.equal(here.source, there.source);
    const told = new Told();
    there.watch(told);
    const first = await here.publish(changeOf([putCluster('a')]));
    await told.something();
    const second = await here.publish(changeOf([putCluster('b')]));
    t.strictSame(await told.deltasAfter(first.revision, 1), [{ ...second, operations: [putCluster('b')] }]);
    t.strictSame(await there.readHead(), second);
    t.strictSame(await there.read(), await here.read());
    t.strictSame(await there.changesSince(0), await here.changesSince(0));
  });

  t.test('of two changes made at once in two stores on one revision exactly one wins', async (t) => {
    const stores = await openTwo(t);
    const results = await Promise.allSettled(
      stores.map((store) => store.publish(changeOf([putCluster('a')], { expectedRevision: 0 }))),
    );
    t.strictSame(results.map((result) => result.status).sort(), ['fulfilled', 'rejected']);
    const refused = results.find((result) => result.status === 'rejected');
    t.ok(refused?.reason instanceof RevisionConflictError);
    for (const store of stores) t.equal((await store.readHead())?.revision, 1);
  });

  t.test('changes made at once in two stores are all written, in one chain', async (t) => {
    const [here, there] = await openTwo(t);
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? here : there).publish(changeOf([putCluster(`c${index}`)])),
      ),
    );
    const changes = (await there.changesSince(0)) ?? [];
    t.equal(changes.length, 20);
    t.ok(changes.every((change, index) => change.parent === (changes[index - 1]?.id ?? null)));
    t.equal((await readContent(here)).clusters.size, 20);
  });

  t.test('a store that is closed leaves the other one open', async (t) => {
    const [here, there] = await openTwo(t);
    await here.close();
    t.equal((await there.publish(changeOf([putCluster('a')]))).revision, 1);
  });
}
