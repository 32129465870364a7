import t from 'tap';
import { DURATION_BUCKETS_SECONDS, type RouteSample } from '../../../lib/core/metrics/route-stats.ts';
import { RouteTotals } from '../../../lib/core/metrics/route-totals.ts';

const EMPTY: RouteSample = {
  route: 'orders',
  cluster: 'main',
  statuses: [],
  durationBuckets: [],
  durationSumSeconds: 0,
  upstreamErrors: [],
  retries: 0,
  rateLimited: 0,
  inFlightChange: 0,
};

/** Counts in the first buckets as given, none in the others. */
function buckets(...counts: number[]): number[] {
  return [...counts, ...new Array<number>(DURATION_BUCKETS_SECONDS.length + 1 - counts.length).fill(0)];
}

t.test('samples of all workers add up', async (t) => {
  const totals = new RouteTotals();
  totals.add(1, {
    ...EMPTY,
    statuses: [
      [200, 2],
      [502, 1],
    ],
    durationBuckets: buckets(2, 1),
    durationSumSeconds: 0.5,
    upstreamErrors: [['GW_ERR_UPSTREAM_RESET', 3]],
    retries: 2,
    rateLimited: 3,
    inFlightChange: 4,
  });
  totals.add(2, {
    ...EMPTY,
    statuses: [[200, 5]],
    durationBuckets: buckets(0, 5),
    durationSumSeconds: 1,
    inFlightChange: 1,
  });
  totals.add(2, { ...EMPTY, upstreamErrors: [['GW_ERR_UPSTREAM_RESET', 1]], retries: 1, inFlightChange: 2 });
  const [total] = totals.values();
  t.same(
    [...(total?.statuses ?? [])],
    [
      [200, 7],
      [502, 1],
    ],
  );
  t.same(total?.durationBuckets, buckets(2, 6));
  t.same([total?.durationSumSeconds, total?.retries, total?.rateLimited], [1.5, 3, 3]);
  t.same([...(total?.upstreamErrors ?? [])], [['GW_ERR_UPSTREAM_RESET', 4]]);
  t.same(
    [...(total?.inFlight ?? [])],
    [
      [1, 4],
      [2, 3],
    ],
    'in flight is the sum of the changes, worker by worker',
  );
  t.equal(totals.size, 1);
});

t.test('a worker that is gone has nothing in flight, but its counts stay', async (t) => {
  const totals = new RouteTotals();
  totals.add(1, { ...EMPTY, statuses: [[200, 1]], inFlightChange: 2 });
  totals.add(1, { ...EMPTY, route: 'users', inFlightChange: 1 });
  totals.add(2, { ...EMPTY, inFlightChange: 1 });
  totals.forgetWorker(1);
  t.same(
    [...totals.values()].map(({ route, inFlight, statuses }) => [route, [...inFlight], [...statuses]]),
    [
      ['orders', [[2, 1]], [[200, 1]]],
      ['users', [], []],
    ],
  );
  totals.add(2, { ...EMPTY, inFlightChange: -1 });
  t.equal([...totals.values()][0]?.inFlight.size, 0, 'nothing in flight is not kept');
});

t.test('a route counts apart for each cluster that it had', async (t) => {
  const totals = new RouteTotals();
  for (const cluster of ['old', 'new', 'old']) totals.add(1, { ...EMPTY, cluster, retries: 1 });
  t.same(
    [...totals.values()].map(({ cluster, retries }) => [cluster, retries]),
    [
      ['old', 2],
      ['new', 1],
    ],
  );
});

t.test('of the routes that are gone only the newest are remembered', async (t) => {
  const totals = new RouteTotals(2);
  for (const route of ['', 'a', 'kept', 'b', 'c', 'd']) totals.add(1, { ...EMPTY, route });
  totals.add(1, { ...EMPTY, route: 'kept', cluster: 'former' });
  totals.add(1, { ...EMPTY, route: 'busy', inFlightChange: 1 });
  totals.prune((route, cluster) => route === 'kept' && cluster === 'main');
  t.same(
    [...totals.values()].map(({ route }) => route),
    ['', 'kept', 'd', 'kept', 'busy'],
    'a former cluster of a route counts as gone, a route with requests under way does not',
  );
  totals.prune(() => true);
  t.equal(totals.size, 5);
  const many = new RouteTotals();
  for (let index = 0; index < 1_005; index++) many.add(1, { ...EMPTY, route: String(index) });
  many.prune(() => false);
  t.equal(many.size, 1_000);
});
