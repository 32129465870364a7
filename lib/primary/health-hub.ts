import type { Logger } from 'pino';
import { HealthBoard } from '../core/health/health-board.ts';
import type { DestinationHealth, HealthReport } from '../core/health/health-report.ts';
import type { HealthDirectory } from '../store/shared-state.ts';

/** What is shared is read again so often: a message may have been lost. */
const READ_INTERVAL_MS = 10_000;
const EXPIRY_CHECK_INTERVAL_MS = 1_000;

/** What the console said of destinations, brought to the workers; it is shared where the store is. */
export class HealthHub {
  readonly #directory: HealthDirectory | null;
  readonly #board = new HealthBoard();
  readonly #publish: (destinations: readonly DestinationHealth[]) => void;
  readonly #logger: Logger;
  #timers: readonly NodeJS.Timeout[] = [];

  /** @param directory null where the store is not shared */
  constructor(
    directory: HealthDirectory | null,
    publish: (destinations: readonly DestinationHealth[]) => void,
    logger: Logger,
  ) {
    this.#directory = directory;
    this.#publish = publish;
    this.#logger = logger;
  }

  start(): void {
    this.#directory?.watch((reports) => this.#take(reports));
    const timers = [setInterval(() => this.#take([]), EXPIRY_CHECK_INTERVAL_MS)];
    if (this.#directory !== null) timers.push(setInterval(() => void this.refresh(), READ_INTERVAL_MS));
    for (const timer of timers) timer.unref();
    this.#timers = timers;
    void this.refresh();
  }

  /** All that is known and has not expired. */
  all(): readonly HealthReport[] {
    return this.#board.all(performance.now());
  }

  /** What a new worker has to know. */
  unhealthy(): readonly DestinationHealth[] {
    return this.all().filter(({ healthy }) => !healthy);
  }

  /** @returns how many of the reports were news. @throws StoreUnavailableError */
  async report(reports: readonly HealthReport[]): Promise<number> {
    const stored = await this.#directory?.report(reports);
    const taken = this.#take(reports);
    return stored ?? taken;
  }

  /** Reads what is shared: after the connection to the store was lost, and from time to time. */
  async refresh(): Promise<void> {
    try {
      const reports = await this.#directory?.read();
      if (reports !== undefined) this.#take(reports);
    } catch {
      // The store says by itself that it is out of reach; what is known expires meanwhile.
    }
  }

  #take(reports: readonly HealthReport[]): number {
    const nowMs = performance.now();
    const taken = this.#board.report(reports, nowMs);
    this.#board.expire(nowMs);
    const changes = this.#board.takeChanges();
    if (changes.length > 0) {
      this.#logger.info({ destinations: changes.slice(0, 20), count: changes.length }, 'health changed');
      this.#publish(changes);
    }
    return taken.length;
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }
}
