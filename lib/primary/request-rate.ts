/** Shorter spans say little: a scrape right after another must not make the rate jump. */
const MIN_SPAN_MS = 1_000;

/** How many requests a second were answered between the last two marks. */
export class RequestRate {
  #count = 0;
  #markedAtMs = performance.now();
  #perSecond = 0;

  add(count: number): void {
    this.#count += count;
  }

  /** Ends a span, if it was long enough to tell a rate. */
  mark(nowMs: number): void {
    const spanMs = nowMs - this.#markedAtMs;
    if (spanMs < MIN_SPAN_MS) return;
    this.#perSecond = Math.round((10_000 * this.#count) / spanMs) / 10;
    this.#count = 0;
    this.#markedAtMs = nowMs;
  }

  get perSecond(): number {
    return this.#perSecond;
  }
}
