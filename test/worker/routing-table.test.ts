/** The configuration as a worker runs it: what an operation does not touch stays the same object. */
import t from 'tap';
import type { Operation } from '../../lib/core/config/change.ts';
import type { RoutingTable } from '../../lib/worker/routing-table.ts';
import { runAtOnce } from '../../lib/worker/work-queue.ts';
import { createTable, deleteOf, destinationsOf, find, putCluster, putRoute } from './table-fixtures.ts';

function openTable(...operations: Operation[]): RoutingTable {
  const table = createTable();
  t.teardown(() => table.destroy());
  table.apply(operations);
  return table;
}

/** A table in the making that starts from another. */
function copyOf(table: RoutingTable): RoutingTable {
  const copy = openTable();
  runAtOnce(copy.copy(table));
  return copy;
}

t.test('routes are found, and go', (t) => {
  const table = openTable(putCluster('c', 1), putRoute('a', '/a', 'c'), putRoute('b', '/b', 'c'));
  t.same([find(table, '/a')?.id, find(table, '/b')?.id, find(table, '/c')], ['a', 'b', null]);
  t.same([table.routeCount, table.clusterCount], [2, 1]);
  table.apply([deleteOf('route', 'a')]);
  t.same([find(table, '/a'), find(table, '/b')?.id], [null, 'b']);
  t.end();
});

t.test('a route that is put again answers on its new path only', (t) => {
  const table = openTable(putCluster('c', 1), putRoute('a', '/old', 'c'));
  table.apply([putRoute('a', '/new', 'c')]);
  t.same([find(table, '/old'), find(table, '/new')?.id, table.routeCount], [null, 'a', 1]);
  t.end();
});

t.test('a change of one entry leaves the others the same objects', (t) => {
  const table = openTable(
    putCluster('touched', 1),
    putCluster('other', 1),
    putRoute('a', '/a', 'touched'),
    putRoute('b', '/b', 'other'),
  );
  const before = find(table, '/b');
  table.apply([putCluster('touched', 2), putCluster('third', 3), putRoute('a', '/a/moved', 'third')]);
  const after = find(table, '/b');
  t.ok(before !== null && before === after);
  t.end();
});

t.test('a cluster that changes stays the same object, and so its routes follow', (t) => {
  const table = openTable(putCluster('c', 1), putRoute('a', '/a', 'c'));
  const cluster = find(table, '/a')?.cluster;
  const before = cluster?.balancer.pick(0, null);
  table.apply([
    {
      op: 'put',
      kind: 'cluster',
      id: 'c',
      value: { destinations: { d1: { url: 'http://127.0.0.1:1', weight: 5 } } },
    },
  ]);
  t.equal(find(table, '/a')?.cluster, cluster);
  t.equal(cluster?.balancer.pick(0, null), before, 'a new weight keeps the destination and its connections');
  t.equal(before?.weight, 5);
  table.apply([putCluster('c', 2)]);
  t.not(cluster?.balancer.pick(0, null), before, 'another address is another destination');
  t.end();
});

t.test('a route keeps its counters when it is put again, unless it leads to another cluster', (t) => {
  const table = openTable(putCluster('c', 1), putCluster('d', 1), putRoute('a', '/a', 'c'));
  const stats = find(table, '/a')?.stats;
  table.apply([putRoute('a', '/a/{**rest}', 'c')]);
  t.equal(find(table, '/a')?.stats, stats);
  table.apply([putRoute('a', '/a', 'd')]);
  t.not(find(table, '/a')?.stats, stats);
  t.match(find(table, '/a')?.stats, { route: 'a', cluster: 'd' });
  t.end();
});

t.test('a route without its cluster is a fault that is named', (t) => {
  const table = openTable();
  t.throws(() => table.apply([putRoute('a', '/a', 'gone')]), /route a needs cluster gone/);
  t.equal(find(table, '/a'), null);
  t.end();
});

t.test('to delete what is not there is no fault', (t) => {
  const table = openTable();
  table.apply([deleteOf('route', 'x'), deleteOf('cluster', 'y')]);
  t.same([table.routeCount, table.clusterCount], [0, 0]);
  t.end();
});

t.test('the fingerprint is that of the content, whatever the way that led there', (t) => {
  const empty = openTable().fingerprint;
  const table = openTable(putCluster('c', 1), putRoute('a', '/a', 'c'));
  const { fingerprint } = table;
  t.equal(openTable(putCluster('c', 1), putRoute('a', '/a', 'c')).fingerprint, fingerprint);
  table.apply([
    putCluster('c', 2),
    putCluster('d', 2),
    putRoute('b', '/b', 'd'),
    putRoute('a', '/moved', 'd'),
  ]);
  t.not(table.fingerprint, fingerprint);
  table.apply([
    putCluster('c', 1),
    putRoute('a', '/a', 'c'),
    deleteOf('route', 'b'),
    deleteOf('cluster', 'd'),
  ]);
  t.equal(table.fingerprint, fingerprint);
  table.apply([deleteOf('route', 'a'), deleteOf('cluster', 'c')]);
  t.equal(table.fingerprint, empty);
  t.end();
});

t.test('a copy holds the same objects, and neither notices what changes in the other', (t) => {
  const table = openTable(putCluster('c', 1), putRoute('a', '/a', 'c'), putRoute('b', '/b', 'c'));
  const copy = copyOf(table);
  t.equal(copy.fingerprint, table.fingerprint);
  t.equal(find(copy, '/a'), find(table, '/a'));
  runAtOnce(copy.change([putRoute('a', '/moved', 'c'), deleteOf('route', 'b'), putCluster('d', 2)]));
  t.same([find(table, '/a')?.id, find(table, '/b')?.id, table.clusterCount], ['a', 'b', 1]);
  t.same([find(copy, '/a'), find(copy, '/moved')?.id, copy.routeCount, copy.clusterCount], [null, 'a', 1, 2]);
  t.end();
});

t.test('a changed cluster keeps its settings until the table that changes them is gone by', (t) => {
  const table = openTable(putCluster('c', 1), putRoute('a', '/a', 'c'));
  const copy = copyOf(table);
  runAtOnce(copy.change([putCluster('c', 2)]));
  t.same(destinationsOf(table, '/a'), ['d1']);
  t.same(destinationsOf(copy, '/a'), ['d2'], 'at its first request, before anything is settled');
  t.end();
});

t.test('a cluster that nobody asks for has its new settings once the table is settled', (t) => {
  const table = openTable(putCluster('c', 1), putRoute('a', '/a', 'c'));
  const cluster = find(table, '/a')?.cluster;
  const copy = copyOf(table);
  runAtOnce(copy.change([putCluster('c', 2)]));
  runAtOnce(copy.settle());
  t.same(
    cluster?.balancer.destinations.map(({ id }) => id),
    ['d2'],
  );
  t.end();
});
