/** Operations that lead back: their order matters as much as their content. */
import t from 'tap';
import { ConfigurationTable } from '../../lib/core/config/configuration-table.ts';
import { applyOperations } from '../../lib/core/config/difference.ts';
import { EMPTY_CONFIGURATION } from '../../lib/core/config/document.ts';
import { contentOperations, planRepair, undoOperations } from '../../lib/primary/store-repair.ts';
import { type LoggedChange, UnreadableStoreError } from '../../lib/store/config-store.ts';
import { CLUSTER, putCluster, putLostRoute, putRoute, removeRoute, routeTo } from './followed-store.ts';
import { ScriptedStore } from './scripted-store.ts';

/** With the cluster that `putCluster` puts. */
function tableWith(): ConfigurationTable {
  const table = new ConfigurationTable();
  table.apply([putCluster()]);
  return table;
}

async function changesOf(store: ScriptedStore, revision: number): Promise<readonly LoggedChange[]> {
  return (await store.changesSince(revision)) ?? [];
}

t.test('all of a configuration, clusters before the routes that need them', (t) => {
  const configuration = {
    ...EMPTY_CONFIGURATION,
    clusters: new Map([['one', CLUSTER]]),
    routes: new Map([['a', routeTo('/a')]]),
  };
  const operations = contentOperations(configuration);
  t.same(
    operations.map(({ kind }) => kind),
    ['cluster', 'route'],
  );
  t.same(applyOperations(EMPTY_CONFIGURATION, operations), configuration);
  t.end();
});

t.test('of several changes to one entry the value before all of them comes back', async (t) => {
  const store = new ScriptedStore();
  store.write([putCluster(), putRoute('a', '/first')]);
  store.write([putRoute('a', '/second'), putRoute('b')]);
  store.write([removeRoute('a'), putRoute('b', '/other')]);
  store.write([putRoute('a', '/third')]);
  t.same(undoOperations(await changesOf(store, 1)), [putRoute('a', '/first'), removeRoute('b')]);
});

t.test('what was taken away comes back in an order in which it can be applied', async (t) => {
  const store = new ScriptedStore();
  store.write([putCluster(), putRoute('a')]);
  store.write([removeRoute('a'), { op: 'delete', kind: 'cluster', id: 'one' }, putCluster('two')]);
  t.same(undoOperations(await changesOf(store, 1)), [
    putCluster(),
    putRoute('a'),
    { op: 'delete', kind: 'cluster', id: 'two' },
  ]);
});

t.test('where the log does not help, all is put and the rest deleted, whatever shape it has', async (t) => {
  const held = { revision: 5, id: 'held', parent: null, at: '' };
  const table = tableWith();
  for (const [document, expected] of [
    [{ clusters: { one: 3, two: CLUSTER }, routes: { a: null } }, ['cluster two', 'route a']],
    [{ clusters: null, routes: 7 }, []],
    [{}, []],
    [null, []],
  ] as const) {
    const store = new ScriptedStore();
    const head = { ...held, revision: 3, id: 'theirs' };
    store.read = async () => ({ head, document });
    const repair = await planRepair(store, held, table);
    t.match(repair, { revision: 3, id: 'theirs', kept: [], undone: [] });
    t.same(repair.operations[0], putCluster());
    t.same(
      repair.operations.slice(1).map(({ op, kind, id }) => `${op} ${kind} ${id}`),
      expected.map((text) => `delete ${text}`),
    );
  }
  t.match(await planRepair(new ScriptedStore(), held, table), { revision: 0, id: null });
});

t.test('entries that are no JSON are replaced; what cannot be read at all is not', async (t) => {
  const held = { revision: 5, id: 'held', parent: null, at: '' };
  const head = { ...held, revision: 6, id: 'theirs' };
  const store = new ScriptedStore();
  const remains = { head, document: { clusters: { one: null }, routes: { odd: null } } };
  store.read = () => Promise.reject(new UnreadableStoreError('nonsense', [], remains));
  t.same((await planRepair(store, held, tableWith())).operations, [putCluster(), removeRoute('odd')]);
  const nothing = new UnreadableStoreError('nonsense', []);
  store.read = () => Promise.reject(nothing);
  await t.rejects(planRepair(store, held, tableWith()), nothing);
});

t.test('of what is refused that is kept which is valid by itself, in its order', async (t) => {
  const store = new ScriptedStore();
  const { operations: _, ...held } = store.write([putCluster()]);
  store.write([putLostRoute('bad'), putRoute('with-the-bad')]);
  store.write([putRoute('good')]);
  store.write([putRoute('bad', '/other', 'nowhere')]);
  store.write([putRoute('good', '/newer')]);
  const repair = await planRepair(store, held, tableWith());
  t.same(repair.kept, [putRoute('good'), putRoute('good', '/newer')]);
  t.same(
    [repair.refused, repair.undone].map((changes) => changes.map(({ revision }) => revision)),
    [
      [2, 3, 4, 5],
      [2, 4],
    ],
  );
  t.same(repair.operations.map(({ op, id }) => `${op} ${id}`).sort(), [
    'delete bad',
    'delete good',
    'delete with-the-bad',
  ]);
});

t.test('very many refused changes are not weighed one by one', async (t) => {
  const store = new ScriptedStore();
  const { operations: _, ...held } = store.write([putCluster()]);
  for (let index = 0; index < 101; index += 1) store.write([putRoute(`r${index}`)]);
  const repair = await planRepair(store, held, tableWith());
  t.same([repair.kept, repair.undone.length, repair.operations.length], [[], 101, 101]);
});
