import { LagAverage } from '../core/policy/lag-average.ts';

const CHECK_INTERVAL_MS = 100;

/** Watches the event loop of this worker, and says when it has more to do than it can. */
export class LoadShedder {
  readonly #lag = new LagAverage(CHECK_INTERVAL_MS, performance.now());
  readonly #maxLagMs: number;
  readonly #onChange: (overloaded: boolean, lagMs: number) => void;
  #overloaded = false;

  /**
   * @param maxLagMs from this lag on the worker counts as overloaded; 0: never
   * @param onChange called when that begins, and when the lag has fallen to half of it
   */
  constructor(maxLagMs: number, onChange: (overloaded: boolean, lagMs: number) => void) {
    this.#maxLagMs = maxLagMs;
    this.#onChange = onChange;
    if (maxLagMs > 0) setInterval(() => this.#check(), CHECK_INTERVAL_MS).unref();
  }

  #check(): void {
    this.#lag.note(performance.now());
    const limitMs = this.#overloaded ? this.#maxLagMs / 2 : this.#maxLagMs;
    const overloaded = this.#lag.ms >= limitMs;
    if (overloaded === this.#overloaded) return;
    this.#overloaded = overloaded;
    this.#onChange(overloaded, this.#lag.ms);
  }
}
