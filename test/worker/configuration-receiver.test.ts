/** How a worker takes what the primary sends: every message is answered, and requests see whole steps only. */
import t from 'tap';
import type { Operation } from '../../lib/core/config/change.ts';
import { StatsRegistry } from '../../lib/core/metrics/route-stats.ts';
import type { ToPrimary } from '../../lib/ipc/protocol.ts';
import { ConfigurationReceiver } from '../../lib/worker/configuration-receiver.ts';
import { RoutingTable } from '../../lib/worker/routing-table.ts';

const CLUSTER: Operation = {
  op: 'put',
  kind: 'cluster',
  id: 'c',
  value: { destinations: { d: { url: 'http://127.0.0.1:1' } } },
};
const putRoute = (id: string, cluster = 'c'): Operation => ({
  op: 'put',
  kind: 'route',
  id,
  value: { match: { path: `/${id}` }, cluster },
});

function openReceiver() {
  const answers: ToPrimary[] = [];
  const served: { table: RoutingTable; revision: number }[] = [];
  const tables: RoutingTable[] = [];
  const receiver = new ConfigurationReceiver(
    () => {
      const environment = { random: () => 0.5, nowMs: () => 0, workerOffset: 0 };
      const table = new RoutingTable(environment, new StatsRegistry());
      tables.push(table);
      return table;
    },
    { serve: (table, { revision }) => served.push({ table, revision }) },
    (message) => answers.push(message),
  );
  t.teardown(() => {
    for (const table of tables) table.destroy();
  });
  const snapshot = (revision: number, ...parts: Operation[][]) => {
    receiver.receive({ type: 'snapshotBegin' });
    for (const operations of parts) receiver.receive({ type: 'snapshotPart', operations });
    receiver.receive({ type: 'snapshotEnd', revision, id: `id-${revision}` });
  };
  const delta = (from: number, to: number, operations: Operation[]) =>
    receiver.receive({ type: 'delta', revision: to, id: `id-${to}`, parent: `id-${from}`, operations });
  const serves = (path: string) => {
    const facts = { method: 'GET', host: 'localhost', path, query: '', rawHeaders: [] };
    return served.at(-1)?.table.match(facts)?.id ?? null;
  };
  return { receiver, answers, served, snapshot, delta, serves };
}

const applied = (revision: number) => ({ type: 'applied', revision, id: `id-${revision}` });

t.test('a snapshot is served as a whole, once its end has come', (t) => {
  const { receiver, answers, served, serves } = openReceiver();
  receiver.receive({ type: 'snapshotBegin' });
  receiver.receive({ type: 'snapshotPart', operations: [CLUSTER] });
  receiver.receive({ type: 'snapshotPart', operations: [putRoute('a')] });
  t.same([served.length, answers.length], [0, 0]);
  receiver.receive({ type: 'snapshotEnd', revision: 7, id: 'id-7' });
  t.same(answers, [applied(7)]);
  t.same([served.length, served[0]?.revision, serves('/a')], [1, 7, 'a']);
  t.end();
});

t.test('an empty snapshot is one to serve', (t) => {
  const { snapshot, answers, served } = openReceiver();
  snapshot(1);
  t.same([answers, served.length], [[applied(1)], 1]);
  t.end();
});

t.test('deltas follow in order, each on the one before', (t) => {
  const { snapshot, delta, answers, serves } = openReceiver();
  snapshot(1, [CLUSTER, putRoute('a')]);
  delta(1, 2, [putRoute('b')]);
  delta(2, 5, [{ op: 'delete', kind: 'route', id: 'a' }]);
  t.same(answers, [applied(1), applied(2), applied(5)]);
  t.same([serves('/a'), serves('/b')], [null, 'b']);
  t.end();
});

t.test('a delta with another parent is rejected, and changes nothing', (t) => {
  const { snapshot, delta, answers, served, serves } = openReceiver();
  snapshot(1, [CLUSTER, putRoute('a')]);
  delta(2, 3, [putRoute('b')]);
  t.match(answers.at(-1), { type: 'rejected', revision: 3, id: 'id-3', problem: /id-2.*id-1/ });
  t.same([served.length, serves('/b')], [1, null]);
  t.end();
});

t.test('a delta before any snapshot is rejected', (t) => {
  const { delta, answers, served } = openReceiver();
  delta(1, 2, []);
  t.match(answers, [{ type: 'rejected', problem: /nothing/ }]);
  t.equal(served.length, 0);
  t.end();
});

t.test('a delta that cannot be applied is rejected with the reason', (t) => {
  const { snapshot, delta, answers, served } = openReceiver();
  snapshot(1, [CLUSTER]);
  delta(1, 2, [putRoute('a', 'gone')]);
  t.match(answers.at(-1), { type: 'rejected', id: 'id-2', problem: /needs cluster gone/ });
  t.equal(served.at(-1)?.revision, 1);
  t.end();
});

t.test('a snapshot with a faulty part is rejected whole, whatever comes after that part', (t) => {
  const { snapshot, answers, served, serves } = openReceiver();
  snapshot(1, [CLUSTER, putRoute('a')]);
  snapshot(2, [putRoute('b', 'gone')], [CLUSTER, putRoute('c')]);
  t.match(answers.at(-1), { type: 'rejected', id: 'id-2', problem: /needs cluster gone/ });
  t.same([served.length, serves('/a'), serves('/c')], [1, 'a', null]);
  t.end();
});

t.test('the end of a snapshot that never began is rejected', (t) => {
  const { receiver, answers } = openReceiver();
  receiver.receive({ type: 'snapshotEnd', revision: 1, id: 'id-1' });
  t.match(answers, [{ type: 'rejected', problem: /beginning/ }]);
  t.end();
});

t.test('a second snapshot takes the place of the first, and deltas follow that one', (t) => {
  const { snapshot, delta, answers, serves } = openReceiver();
  snapshot(1, [CLUSTER, putRoute('a')]);
  snapshot(9, [CLUSTER, putRoute('b')]);
  t.same([serves('/a'), serves('/b')], [null, 'b']);
  delta(1, 2, []);
  t.match(answers.at(-1), { type: 'rejected' });
  delta(9, 10, [putRoute('c')]);
  t.same([answers.at(-1), serves('/c')], [applied(10), 'c']);
  t.end();
});
