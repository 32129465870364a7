/** A rate limit as a token bucket, of the whole fleet. */
export interface BucketRule {
  /** So many tokens at most. */
  readonly burst: number;
  /** How fast they come back. */
  readonly tokensPerMs: number;
}

/** Many small refills may fall short of a whole token by rounding: that much is forgiven. */
const ROUNDING = 1e-9;

/**
 * One worker's part of a token bucket (Turner, "New Directions in Communications", 1986): a request takes a
 * token, tokens come back steadily, and what does not fit is lost. The part has `share` of the burst and of the
 * rate; but it always holds one token, or where the burst is small and the workers are many none of them would
 * ever let a request pass.
 */
export class TokenBucket {
  #rule: BucketRule;
  #share: number;
  #tokens: number;
  #atMs: number;

  /** Full. `nowMs` is here and everywhere of one clock that never goes back. */
  constructor(rule: BucketRule, share: number, nowMs: number) {
    this.#rule = rule;
    this.#share = share;
    this.#atMs = nowMs;
    this.#tokens = this.capacity;
  }

  get rule(): BucketRule {
    return this.#rule;
  }

  get share(): number {
    return this.#share;
  }

  /** As of the last refill. */
  get tokens(): number {
    return this.#tokens;
  }

  get capacity(): number {
    return Math.max(1, this.#rule.burst * this.#share);
  }

  get hasRoom(): boolean {
    return this.#tokens >= 1 - ROUNDING;
  }

  /** 0 for empty, 1 for full, as of the last refill. */
  get level(): number {
    return this.#tokens / this.capacity;
  }

  refill(nowMs: number): void {
    const elapsedMs = nowMs - this.#atMs;
    if (elapsedMs <= 0) return;
    this.#atMs = nowMs;
    const refilled = this.#tokens + elapsedMs * this.#rule.tokensPerMs * this.#share;
    this.#tokens = Math.min(this.capacity, refilled);
  }

  /** To be asked for only where there is room. */
  take(): void {
    this.#tokens = Math.max(0, this.#tokens - 1);
  }

  /** Adds tokens; what does not fit is lost. */
  add(tokens: number): void {
    this.#tokens = Math.min(this.capacity, this.#tokens + tokens);
  }

  /** Takes away what is more than so many tokens. */
  keepAtMost(tokens: number): void {
    this.#tokens = Math.min(this.#tokens, tokens);
  }

  /** Takes another rule. That refills nothing: an admin who changes a limit lets nobody off. */
  changeRule(rule: BucketRule, nowMs: number): void {
    this.refill(nowMs);
    this.#rule = rule;
    this.#tokens = Math.min(this.capacity, this.#tokens);
  }

  /**
   * Takes another share. That refills nothing either.
   * @param kept how many tokens may stay at most, no more than then fit
   * @returns the tokens that had to go
   */
  changeShare(share: number, kept: number, nowMs: number): number {
    this.refill(nowMs);
    this.#share = share;
    const surplus = Math.max(0, this.#tokens - Math.min(kept, this.capacity));
    this.#tokens -= surplus;
    return surplus;
  }
}
