import { DURATION_BUCKETS_SECONDS, type RouteSample } from './route-stats.ts';

/** What all workers counted for one route and cluster since the gateway started. */
export interface RouteTotal {
  readonly route: string;
  readonly cluster: string;
  readonly statuses: Map<number, number>;
  /** One count a bucket, not cumulative; one more for those above all bounds. */
  readonly durationBuckets: number[];
  durationSumSeconds: number;
  readonly upstreamErrors: Map<string, number>;
  retries: number;
  rateLimited: number;
  /** Requests in flight, by worker. */
  readonly inFlight: Map<number, number>;
}

/**
 * Merges the samples of the workers. Counters live here, so they never run backwards when a worker dies.
 * Bounded: of routes that are gone only so many are remembered, the oldest are forgotten first.
 */
export class RouteTotals {
  readonly #totals = new Map<string, RouteTotal>();
  readonly #maxIdle: number;

  /** @param maxIdle how many totals without a configured route are kept */
  constructor(maxIdle = 1_000) {
    this.#maxIdle = maxIdle;
  }

  add(worker: number, sample: RouteSample): void {
    const total = this.#totalOf(sample.route, sample.cluster);
    for (const [status, count] of sample.statuses) addTo(total.statuses, status, count);
    sample.durationBuckets.forEach((count, index) => {
      total.durationBuckets[index]! += count;
    });
    total.durationSumSeconds += sample.durationSumSeconds;
    for (const [code, count] of sample.upstreamErrors) addTo(total.upstreamErrors, code, count);
    total.retries += sample.retries;
    total.rateLimited += sample.rateLimited;
    const inFlight = (total.inFlight.get(worker) ?? 0) + sample.inFlightChange;
    if (inFlight === 0) total.inFlight.delete(worker);
    else total.inFlight.set(worker, inFlight);
  }

  /** The worker is gone, and with it what it had in flight. */
  forgetWorker(worker: number): void {
    for (const total of this.#totals.values()) total.inFlight.delete(worker);
  }

  /** Drops the totals of routes that do not lead to that cluster any more, beyond what is kept. */
  prune(isConfigured: (route: string, cluster: string) => boolean): void {
    const gone = [...this.#totals].filter(
      ([, { route, cluster, inFlight }]) =>
        route !== '' && inFlight.size === 0 && !isConfigured(route, cluster),
    );
    for (const [key] of gone.slice(0, Math.max(0, gone.length - this.#maxIdle))) this.#totals.delete(key);
  }

  values(): Iterable<RouteTotal> {
    return this.#totals.values();
  }

  get size(): number {
    return this.#totals.size;
  }

  #totalOf(route: string, cluster: string): RouteTotal {
    const key = `${route} ${cluster}`;
    let total = this.#totals.get(key);
    if (total === undefined) {
      total = {
        route,
        cluster,
        statuses: new Map(),
        durationBuckets: new Array<number>(DURATION_BUCKETS_SECONDS.length + 1).fill(0),
        durationSumSeconds: 0,
        upstreamErrors: new Map(),
        retries: 0,
        rateLimited: 0,
        inFlight: new Map(),
      };
      this.#totals.set(key, total);
    }
    return total;
  }
}

function addTo<Key>(counts: Map<Key, number>, key: Key, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}
