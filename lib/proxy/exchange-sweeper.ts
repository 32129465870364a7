/** Something that waits and must not wait for ever. */
export interface Sweepable {
  /** Its place among those that are swept; the sweeper's own, -1 at first. */
  sweepIndex: number;
  /** Ends what has taken too long. @param nowMs monotonic */
  checkLimits(nowMs: number): void;
}

/** How often the limits are looked at: time limits are exact to this. */
const SWEEP_INTERVAL_MS = 250;

/**
 * One timer for all exchanges of a worker instead of several timers for each. They stand in an array, not in a Set: a
 * Set moves to a new table now and then, and an old table that has grown old itself keeps alive, until the next full
 * garbage collection, all that came after it.
 */
export class ExchangeSweeper {
  readonly #active: Sweepable[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS);
    this.#timer.unref();
  }

  get size(): number {
    return this.#active.length;
  }

  add(exchange: Sweepable): void {
    exchange.sweepIndex = this.#active.length;
    this.#active.push(exchange);
  }

  /** Harmless where it is not among them. */
  delete(exchange: Sweepable): void {
    const index = exchange.sweepIndex;
    if (index === -1) return;
    exchange.sweepIndex = -1;
    // The last takes its place.
    const last = this.#active.pop()!;
    if (last === exchange) return;
    this.#active[index] = last;
    last.sweepIndex = index;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sweep(): void {
    const nowMs = performance.now();
    // A copy: what is ended leaves meanwhile, and may take others with it.
    for (const exchange of [...this.#active]) {
      if (exchange.sweepIndex !== -1) exchange.checkLimits(nowMs);
    }
  }
}
