/** How a worker takes what the primary sends: every change is answered, and requests see whole steps only. */
import t, { type Test } from 'tap';
import { deleteOf, destinationsOf, find, openReceiver, putCluster, putRoute } from './table-fixtures.ts';

const CLUSTER = putCluster('c', 1);
const ROUTE_A = putRoute('a', '/a', 'c');
const ROUTE_B = putRoute('b', '/b', 'c');

function open(t: Test, sliceMs?: number) {
  const opened = openReceiver(sliceMs);
  t.teardown(opened.destroy);
  const serves = (path: string) => find(opened.serving(), path)?.id ?? null;
  return { ...opened, serves };
}

const applied = (revision: number) => ({ type: 'applied', revision, id: `id-${revision}` });

t.test('a whole configuration is served as one step, once its end has come', (t) => {
  const { begin, part, end, answers, served, serves } = open(t);
  begin(null);
  part(CLUSTER);
  part(ROUTE_A);
  t.same([served.length, answers.length], [0, 0]);
  end(7);
  t.match(answers, [{ ...applied(7), fingerprint: /^[0-9a-f]{14}$/ }]);
  t.same([served.length, served[0]?.revision, serves('/a')], [1, 7, 'a']);
  t.end();
});

t.test('an empty configuration is one to serve', (t) => {
  const { transfer, answers, served } = open(t);
  transfer(null, 1);
  t.match(answers, [applied(1)]);
  t.equal(served.length, 1);
  t.end();
});

t.test('deltas follow in order, each on the one before', (t) => {
  const { transfer, delta, answers, serves } = open(t);
  transfer(null, 1, [CLUSTER, ROUTE_A]);
  delta(1, 2, [ROUTE_B]);
  delta(2, 5, [deleteOf('route', 'a')]);
  t.match(answers, [applied(1), applied(2), applied(5)]);
  t.same([serves('/a'), serves('/b')], [null, 'b']);
  t.end();
});

t.test('a delta with another parent is rejected, and changes nothing', (t) => {
  const { transfer, delta, answers, served, serves } = open(t);
  transfer(null, 1, [CLUSTER, ROUTE_A]);
  delta(2, 3, [ROUTE_B]);
  t.match(answers.at(-1), { type: 'rejected', revision: 3, id: 'id-3', problem: /id-2.*id-1/ });
  t.same([served.length, serves('/b')], [1, null]);
  t.end();
});

t.test('a delta before any configuration is rejected', (t) => {
  const { delta, answers, served } = open(t);
  delta(1, 2, []);
  t.match(answers, [{ type: 'rejected', problem: /nothing/ }]);
  t.equal(served.length, 0);
  t.end();
});

t.test('a delta that cannot be applied is rejected with the reason', (t) => {
  const { transfer, delta, answers, served } = open(t);
  transfer(null, 1, [CLUSTER]);
  delta(1, 2, [putRoute('a', '/a', 'gone')]);
  t.match(answers.at(-1), { type: 'rejected', id: 'id-2', problem: /needs cluster gone/ });
  t.equal(served.at(-1)?.revision, 1);
  t.end();
});

t.test(
  'a large change takes effect at its end, as one step, also for the settings of clusters',
  async (t) => {
    const { transfer, begin, part, end, done, answers, answered, serving, serves } = open(t, 0);
    transfer(null, 1, [
      CLUSTER,
      putCluster('x', 8),
      putCluster('old', 9),
      ROUTE_A,
      putRoute('old', '/old', 'old'),
    ]);
    await answered();
    const table = serving();
    begin('id-1');
    // The first one to be changed: the work on it may be done together with the step itself.
    part(putCluster('x', 7));
    part(putCluster('c', 2), putCluster('new', 3));
    part(putRoute('b', '/b', 'new'), deleteOf('route', 'old'), deleteOf('cluster', 'old'));
    await done();
    t.same(
      [serving(), serves('/b'), serves('/old'), destinationsOf(table, '/a')],
      [table, null, 'old', ['d1']],
    );
    end(2);
    await answered();
    // The rest of the work is still to come: requests see nothing of that.
    t.same(
      [serves('/old'), destinationsOf(serving(), '/a'), destinationsOf(serving(), '/b')],
      [null, ['d2'], ['d3']],
    );
    t.match(answers.at(-1), applied(2));
  },
);

t.test('what a large change does not touch stays the same object', async (t) => {
  const { transfer, done, serving } = open(t, 0);
  transfer(null, 1, [
    CLUSTER,
    putCluster('d', 5, 6),
    ROUTE_A,
    putRoute('d', '/d', 'd'),
    putRoute('e', '/e', 'd'),
  ]);
  await done();
  const before = { a: find(serving(), '/a'), d: find(serving(), '/d'), e: find(serving(), '/e') };
  const destinations = before.d?.cluster.balancer.destinations;
  transfer(1, 2, [putCluster('c', 1, 2), putCluster('d', 6, 7), putRoute('e', '/e/{**rest}', 'd')]);
  await done();
  t.equal(find(serving(), '/a'), before.a, 'a route');
  t.equal(find(serving(), '/d')?.cluster, before.d?.cluster, 'a cluster whose settings change');
  t.equal(find(serving(), '/e')?.stats, before.e?.stats, 'the counts of a route that is put again');
  const after = find(serving(), '/d')?.cluster.balancer.destinations;
  t.equal(after?.[0], destinations?.[1], 'a destination that stays');
  t.same(
    after?.map(({ id }) => id),
    ['d6', 'd7'],
  );
});

t.test('a change that follows another configuration is rejected at its end', (t) => {
  const { transfer, answers, serves, tables } = open(t);
  transfer(null, 1, [CLUSTER, ROUTE_A]);
  transfer(7, 8, [ROUTE_B]);
  t.match(answers.at(-1), { type: 'rejected', id: 'id-8', problem: /follows id-7, this worker holds id-1/ });
  t.same([serves('/a'), serves('/b'), tables.length], ['a', null, 2]);
  t.end();
});

t.test('a transfer with a faulty part is rejected whole, whatever comes after that part', (t) => {
  for (const parent of [null, 1]) {
    const { transfer, delta, answers, served, serves } = open(t);
    transfer(null, 1, [CLUSTER, ROUTE_A]);
    const [part, later] = [
      [putCluster('c', 2), putRoute('b', '/b', 'gone')],
      [CLUSTER, putRoute('c', '/c', 'c')],
    ];
    transfer(parent, 2, part, later);
    t.match(answers.at(-1), { type: 'rejected', id: 'id-2', problem: /needs cluster gone/ });
    t.same([served.length, serves('/a'), serves('/c')], [1, 'a', null]);
    t.same(destinationsOf(served[0]?.table, '/a'), ['d1']);
    delta(1, 3, [ROUTE_B]);
    t.match(answers.at(-1), applied(3), 'the next one finds everything as it was');
  }
  t.end();
});

t.test('clusters that were made for a change that is given up are destroyed', (t) => {
  const { transfer, begin, part, end, serving, tables } = open(t);
  transfer(null, 1, [CLUSTER, ROUTE_A]);
  begin('id-1');
  part(putCluster('new', 3), putRoute('b', '/b', 'new'));
  const created = find(tables[1], '/b')?.cluster.balancer.destinations[0];
  const kept = find(serving(), '/a')?.cluster.balancer.destinations[0];
  const destroyed: unknown[] = [];
  for (const destination of [created, kept]) {
    if (destination !== undefined) destination.destroy = () => destroyed.push(destination);
  }
  part(putRoute('faulty', '/faulty', 'gone'));
  end(2);
  t.same([destroyed.length, destroyed[0] === created], [1, true]);
  t.end();
});

t.test('the end of a transfer that never began is rejected', (t) => {
  const { part, end, answers } = open(t);
  part(CLUSTER);
  end(1);
  t.match(answers, [{ type: 'rejected', problem: /beginning/ }]);
  t.end();
});

t.test('a transfer that begins amid another spoils both, and the one after them is right again', (t) => {
  const { begin, part, end, transfer, answers, serves } = open(t);
  transfer(null, 1, [CLUSTER, ROUTE_A]);
  begin('id-1');
  part(ROUTE_B);
  begin('id-1');
  part(ROUTE_B);
  end(2);
  t.match(answers.at(-1), { type: 'rejected', id: 'id-2', problem: /before the one under way had ended/ });
  t.equal(serves('/b'), null);
  transfer(1, 3, [ROUTE_B]);
  t.match(answers.at(-1), applied(3));
  t.equal(serves('/b'), 'b');
  t.end();
});

t.test('a delta amid a transfer is rejected, and the transfer is not', (t) => {
  const { begin, part, end, delta, transfer, answers, serves } = open(t);
  transfer(null, 1, [CLUSTER, ROUTE_A]);
  begin('id-1');
  delta(1, 2, [ROUTE_B]);
  t.match(answers.at(-1), { type: 'rejected', id: 'id-2', problem: /amid/ });
  part(putRoute('c', '/c', 'c'));
  end(3);
  t.match(answers.at(-1), applied(3));
  t.same([serves('/b'), serves('/c')], [null, 'c']);
  t.end();
});

t.test('what comes while a transfer is being worked on waits for it', async (t) => {
  const { transfer, delta, receiver, answers, done, serving } = open(t, 0);
  const routes = Array.from({ length: 50 }, (_, index) => putRoute(`r${index}`, `/r${index}`, 'c'));
  transfer(null, 1, [CLUSTER], routes);
  delta(1, 2, [putRoute('r0', '/moved', 'c')]);
  transfer(2, 3, [putCluster('c', 7), ROUTE_A]);
  const order: string[] = [];
  receiver.runInOrder(() => order.push(`revision ${answers.length}`));
  t.equal(answers.length, 0, 'it is in slices');
  await done();
  t.match(answers, [applied(1), applied(2), applied(3)]);
  t.same(order, ['revision 3']);
  t.same([find(serving(), '/moved')?.id, find(serving(), '/a')?.id], ['r0', 'a']);
});

t.test('a second whole configuration takes the place of the first, and deltas follow that one', (t) => {
  const { transfer, delta, answers, serves, serving } = open(t);
  transfer(null, 1, [CLUSTER, ROUTE_A]);
  const cluster = find(serving(), '/a')?.cluster;
  let retired = 0;
  if (cluster !== undefined) cluster.retire = () => (retired += 1);
  transfer(null, 9, [CLUSTER, ROUTE_B]);
  t.same([serves('/a'), serves('/b'), retired], [null, 'b', 1]);
  delta(1, 2, []);
  t.match(answers.at(-1), { type: 'rejected' });
  delta(9, 10, [putRoute('c', '/c', 'c')]);
  t.match(answers.at(-1), applied(10));
  t.equal(serves('/c'), 'c');
  t.end();
});

t.test('clusters that a large change deletes are retired once nobody is sent to them any more', async (t) => {
  const { transfer, answered, done, serving } = open(t, 0);
  transfer(null, 1, [CLUSTER, putCluster('old', 9), ROUTE_A, putRoute('old', '/old', 'old')]);
  await done();
  const cluster = find(serving(), '/old')?.cluster;
  const retired: (string | undefined)[] = [];
  if (cluster !== undefined) cluster.retire = () => retired.push(find(serving(), '/old')?.id);
  transfer(1, 2, [deleteOf('route', 'old'), deleteOf('cluster', 'old')]);
  await answered();
  await done();
  t.same(retired, [undefined]);
});
