/** What /metrics shows: the workers' counts merged, and the state of this instance, as the primary knows it. */
import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';
import { METRICS, type MetricDefinition } from '../core/metrics/catalogue.ts';
import { DURATION_BUCKETS_SECONDS } from '../core/metrics/route-stats.ts';
import { type RouteTotal, RouteTotals } from '../core/metrics/route-totals.ts';
import type { WorkerSample } from '../ipc/protocol.ts';
import type { CertificateExpiry } from './materials/certificate-watch.ts';
import type { MaterialCounts } from './materials/material-keeper.ts';
import { RequestRate } from './request-rate.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** A worker that does not answer in time is shown as it was. */
const COLLECT_LIMIT_MS = 1_000;
/** Workers are asked this often without a scrape, so that one that is killed loses little. */
const COLLECT_INTERVAL_MS = 5_000;

/** What the hub asks of the rest of the primary when it is scraped. */
export interface MetricsSource {
  workers(): readonly WorkerHandle[];
  isConfigured(route: string, cluster: string): boolean;
  configurationRevision(): number;
  isRefused(): boolean;
  droppedConnections(): number;
  refusedConnections(): number;
  isDegraded(): boolean;
  storeCondition(): { readonly reachable: boolean; readonly problem: string | null };
  isLastGoodUnsaved(): boolean;
  unhealthyDestinations(): number;
  materialCounts(): MaterialCounts;
  certificateExpiries(): Iterable<CertificateExpiry>;
}

type Labels = Record<string, string | number>;
interface Sample {
  readonly value: number;
  readonly labels: Labels;
  readonly metricName?: string;
}

export class MetricsHub {
  readonly #source: MetricsSource;
  readonly #registry = new Registry();
  readonly #totals = new RouteTotals();
  readonly #workerSamples = new Map<WorkerHandle, WorkerSample>();
  readonly #restarts = new Map<string, number>();
  readonly #changes = new Map<string, number>();
  readonly #handshakes = new Map<string, number>();
  readonly #waiting = new Map<number, () => void>();
  readonly #timer: NodeJS.Timeout;
  readonly #rate = new RequestRate();
  #lastCollection = 0;
  #stepBacks = 0;

  constructor(source: MetricsSource) {
    this.#source = source;
    collectDefaultMetrics({ register: this.#registry, prefix: 'gateway_primary_' });
    this.#registerAll();
    this.#timer = setInterval(() => void this.#collect(), COLLECT_INTERVAL_MS);
    this.#timer.unref();
  }

  onSample(worker: WorkerHandle, collection: number, sample: WorkerSample): void {
    for (const route of sample.routes) {
      this.#totals.add(worker.id, route);
      this.#rate.add(sum(route.statuses.map(([, count]) => count)));
    }
    for (const [result, count] of sample.handshakes) addTo(this.#handshakes, result, count);
    // What a worker sent last may be read after its exit: it counts, but nothing is in flight there any more.
    if (worker.state === 'gone') this.#totals.forgetWorker(worker.id);
    else this.#workerSamples.set(worker, sample);
    this.#waiting.get(collection)?.();
  }

  onWorkerGone(worker: WorkerHandle): void {
    this.#workerSamples.delete(worker);
    this.#totals.forgetWorker(worker.id);
  }

  countRestart(reason: string): void {
    addTo(this.#restarts, reason, 1);
  }

  countChange(result: 'applied' | 'refused'): void {
    addTo(this.#changes, result, 1);
  }

  countStepBack(): void {
    this.#stepBacks += 1;
  }

  /** Requests a second over the last samples, rounded to a tenth. */
  get requestsPerSecond(): number {
    return this.#rate.perSecond;
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The exposition text, with what the workers counted up to now. */
  async render(): Promise<string> {
    await this.#collect();
    return this.#registry.metrics();
  }

  /** Asks every worker for a sample and waits for the answers, but not long. */
  async #collect(): Promise<void> {
    const workers = this.#source.workers().filter(({ state }) => state === 'serving' || state === 'draining');
    await Promise.all(workers.map((worker) => this.#collectFrom(worker)));
    this.#rate.mark(performance.now());
    this.#totals.prune((route, cluster) => this.#source.isConfigured(route, cluster));
  }

  #collectFrom(worker: WorkerHandle): Promise<void> {
    this.#lastCollection += 1;
    const collection = this.#lastCollection;
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(limit);
        this.#waiting.delete(collection);
        resolve();
      };
      const limit = setTimeout(done, COLLECT_LIMIT_MS);
      this.#waiting.set(collection, done);
      worker.send({ type: 'collect', collection });
    });
  }

  #registerAll(): void {
    this.#register(METRICS.requests, () =>
      this.#perRoute((total, labels) =>
        [...total.statuses].map(([status, value]) => sample(value, { ...labels, status })),
      ),
    );
    this.#register(METRICS.requestDuration, () => this.#perRoute(histogramSamples));
    this.#register(METRICS.requestsInFlight, () =>
      this.#perRoute((total, labels) => [sample(sum(total.inFlight.values()), labels)]),
    );
    this.#register(METRICS.upstreamErrors, () =>
      this.#perRoute((total, labels) =>
        [...total.upstreamErrors].map(([code, value]) => sample(value, { ...labels, code })),
      ),
    );
    this.#register(METRICS.retries, () =>
      this.#perRoute((total, labels) => (total.retries === 0 ? [] : [sample(total.retries, labels)])),
    );
    this.#register(METRICS.rateLimited, () =>
      this.#perRoute((total, labels) => (total.rateLimited === 0 ? [] : [sample(total.rateLimited, labels)])),
    );
    this.#register(METRICS.workers, () => this.#workersByState());
    this.#register(METRICS.workerRestarts, () =>
      [...this.#restarts].map(([reason, value]) => sample(value, { reason })),
    );
    this.#register(METRICS.workerRevision, () =>
      this.#source
        .workers()
        .filter((worker) => worker.channel.applied !== null)
        .map((worker) => sample(worker.channel.applied?.revision ?? 0, { worker: worker.id })),
    );
    this.#registerWorkerGauges();
    this.#register(METRICS.tlsHandshakes, () =>
      [...this.#handshakes].map(([result, value]) => sample(value, { result })),
    );
    this.#register(METRICS.connectionsRefused, () => [sample(this.#source.refusedConnections(), {})]);
    this.#register(METRICS.connectionsDropped, () => [sample(this.#source.droppedConnections(), {})]);
    this.#register(METRICS.configurationRevision, () => [sample(this.#source.configurationRevision(), {})]);
    this.#register(METRICS.configurationChanges, () =>
      [...this.#changes].map(([result, value]) => sample(value, { result })),
    );
    this.#registerConditions();
  }

  #registerConditions(): void {
    const source = this.#source;
    this.#register(METRICS.configurationRefused, () => [flag(source.isRefused())]);
    this.#register(METRICS.configurationDegraded, () => [flag(source.isDegraded())]);
    this.#register(METRICS.configurationStepBacks, () => [sample(this.#stepBacks, {})]);
    this.#register(METRICS.storeReachable, () => [flag(source.storeCondition().reachable)]);
    this.#register(METRICS.storeProblem, () => [flag(source.storeCondition().problem !== null)]);
    this.#register(METRICS.lastGoodUnsaved, () => [flag(source.isLastGoodUnsaved())]);
    this.#register(METRICS.materials, () =>
      Object.entries(source.materialCounts()).map(([state, value]) => sample(value, { state })),
    );
    this.#register(METRICS.certificateExpiry, () =>
      Array.from(source.certificateExpiries(), ({ kind, id, expiresAtMs }) =>
        sample(expiresAtMs / 1_000, { kind, id }),
      ),
    );
    this.#register(METRICS.destinationsUnhealthy, () => [sample(source.unhealthyDestinations(), {})]);
  }

  #registerWorkerGauges(): void {
    this.#register(METRICS.workerConnections, () =>
      this.#perWorker((taken, labels) => [sample(taken.connections, labels)]),
    );
    this.#register(METRICS.workerWebSockets, () =>
      this.#perWorker((taken, labels) => [sample(taken.webSockets, labels)]),
    );
    this.#register(METRICS.workerResident, () =>
      this.#perWorker((taken, labels) => [sample(taken.residentBytes, labels)]),
    );
    this.#register(METRICS.workerCpu, () =>
      this.#perWorker((taken, labels) => [sample(taken.cpuSeconds, labels)]),
    );
    this.#register(METRICS.workerLag, () =>
      this.#perWorker((taken, labels) =>
        Object.entries(taken.eventLoopLagSeconds).map(([statistic, value]) =>
          sample(value, { ...labels, statistic }),
        ),
      ),
    );
  }

  /** prom-client renders whatever has a name and answers `get`; its own classes cannot hold merged histograms. */
  #register(definition: MetricDefinition, read: () => Sample[]): void {
    const { name, help, type } = definition;
    const metric = { name, help, type, get: () => ({ name, help, type, values: read(), aggregator: 'sum' }) };
    this.#registry.registerMetric(metric as unknown as Metric);
  }

  #perRoute(read: (total: RouteTotal, labels: Labels) => Sample[]): Sample[] {
    return [...this.#totals.values()].flatMap((total) =>
      read(total, { route: total.route, cluster: total.cluster }),
    );
  }

  #perWorker(read: (taken: WorkerSample, labels: Labels) => Sample[]): Sample[] {
    return [...this.#workerSamples].flatMap(([worker, taken]) => read(taken, { worker: worker.id }));
  }

  #workersByState(): Sample[] {
    const states = new Map<string, number>([['serving', 0]]);
    for (const { state } of this.#source.workers()) states.set(state, (states.get(state) ?? 0) + 1);
    return [...states].map(([state, value]) => sample(value, { state }));
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

function sample(value: number, labels: Labels): Sample {
  return { value, labels };
}

function flag(value: boolean): Sample {
  return sample(value ? 1 : 0, {});
}

function addTo(counts: Map<string, number>, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function histogramSamples(total: RouteTotal, labels: Labels): Sample[] {
  const { name } = METRICS.requestDuration;
  const samples: Sample[] = [];
  let count = 0;
  total.durationBuckets.forEach((bucket, index) => {
    count += bucket;
    const bound = DURATION_BUCKETS_SECONDS[index];
    samples.push({ value: count, labels: { ...labels, le: bound ?? '+Inf' }, metricName: `${name}_bucket` });
  });
  samples.push({ value: total.durationSumSeconds, labels, metricName: `${name}_sum` });
  samples.push({ value: count, labels, metricName: `${name}_count` });
  return samples;
}
