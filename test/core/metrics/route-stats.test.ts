import t from 'tap';
import {
  DURATION_BUCKETS_SECONDS,
  RouteStats,
  StatsRegistry,
} from '../../../lib/core/metrics/route-stats.ts';

function createStats() {
  const registry = new StatsRegistry();
  return { registry, stats: new RouteStats('orders', 'main', registry) };
}

t.test('a sample holds what was counted since the last one', async (t) => {
  const { registry, stats } = createStats();
  for (const [status, durationMs] of [
    [200, 3],
    [200, 40],
    [502, 100],
  ] as const) {
    stats.begin();
    stats.end(status, durationMs);
  }
  stats.begin();
  stats.countUpstreamError('GW_ERR_UPSTREAM_RESET');
  stats.countUpstreamError('GW_ERR_UPSTREAM_RESET');
  stats.countRetry();
  stats.countRateLimited();
  const [sample, ...others] = registry.takeSamples();
  t.same(others, [], 'one sample a route');
  t.match(sample, {
    route: 'orders',
    cluster: 'main',
    statuses: [
      [200, 2],
      [502, 1],
    ],
    upstreamErrors: [['GW_ERR_UPSTREAM_RESET', 2]],
    retries: 1,
    rateLimited: 1,
    inFlightChange: 1,
  });
  t.equal(sample?.durationSumSeconds.toFixed(6), '0.143000');
  t.equal(stats.inFlight, 1);
  t.same(registry.takeSamples(), [], 'nothing has changed since');
});

t.test('the next sample begins at nothing', async (t) => {
  const { registry, stats } = createStats();
  stats.begin();
  registry.takeSamples();
  stats.countRetry();
  t.same(registry.takeSamples(), [
    {
      route: 'orders',
      cluster: 'main',
      statuses: [],
      durationBuckets: [],
      durationSumSeconds: 0,
      upstreamErrors: [],
      retries: 1,
      rateLimited: 0,
      inFlightChange: 0,
    },
  ]);
  stats.end(200, 1);
  t.match(registry.takeSamples(), [{ statuses: [[200, 1]], retries: 0, inFlightChange: -1 }]);
});

t.test('a duration counts in the first bucket that it fits, bounds included', async (t) => {
  const bounds = DURATION_BUCKETS_SECONDS;
  const cases: [seconds: number, bucket: number][] = [
    [0, 0],
    ...bounds.map((bound, index): [number, number] => [bound, index]),
    [0.0011, 1],
    [59.9, bounds.length - 1],
    [60.1, bounds.length],
    [86_400, bounds.length],
  ];
  for (const [seconds, bucket] of cases) {
    const { stats } = createStats();
    stats.begin();
    stats.end(200, seconds * 1_000);
    const { durationBuckets } = stats.takeSample();
    t.equal(durationBuckets.length, bounds.length + 1);
    t.equal(durationBuckets.indexOf(1), bucket, `${seconds} s`);
  }
});

t.test('a registry gives only the routes that changed', async (t) => {
  const registry = new StatsRegistry();
  const [one, , three] = ['1', '2', '3'].map((id) => new RouteStats(id, 'main', registry));
  three?.begin();
  one?.begin();
  one?.end(200, 1);
  t.same(
    registry.takeSamples().map(({ route }) => route),
    ['3', '1'],
  );
});
