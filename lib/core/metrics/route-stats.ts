/**
 * The counters of one route in one worker. Workers count plainly and hand what they counted to the
 * primary as differences: a worker that dies loses the last moments, never its past.
 */

/** Upper bounds of the duration buckets, in seconds. */
export const DURATION_BUCKETS_SECONDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

/** What a route counted since the last sample. */
export interface RouteSample {
  readonly route: string;
  readonly cluster: string;
  /** Status code to number of requests. */
  readonly statuses: readonly (readonly [status: number, count: number])[];
  /** One count a bucket, not cumulative; one more for those above all bounds. */
  readonly durationBuckets: readonly number[];
  readonly durationSumSeconds: number;
  /** Error code to number of failed attempts. */
  readonly upstreamErrors: readonly (readonly [code: string, count: number])[];
  readonly retries: number;
  /** Requests that the rate limits of the route refused. */
  readonly rateLimited: number;
  /** By how much the requests under way became more, or fewer. */
  readonly inFlightChange: number;
}

/** Collects the stats that changed, so that a sample costs what happened, not what is configured. */
export class StatsRegistry {
  #changed: RouteStats[] = [];

  noteChanged(stats: RouteStats): void {
    this.#changed.push(stats);
  }

  /** What was counted since the last call, a sample a route. */
  takeSamples(): RouteSample[] {
    const changed = this.#changed;
    this.#changed = [];
    return changed.map((stats) => stats.takeSample());
  }
}

export class RouteStats {
  readonly route: string;
  readonly cluster: string;
  readonly #registry: StatsRegistry;
  #statuses: Map<number, number> | null = null;
  #durationBuckets: number[] | null = null;
  #durationSumSeconds = 0;
  #upstreamErrors: Map<string, number> | null = null;
  #retries = 0;
  #rateLimited = 0;
  #inFlight = 0;
  #sampledInFlight = 0;
  #changed = false;

  constructor(route: string, cluster: string, registry: StatsRegistry) {
    this.route = route;
    this.cluster = cluster;
    this.#registry = registry;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  begin(): void {
    this.#inFlight += 1;
    this.#noteChange();
  }

  end(status: number, durationMs: number): void {
    this.#inFlight -= 1;
    this.#noteChange();
    this.#statuses ??= new Map();
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    const seconds = durationMs / 1000;
    this.#durationBuckets ??= new Array<number>(DURATION_BUCKETS_SECONDS.length + 1).fill(0);
    this.#durationBuckets[bucketOf(seconds)]! += 1;
    this.#durationSumSeconds += seconds;
  }

  countUpstreamError(code: string): void {
    this.#upstreamErrors ??= new Map();
    this.#upstreamErrors.set(code, (this.#upstreamErrors.get(code) ?? 0) + 1);
    this.#noteChange();
  }

  countRateLimited(): void {
    this.#rateLimited += 1;
    this.#noteChange();
  }

  countRetry(): void {
    this.#retries += 1;
    this.#noteChange();
  }

  #noteChange(): void {
    if (this.#changed) return;
    this.#changed = true;
    this.#registry.noteChanged(this);
  }

  /** What was counted since the last call. */
  takeSample(): RouteSample {
    const sample: RouteSample = {
      route: this.route,
      cluster: this.cluster,
      statuses: this.#statuses === null ? [] : [...this.#statuses],
      durationBuckets: this.#durationBuckets ?? [],
      durationSumSeconds: this.#durationSumSeconds,
      upstreamErrors: this.#upstreamErrors === null ? [] : [...this.#upstreamErrors],
      retries: this.#retries,
      rateLimited: this.#rateLimited,
      inFlightChange: this.#inFlight - this.#sampledInFlight,
    };
    this.#sampledInFlight = this.#inFlight;
    this.#statuses = null;
    this.#durationBuckets = null;
    this.#durationSumSeconds = 0;
    this.#upstreamErrors = null;
    this.#retries = 0;
    this.#rateLimited = 0;
    this.#changed = false;
    return sample;
  }
}

function bucketOf(seconds: number): number {
  let index = 0;
  while (index < DURATION_BUCKETS_SECONDS.length && seconds > DURATION_BUCKETS_SECONDS[index]!) index += 1;
  return index;
}
