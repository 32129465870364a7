/**
 * The gateway against itself with the counters of its balancers in Redis, under a lock taken for every request, as
 * many home-made gateways do it (`redis-lock/locked-cluster.ts`): two workers each, one hot cluster and a hundred.
 * Bursts in turn with pauses between them; only those that follow each other are compared, as the machine's speed
 * changes meanwhile.
 *
 *   node benchmarks/redis-lock.ts [rounds] [seconds a burst]
 */
import { startRedis } from '../test/helpers/redis-server.ts';
import { type Burst, Bursts } from './redis-lock/bursts.ts';
import { startGateways } from './redis-lock/gateways.ts';
import { countInFlight } from './redis-lock/redis-usage.ts';
import { percentile } from './support/figures.ts';
import { withScope } from './support/scope.ts';

interface Shape {
  readonly name: string;
  readonly clusters: number;
  /** By round: the gateway's, and right after it that of the lock in Redis. */
  readonly pairs: (readonly [gateway: Burst, locked: Burst])[];
}

const MANY = 100;
const WANTED_RATIO = 10;
const SHAPES: readonly Shape[] = [
  { name: 'one cluster', clusters: 1, pairs: [] },
  { name: `${MANY} clusters`, clusters: MANY, pairs: [] },
];
const rounds = Number(process.argv[2] ?? 5);
const seconds = Number(process.argv[3] ?? 2);

function medianOf<T>(all: readonly T[], figure: (one: T) => number): number {
  return percentile(all.map(figure), 50);
}

function formatRow(name: string, bursts: readonly Burst[]): string {
  const medians = [
    medianOf(bursts, (burst) => burst.requestsPerSecond),
    medianOf(bursts, (burst) => burst.p50Ms),
    medianOf(bursts, (burst) => burst.p99Ms),
    medianOf(bursts, (burst) => burst.cpuMicroseconds),
    medianOf(bursts, (burst) => burst.redisCpuMicroseconds),
    medianOf(bursts, (burst) => burst.redisCommands),
  ];
  const failed = bursts.reduce((sum, burst) => sum + burst.failed, 0);
  return `| ${[name, ...medians.map((median) => median.toFixed(0)), failed].join(' | ')} |`;
}

function formatShape({ name, pairs }: Shape): string {
  const gateway = pairs.map(([burst]) => burst);
  const locked = pairs.map(([, burst]) => burst);
  return [formatRow(`${name}: gateway`, gateway), formatRow(`${name}: lock in Redis`, locked)].join('\n');
}

function totalCpu({ cpuMicroseconds, redisCpuMicroseconds }: Burst): number {
  return cpuMicroseconds + redisCpuMicroseconds;
}

function formatRatio({ name, pairs }: Shape): string {
  const ratios = pairs.map(([gateway, locked]) => gateway.requestsPerSecond / locked.requestsPerSecond);
  const ratio = percentile(ratios, 50);
  const range = `${Math.min(...ratios).toFixed(1)} to ${Math.max(...ratios).toFixed(1)}`;
  const mark = ratio < WANTED_RATIO ? ' **missed**' : '';
  const cpu = medianOf(pairs, ([gateway, locked]) => totalCpu(locked) / totalCpu(gateway));
  return `| ${name} | ${ratio.toFixed(1)} (${range})${mark} | ≥ ${WANTED_RATIO} | ${cpu.toFixed(1)} |`;
}

await withScope(async (scope) => {
  const redis = await startRedis(scope);
  const { gateway, locked } = await startGateways(scope, redis.port, MANY);
  const bursts = new Bursts(redis, seconds);
  // Round 0 warms up.
  for (let round = 0; round <= rounds; round += 1) {
    for (const { clusters, pairs } of SHAPES) {
      const pair = [await bursts.run(gateway, clusters), await bursts.run(locked, clusters)] as const;
      if (pair[1].redisCommands < 1) throw new Error('the gateway with the lock never asked Redis');
      if (round > 0) pairs.push(pair);
    }
  }
  console.log(`| | requests a second | p50 ms | p99 ms | CPU a request, µs | … of Redis | commands of Redis | failed |
|-|-|-|-|-|-|-|-|
${SHAPES.map(formatShape).join('\n')}

| | gateway / lock, requests a second: median (range) | wanted | lock / gateway, CPU a request, Redis included |
|-|-|-|-|
${SHAPES.map(formatRatio).join('\n')}

requests still counted as under way in Redis: ${await countInFlight(redis)}`);
});
