/** The share of the newest sample: a pause of a moment is forgotten in half a second, a real overload is seen in one. */
const NEWEST_SHARE = 0.2;

/** How far an event loop lags behind, smoothed over about the last second (exponentially weighted). */
export class LagAverage {
  readonly #intervalMs: number;
  #averageMs = 0;
  #lastMs: number;

  /** @param intervalMs how often `note` is called when nothing lags */
  constructor(intervalMs: number, nowMs: number) {
    this.#intervalMs = intervalMs;
    this.#lastMs = nowMs;
  }

  get ms(): number {
    return this.#averageMs;
  }

  note(nowMs: number): void {
    const lagMs = Math.max(0, nowMs - this.#lastMs - this.#intervalMs);
    this.#lastMs = nowMs;
    this.#averageMs += NEWEST_SHARE * (lagMs - this.#averageMs);
  }
}
