/** Something that waits and must not wait for ever. */
export interface Sweepable {
  /** Ends what has taken too long. @param nowMs monotonic */
  checkLimits(nowMs: number): void;
}

/** How often the limits are looked at: time limits are exact to this. */
const SWEEP_INTERVAL_MS = 250;

/** One timer for all exchanges of a worker instead of several timers for each. */
export class ExchangeSweeper {
  readonly #active = new Set<Sweepable>();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS);
    this.#timer.unref();
  }

  get size(): number {
    return this.#active.size;
  }

  add(exchange: Sweepable): void {
    this.#active.add(exchange);
  }

  delete(exchange: Sweepable): void {
    this.#active.delete(exchange);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sweep(): void {
    const nowMs = performance.now();
    for (const exchange of this.#active) exchange.checkLimits(nowMs);
  }
}
