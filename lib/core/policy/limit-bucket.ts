import { type BucketRule, TokenBucket } from './token-bucket.ts';

/** Who had a request within this time is not taken for idle. */
const LATELY_MS = 2_000;
/** From this many tokens by default on, one is left to a worker that has no requests of the key. */
const SPARED_FROM = 2;
/** From here on others should hear that there is demand. */
const NEAR_LEVEL = 0.5;

/** The bucket of one key in a worker's table, with what the exchange between workers needs to know of it. */
export class LimitBucket extends TokenBucket {
  /** Empty where the exchange told of the key, and no request has come for it yet. */
  key: string;
  /** Of the key, as the exchange names it. */
  hash: number;
  /** Whether its share was told by the exchange; else it is the default one. */
  isTold = false;
  /** Whether it is on the list of those to report. */
  isListed = false;
  #requests = 0;
  #round = 0;
  #requestedAtMs = Number.NEGATIVE_INFINITY;

  constructor(key: string, hash: number, rule: BucketRule, share: number, nowMs: number) {
    super(rule, share, nowMs);
    this.key = key;
    this.hash = hash;
  }

  /** Whether it says no more than its absence would: to be asked after a refill. */
  get isForgettable(): boolean {
    return !this.isTold && this.level >= 1;
  }

  /** Whether a request came at this very moment. */
  isInUse(nowMs: number): boolean {
    return this.#requestedAtMs === nowMs;
  }

  /** A request looks at it. */
  use(nowMs: number): void {
    this.refill(nowMs);
    this.#requestedAtMs = nowMs;
  }

  /** Counts a request, be it let through or not, for the report of this round. */
  countRequest(round: number): void {
    if (this.#round !== round) this.#requests = 0;
    this.#round = round;
    this.#requests += 1;
  }

  /** Requests of the round in which the last one came. */
  get requests(): number {
    return this.#requests;
  }

  /** Whether others should hear of its demand: near its limit, or its share is not the usual one. */
  get isPressed(): boolean {
    return this.isTold || this.level < NEAR_LEVEL;
  }

  /** Takes a share that the exchange tells. @returns the tokens that had to go, for others to have */
  takeToldShare(share: number, defaultShare: number, nowMs: number): number {
    const isIdle = nowMs - this.#requestedAtMs > LATELY_MS;
    const spared = this.rule.burst * defaultShare >= SPARED_FROM ? 1 : 0;
    const kept = isIdle ? Math.max(spared, this.rule.burst * share) : Number.POSITIVE_INFINITY;
    this.isTold = true;
    return this.changeShare(share, kept, nowMs);
  }

  /** Takes the default share. @returns as `takeToldShare` */
  takeDefaultShare(defaultShare: number, nowMs: number): number {
    this.isTold = false;
    return this.changeShare(defaultShare, Number.POSITIVE_INFINITY, nowMs);
  }
}
