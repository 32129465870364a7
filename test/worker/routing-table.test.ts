/** The configuration as a worker runs it: what an operation does not touch stays the same object. */
import t from 'tap';
import type { Operation } from '../../lib/core/config/change.ts';
import { StatsRegistry } from '../../lib/core/metrics/route-stats.ts';
import { RoutingTable } from '../../lib/worker/routing-table.ts';

const environment = { random: () => 0.5, nowMs: () => 0, workerOffset: 0 };

const putCluster = (id: string, port = 1, weight?: number): Operation => ({
  op: 'put',
  kind: 'cluster',
  id,
  value: {
    destinations: { d: { url: `http://127.0.0.1:${port}`, ...(weight !== undefined && { weight }) } },
  },
});
const putRoute = (id: string, path: string, cluster: string): Operation => ({
  op: 'put',
  kind: 'route',
  id,
  value: { match: { path }, cluster },
});
const deleteOf = (kind: 'route' | 'cluster', id: string): Operation => ({ op: 'delete', kind, id });

function openTable(...operations: Operation[]): RoutingTable {
  const table = new RoutingTable(environment, new StatsRegistry());
  t.teardown(() => table.destroy());
  table.apply(operations);
  return table;
}

const find = (table: RoutingTable, path: string) =>
  table.match({ method: 'GET', host: 'localhost', path, query: '', rawHeaders: [] });

t.test('routes are found, and go', (t) => {
  const table = openTable(putCluster('c'), putRoute('a', '/a', 'c'), putRoute('b', '/b', 'c'));
  t.same([find(table, '/a')?.id, find(table, '/b')?.id, find(table, '/c')], ['a', 'b', null]);
  t.same([table.routeCount, table.clusterCount], [2, 1]);
  table.apply([deleteOf('route', 'a')]);
  t.same([find(table, '/a'), find(table, '/b')?.id], [null, 'b']);
  t.end();
});

t.test('a route that is put again answers on its new path only', (t) => {
  const table = openTable(putCluster('c'), putRoute('a', '/old', 'c'));
  table.apply([putRoute('a', '/new', 'c')]);
  t.same([find(table, '/old'), find(table, '/new')?.id, table.routeCount], [null, 'a', 1]);
  t.end();
});

t.test('a change of one entry leaves the others the same objects', (t) => {
  const table = openTable(
    putCluster('touched'),
    putCluster('other'),
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
  table.apply([putCluster('c', 1, 5)]);
  t.equal(find(table, '/a')?.cluster, cluster);
  t.equal(cluster?.balancer.pick(0, null), before, 'a new weight keeps the destination and its connections');
  t.equal(before?.weight, 5);
  table.apply([putCluster('c', 2)]);
  t.not(cluster?.balancer.pick(0, null), before, 'another address is another destination');
  t.end();
});

t.test('a route keeps its counters when it is put again, unless it leads to another cluster', (t) => {
  const table = openTable(putCluster('c'), putCluster('d'), putRoute('a', '/a', 'c'));
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
