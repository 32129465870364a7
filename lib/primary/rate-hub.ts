import { randomInt } from 'node:crypto';
import { RATE_REPORT_INTERVAL_MS, type RateDemand } from '../core/policy/rate-demand.ts';
import { RateLedger } from '../core/policy/rate-ledger.ts';
import type { ToWorker } from '../ipc/protocol.ts';
import type { InstanceCountFile } from '../store/instance-count-file.ts';
import type { RateExchange } from '../store/shared-state.ts';
import { OtherInstances } from './other-instances.ts';
import { RateSecret } from './rate-secret.ts';

/** Reports that come this close together are answered together. */
const SETTLE_INTERVAL_MS = 100;
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

/** What instances share beside the configuration. */
export interface RateSharing {
  readonly exchange: RateExchange;
  readonly countFile: InstanceCountFile;
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
  readonly #others: OtherInstances;
  readonly #secret: RateSecret;
  #ledger = new RateLedger(randomInt(SALT_RANGE));
  #timers: readonly NodeJS.Timeout[] = [];

  /** @param sharing null where nothing is shared: this instance is alone */
  constructor(options: RateHubOptions, sharing: RateSharing | null, links: RateHubLinks) {
    this.#options = options;
    this.#exchange = sharing?.exchange ?? null;
    this.#links = links;
    const countFile = sharing?.countFile ?? null;
    this.#others = new OtherInstances(options.instance, countFile, () => this.#tellDefaultShare());
    this.#secret = new RateSecret(this.#exchange, () => this.#changeSecret());
  }

  async start(): Promise<void> {
    await this.#others.load();
    this.#secret.start();
    this.#exchange?.watch((instance, demands) => this.#hear(instance, demands));
    const timers = [setInterval(() => this.#settle(), SETTLE_INTERVAL_MS)];
    if (this.#exchange !== null) timers.push(setInterval(() => this.#tell(), RATE_REPORT_INTERVAL_MS));
    for (const timer of timers) timer.unref();
    this.#timers = timers;
  }

  /** Which part of each limit a worker has while nobody says otherwise: other instances may have more or fewer workers. */
  get defaultShare(): number {
    return 1 / (this.#options.workers * (1 + this.#others.count));
  }

  /** A worker begins to serve. */
  greet(worker: RateTaker): void {
    worker.send({ type: 'rateSecret', secret: this.#secret.value });
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
    this.#others.note(instance);
  }

  #hear(instance: string, demands: readonly RateDemand[]): void {
    if (instance === this.#options.instance) return;
    this.#others.note(instance);
    this.#ledger.noteInstance(instance, demands, performance.now());
  }

  #settle(): void {
    if (this.#ledger.size === 0) return;
    const takers = this.#takers();
    const members = {
      workers: takers.map(({ id }) => id),
      instances: 1 + this.#others.count,
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
    this.#others.forgetSilent(this.#links.hearsOthers());
    if (this.#ledger.size === 0 || this.#others.count === 0) return;
    const demands = this.#ledger.takeDemands();
    if (demands.length > 0) this.#exchange?.publish(this.#options.instance, demands);
  }

  #tellDefaultShare(): void {
    const { defaultShare } = this;
    for (const worker of this.#takers()) worker.send({ type: 'rateShares', defaultShare, shares: [] });
  }

  /** What is known of keys is known by names that nobody uses any more. */
  #changeSecret(): void {
    this.#ledger = new RateLedger(randomInt(SALT_RANGE));
    for (const worker of this.#takers()) this.greet(worker);
  }

  #takers(): readonly RateTaker[] {
    return this.#links.workers().filter(({ state }) => state === 'serving' || state === 'draining');
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#secret.close();
    await this.#others.close();
  }
}
