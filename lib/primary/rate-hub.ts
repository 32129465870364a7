import { randomInt } from 'node:crypto';
import { RATE_REPORT_INTERVAL_MS, type RateDemand } from '../core/policy/rate-demand.ts';
import { RateLedger } from '../core/policy/rate-ledger.ts';
import type { ToWorker } from '../ipc/protocol.ts';
import type { RateExchange } from '../store/shared-state.ts';

/** Reports that come this close together are answered together. */
const SETTLE_INTERVAL_MS = 100;
/** An instance that is not heard of for so long is gone: as long as its record lives. */
const INSTANCE_LIFETIME_MS = 7_000;
/** More instances than this are not counted. */
const MAX_INSTANCES = 1_000;
const SALT_RANGE = 2 ** 32;

/** A worker, as far as this is concerned. */
export interface RateTaker {
  readonly id: number;
  readonly state: string;
  send(message: ToWorker): void;
}

export interface RateHubOptions {
  /** The name of this instance. */
  readonly instance: string;
  /** How many workers it has. */
  readonly workers: number;
}

/** What the hub asks of the rest of the primary. */
export interface RateHubLinks {
  workers(): readonly RateTaker[];
  /** Whether other instances can be heard now. */
  hearsOthers(): boolean;
}

/**
 * Divides the rate limits: tells each worker its part, by default an equal one, and more or less of a limit that is
 * pressed, by the demand of each. No request waits for that.
 */
export class RateHub {
  readonly #options: RateHubOptions;
  readonly #exchange: RateExchange | null;
  readonly #links: RateHubLinks;
  readonly #ledger = new RateLedger(randomInt(SALT_RANGE));
  /** When each of the other instances was last heard of. */
  readonly #instances = new Map<string, number>();
  #timers: readonly NodeJS.Timeout[] = [];

  /** @param exchange null where nothing is shared: this instance is alone */
  constructor(options: RateHubOptions, exchange: RateExchange | null, links: RateHubLinks) {
    this.#options = options;
    this.#exchange = exchange;
    this.#links = links;
  }

  start(): void {
    this.#exchange?.watch((instance, demands) => this.#hear(instance, demands));
    const timers = [setInterval(() => this.#settle(), SETTLE_INTERVAL_MS)];
    if (this.#exchange !== null) timers.push(setInterval(() => this.#tell(), RATE_REPORT_INTERVAL_MS));
    for (const timer of timers) timer.unref();
    this.#timers = timers;
  }

  /** Which part of each limit a worker has while nobody says otherwise: other instances may have more or fewer workers. */
  get defaultShare(): number {
    return 1 / (this.#options.workers * (1 + this.#instances.size));
  }

  /** A worker has started. */
  greet(worker: RateTaker): void {
    worker.send({ type: 'rateShares', defaultShare: this.defaultShare, shares: [] });
  }

  onDemands(worker: RateTaker, demands: readonly RateDemand[]): void {
    this.#ledger.noteWorker(worker.id, demands, performance.now());
  }

  onWorkerGone(worker: RateTaker): void {
    this.#ledger.forgetWorker(worker.id);
  }

  /** Another instance is there. */
  noteInstance(instance: string): void {
    if (instance === this.#options.instance) return;
    const isNew = !this.#instances.has(instance);
    if (isNew && this.#instances.size >= MAX_INSTANCES) return;
    this.#instances.set(instance, performance.now());
    if (isNew) this.#greetAll();
  }

  #hear(instance: string, demands: readonly RateDemand[]): void {
    if (instance === this.#options.instance) return;
    this.noteInstance(instance);
    this.#ledger.noteInstance(instance, demands, performance.now());
  }

  #settle(): void {
    if (this.#ledger.size === 0) return;
    const takers = this.#takers();
    const members = {
      workers: takers.map(({ id }) => id),
      instances: 1 + this.#instances.size,
      hearsOthers: this.#links.hearsOthers(),
      defaultShare: this.defaultShare,
    };
    const told = this.#ledger.settle(members, performance.now());
    for (const [index, worker] of takers.entries()) {
      const shares = told[index]!;
      if (shares.length > 0) worker.send({ type: 'rateShares', defaultShare: members.defaultShare, shares });
    }
  }

  /** Tells the other instances what is pressed here. */
  #tell(): void {
    this.#forgetInstances();
    if (this.#ledger.size === 0 || this.#instances.size === 0) return;
    const demands = this.#ledger.takeDemands();
    if (demands.length > 0) this.#exchange?.publish(this.#options.instance, demands);
  }

  #forgetInstances(): void {
    const nowMs = performance.now();
    const before = this.#instances.size;
    const hearsOthers = this.#links.hearsOthers();
    for (const [instance, heardAtMs] of this.#instances) {
      // They are most likely there all the same: nobody takes over their part.
      if (!hearsOthers) this.#instances.set(instance, nowMs);
      else if (nowMs - heardAtMs > INSTANCE_LIFETIME_MS) this.#instances.delete(instance);
    }
    if (this.#instances.size < before) this.#greetAll();
  }

  #greetAll(): void {
    for (const worker of this.#links.workers()) if (worker.state !== 'starting') this.greet(worker);
  }

  #takers(): readonly RateTaker[] {
    return this.#links.workers().filter(({ state }) => state === 'serving' || state === 'draining');
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }
}
