/** Changes at a steady rate, whether or not the ones before have arrived, under traffic. */

import type { Head, Operation } from '../../lib/core/config/change.ts';
import type { RedisStore } from '../../lib/store/redis/redis-store.ts';
import { bounded, check, type Figure, figure, percentile, spread } from './figures.ts';
import { consoleChange, fingerprintsOf, GatewayFleet, revisionsOf } from './gateway-fleet.ts';
import { ManyRoutes } from './many-routes.ts';
import { loadFigures, startLoad } from './paced-load.ts';
import { cpuMeter } from './process-usage.ts';
import { ROUTES_A_CLUSTER, type Sizes, sleep } from './propagation-sizes.ts';
import type { Scope } from './scope.ts';
import { wallMs } from './stalls.ts';

const REQUESTS_PER_SECOND = 400;
/** Half of the requests go to routes that change, again and again, half to others. */
const ROUTES_IN_USE = 200;
const TARGET_P99_MS = 50;
const SETTLE_MS = 1_000;

export async function measureChurn(scope: Scope, sizes: Sizes): Promise<Figure[]> {
  const { routes, churnSeconds, changesPerSecond } = sizes;
  const fleet = await GatewayFleet.create(scope);
  const store = await fleet.openStore();
  const config = new ManyRoutes(Math.ceil(routes / ROUTES_A_CLUSTER), fleet.originPort);
  await store.publish(consoleChange(config.operations(routes)));
  await fleet.startAll();
  const changing = Array.from({ length: ROUTES_IN_USE / 2 }, (_, index) => index);
  const others = changing.map((index) => Math.floor(routes / 2) + index);
  const load = startLoad(scope, {
    ports: fleet.ports,
    routes: [...changing, ...others],
    requestsPerSecond: REQUESTS_PER_SECOND,
  });
  await sleep(SETTLE_MS);

  const nextChange = (turn: number): Operation => {
    // A cluster's weight now and then, so that balancers change under the requests too.
    if (turn % 10 === 0) return config.putCluster((turn / 10) % ROUTES_IN_USE, 1 + (turn % 7));
    return config.putRoute(changing[turn % changing.length]!, turn + 1);
  };
  await load.take();
  const sinceMs = wallMs();
  const workerPids = await fleet.workerPids();
  const primaryCpu = cpuMeter(fleet.primaryPids);
  const workerCpu = cpuMeter(workerPids);
  const { starts, writtenMs, failures } = await publishSteadily(
    store,
    nextChange,
    changesPerSecond,
    churnSeconds,
  );
  const newest = Math.max(...starts.keys());
  await fleet.watch.waitForAll(newest);
  const seconds = (wallMs() - sinceMs) / 1_000;
  const primaryPercents = primaryCpu().map((used) => ((100 * used) / seconds).toFixed(0));
  const workerPercents = workerCpu().map((used) => ((100 * used) / seconds).toFixed(0));
  const count = await load.take();

  const times = [...starts].map(([revision, startMs]) => fleet.watch.timeOfAll(revision) - startMs);
  const statuses = await fleet.statuses();
  const workers = fleet.longestStall(workerPids, sinceMs);
  const primaries = fleet.longestStall(fleet.primaryPids, sinceMs);
  return [
    figure('changes; a second', `${starts.size}; ${(starts.size / seconds).toFixed(0)}`),
    bounded('ms until all workers serve one, p99', percentile(times, 99), TARGET_P99_MS),
    figure('the same, p50 / p99 / max', spread(times)),
    figure('of that until Redis has it, p50 / p99 / max', spread(writtenMs)),
    figure(
      'until both primaries have it',
      spread([...starts].map(([revision, startMs]) => fleet.watch.timeTaken(revision) - startMs)),
    ),
    ...loadFigures(count, 'meanwhile'),
    figure('CPU of each primary, % of a core', primaryPercents.join(', ')),
    figure('CPU of each worker, % of a core', workerPercents.join(', ')),
    figure('longest stall of a worker, ms (ms of its own work)', `${workers.ms} (${workers.cpuMs})`),
    figure('longest stall of a primary', `${primaries.ms} (${primaries.cpuMs})`),
    check('changes that Redis did not take', [...new Set(failures)].join(', ') || 0, 0),
    check('reports out of order', fleet.watch.outOfOrder, 0),
    check('revision of all at the end', revisionsOf(statuses).join(', '), String(newest)),
    check('different fingerprints at the end', fingerprintsOf(statuses).length, 1),
  ];
}

interface PublishedChanges {
  /** When a change was handed in, by the revision that it became. */
  readonly starts: Map<number, number>;
  readonly writtenMs: readonly number[];
  readonly failures: readonly string[];
}

/** Publishes without waiting for the one before. */
async function publishSteadily(
  store: RedisStore,
  nextChange: (turn: number) => Operation,
  perSecond: number,
  seconds: number,
): Promise<PublishedChanges> {
  const starts = new Map<number, number>();
  const writtenMs: number[] = [];
  const failures: string[] = [];
  const published: Promise<void>[] = [];
  const beginMs = performance.now();
  for (let turn = 0; turn < perSecond * seconds; turn += 1) {
    const waitMs = beginMs + (1_000 * turn) / perSecond - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    const startMs = performance.now();
    const publish = store.publish(consoleChange([nextChange(turn)]));
    const note = ({ revision }: Head): void => {
      starts.set(revision, startMs);
      writtenMs.push(performance.now() - startMs);
    };
    published.push(publish.then(note, (error: Error) => void failures.push(error.message)));
  }
  await Promise.all(published);
  return { starts, writtenMs, failures };
}
