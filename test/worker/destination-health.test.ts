/** What the console says of destinations, also of those that come later or come again. */
import t, { type Test } from 'tap';
import { deleteOf, destinationsOf, openReceiver, putCluster, putRoute } from './table-fixtures.ts';

const ROUTE = putRoute('a', '/a', 'c');

/** A worker that serves a cluster with the destinations d1 to d4 under /a. */
function openServing(t: Test, sliceMs?: number) {
  const opened = openReceiver(sliceMs);
  t.teardown(opened.destroy);
  opened.transfer(null, 1, [putCluster('c', 1, 2, 3, 4), ROUTE]);
  return { ...opened, destinations: () => destinationsOf(opened.serving(), '/a') };
}

t.test('an unhealthy destination gets no requests until it is healthy again', (t) => {
  const { setHealth, destinations } = openServing(t);
  setHealth('c', 'd2', false);
  t.same(destinations(), ['d1', 'd3', 'd4']);
  setHealth('c', 'd2', true);
  t.same(destinations(), ['d1', 'd2', 'd3', 'd4']);
  t.end();
});

t.test('with most of a cluster unhealthy all of it is used', (t) => {
  const { setHealth, destinations } = openServing(t);
  setHealth('c', 'd1', false);
  setHealth('c', 'd2', false);
  t.same(destinations(), ['d3', 'd4'], 'half of it is enough');
  setHealth('c', 'd3', false);
  t.same(destinations(), ['d1', 'd2', 'd3', 'd4']);
  t.end();
});

t.test('word of a destination or cluster that is not there yet counts once it is', (t) => {
  const { setHealth, delta, serving, destinations } = openServing(t);
  setHealth('c', 'd9', false);
  setHealth('late', 'd1', false);
  t.same(destinations(), ['d1', 'd2', 'd3', 'd4']);
  delta(1, 2, [putCluster('c', 1, 2, 9), putCluster('late', 1, 2, 3), putRoute('late', '/late', 'late')]);
  t.same(
    [destinations(), destinationsOf(serving(), '/late')],
    [
      ['d1', 'd2'],
      ['d2', 'd3'],
    ],
  );
  t.end();
});

t.test('a destination that goes and comes again is what the console last said', (t) => {
  const { setHealth, delta, destinations } = openServing(t);
  setHealth('c', 'd2', false);
  delta(1, 2, [putCluster('c', 1, 3)]);
  delta(2, 3, [putCluster('c', 1, 2, 3)]);
  t.same(destinations(), ['d1', 'd3']);
  delta(3, 4, [deleteOf('route', 'a'), deleteOf('cluster', 'c')]);
  setHealth('c', 'd1', false);
  setHealth('c', 'd2', true);
  delta(4, 5, [putCluster('c', 1, 2, 3), ROUTE]);
  t.same(destinations(), ['d2', 'd3']);
  t.end();
});

t.test('a destination whose address changes is what the console last said', (t) => {
  const { setHealth, delta, destinations } = openServing(t);
  setHealth('c', 'd2', false);
  const moved = putCluster('c', 1, 2, 3);
  if (moved.op === 'put' && moved.kind === 'cluster')
    moved.value.destinations.d2 = { url: 'http://127.0.0.1:22' };
  delta(1, 2, [moved]);
  t.same(destinations(), ['d1', 'd3']);
  t.end();
});

t.test('a whole configuration and a large change that come later know it too', (t) => {
  const { setHealth, transfer, destinations } = openServing(t);
  setHealth('c', 'd2', false);
  transfer(1, 2, [putCluster('c', 1, 2, 3, 5)]);
  t.same(destinations(), ['d1', 'd3', 'd5']);
  transfer(null, 3, [putCluster('c', 1, 2, 3), ROUTE]);
  t.same(destinations(), ['d1', 'd3']);
  t.end();
});

t.test('word that comes amid a transfer counts for what serves and for what will', async (t) => {
  const { setHealth, begin, part, end, done, serving, destinations } = openServing(t, 0);
  await done();
  begin('id-1');
  part(putCluster('c', 1, 2, 3, 5), putCluster('new', 1, 2, 3), putRoute('new', '/new', 'new'));
  setHealth('c', 'd1', false);
  setHealth('c', 'd5', false);
  setHealth('new', 'd1', false);
  await done();
  t.same(destinations(), ['d2', 'd3', 'd4']);
  end(2);
  await done();
  t.same(
    [destinations(), destinationsOf(serving(), '/new')],
    [
      ['d2', 'd3'],
      ['d2', 'd3'],
    ],
  );
});

t.test('health that is known before the first configuration counts from its first request on', (t) => {
  const { setHealth, transfer, serving, destroy } = openReceiver();
  t.teardown(destroy);
  setHealth('c', 'd1', false);
  transfer(null, 1, [putCluster('c', 1, 2), ROUTE]);
  t.same(destinationsOf(serving(), '/a'), ['d2']);
  t.end();
});
