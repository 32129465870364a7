import { BucketRing } from './bucket-ring.ts';
import { LimitBucket } from './limit-bucket.ts';
import { LEAST_OFFER, MAX_REPORTED_KEYS, type RateDemand, type RateShare } from './rate-demand.ts';
import { type RateKeyHash, RateKeyMap } from './rate-key.ts';
import { demandThreshold } from './rate-shares.ts';
import type { BucketRule } from './token-bucket.ts';

const MAX_BUCKETS = 65_536;
/** So many places are looked at with each report, so that what a flood left behind goes within a minute. */
const SWEPT_AT_ONCE = 1_000;

export interface RateLimitTableOptions {
  /** Which part of each limit is this worker's, unless it is told otherwise. */
  readonly defaultShare: number;
  /** How the exchange names keys; `changeHash` changes it. */
  readonly hash: RateKeyHash;
  /** An integer of 32 bits without sign, by chance: see `RateKeyMap`. */
  readonly salt: number;
  readonly maxBuckets?: number;
}

/**
 * A worker's token buckets, one for each limit and key that is not full. Each request costs the same, however
 * many there are.
 *
 * The table is bounded. What is full again is as good as absent and goes first; in a full table, of a few
 * buckets the fullest goes. To be forgotten before its time, a key has to be emptied, and then as many other
 * keys have to come as the table holds, each emptied as well: each of those had a budget of its own, so the
 * flood has been let through far more often than the one bucket that it regains would allow. Forgetting is
 * never the cheap way. To refuse new keys instead while the table is full would let the flood lock out all others.
 */
export class RateLimitTable {
  readonly #buckets = new Map<string, LimitBucket>();
  readonly #byHash: RateKeyMap<LimitBucket>;
  /** Those that no request has come for since the hash changed: the exchange does not know them. */
  readonly #unhashed = new Map<string, LimitBucket>();
  readonly #ring: BucketRing;
  readonly #maxBuckets: number;
  #defaultShare: number;
  #hash: RateKeyHash;
  /** Counts reports, so that what was counted for an earlier one is not counted again. */
  #round = 0;
  #pressed: LimitBucket[] = [];
  /** When the hash changed while there were buckets without a key: nobody can tell any more whose they were. */
  #namelessSinceMs = Number.NEGATIVE_INFINITY;

  constructor({ defaultShare, hash, salt, maxBuckets = MAX_BUCKETS }: RateLimitTableOptions) {
    this.#defaultShare = defaultShare;
    this.#hash = hash;
    this.#byHash = new RateKeyMap(salt);
    this.#maxBuckets = maxBuckets;
    this.#ring = new BucketRing(maxBuckets, (bucket) => this.#forget(bucket));
  }

  get size(): number {
    return this.#ring.buckets.length;
  }

  get defaultShare(): number {
    return this.#defaultShare;
  }

  /** The bucket of a key, refilled up to now; a new one is full. */
  find(key: string, rule: BucketRule, nowMs: number): LimitBucket {
    const bucket = this.#buckets.get(key) ?? this.#create(key, rule, nowMs);
    if (bucket.rule !== rule) bucket.changeRule(rule, nowMs);
    bucket.use(nowMs);
    return bucket;
  }

  /** As `find`, without leaving a trace: null where there is none, and it would be full. */
  peek(key: string, nowMs: number): LimitBucket | null {
    const bucket = this.#buckets.get(key) ?? this.#unhashed.get(key) ?? null;
    bucket?.refill(nowMs);
    return bucket;
  }

  /** Counts a request for the exchange, after it was let through or refused. */
  countRequest(bucket: LimitBucket): void {
    bucket.countRequest(this.#round);
    // Who has all of the limits has nobody to tell.
    if (this.#defaultShare >= 1 || bucket.isListed || !bucket.isPressed) return;
    if (this.#pressed.length >= this.#maxBuckets) return;
    bucket.isListed = true;
    this.#pressed.push(bucket);
  }

  /** What others should hear: the keys that are pressed most, with their requests since the last call. */
  takeDemands(nowMs: number): RateDemand[] {
    const pressed = this.#pressed;
    this.#pressed = [];
    this.#round += 1;
    this.#ring.sweep(Math.min(SWEPT_AT_ONCE, this.size), nowMs);
    const threshold = demandThreshold(
      pressed.map(({ requests }) => requests),
      MAX_REPORTED_KEYS,
    );
    const demands: RateDemand[] = [];
    for (const bucket of pressed) {
      bucket.isListed = false;
      if (bucket.requests < threshold || demands.length >= MAX_REPORTED_KEYS) continue;
      demands.push(demandOf(bucket, bucket.requests, 0));
    }
    return demands;
  }

  /** Takes what the exchange tells. @returns the tokens that had to be given up for it */
  takeShares(defaultShare: number, shares: readonly RateShare[], nowMs: number): RateDemand[] {
    if (defaultShare !== this.#defaultShare) this.#changeDefaultShare(defaultShare, nowMs);
    const offers: RateDemand[] = [];
    for (const [key, share, granted, burst, tokensPerMs] of shares) {
      const bucket = this.#byHash.get(key) ?? this.#createUnasked(key, { burst, tokensPerMs }, nowMs);
      const surplus =
        share === null
          ? bucket.takeDefaultShare(defaultShare, nowMs)
          : bucket.takeToldShare(share, defaultShare, nowMs);
      bucket.add(granted);
      if (surplus >= LEAST_OFFER) offers.push(demandOf(bucket, 0, surplus));
    }
    return offers;
  }

  /**
   * The exchange names keys in another way from now on. Shares that were told are over; nobody gets a token by it.
   * Keys are hashed when their next request comes: all at once would hold up everything else.
   */
  changeHash(hash: RateKeyHash, nowMs: number): void {
    this.#hash = hash;
    this.#byHash.clear();
    for (const bucket of this.#pressed) bucket.isListed = false;
    this.#pressed = [];
    for (const bucket of this.#ring.buckets) {
      bucket.takeDefaultShare(this.#defaultShare, nowMs);
      if (bucket.key === '') this.#namelessSinceMs = nowMs;
    }
    for (const [key, bucket] of this.#buckets) this.#unhashed.set(key, bucket);
    this.#buckets.clear();
  }

  #changeDefaultShare(defaultShare: number, nowMs: number): void {
    this.#defaultShare = defaultShare;
    for (const bucket of this.#ring.buckets) {
      if (!bucket.isTold) bucket.takeDefaultShare(defaultShare, nowMs);
    }
  }

  #create(key: string, rule: BucketRule, nowMs: number): LimitBucket {
    const hash = this.#hash(key);
    const before = this.#takeUnhashed(key, nowMs);
    const unasked = this.#byHash.get(hash);
    if (unasked?.key === '') {
      unasked.key = key;
      if (before !== null) unasked.keepAtMost(before.tokens);
      this.#buckets.set(key, unasked);
      return unasked;
    }
    const bucket = before ?? this.#createFresh(key, hash, rule, nowMs);
    if (before === null) this.#ring.add(bucket, nowMs);
    bucket.key = key;
    bucket.hash = hash;
    this.#buckets.set(key, bucket);
    this.#byHash.set(hash, bucket);
    return bucket;
  }

  /** Full, but for what may have been given up for the key when nobody knew that it was this one. */
  #createFresh(key: string, hash: number, rule: BucketRule, nowMs: number): LimitBucket {
    const bucket = new LimitBucket(key, hash, rule, this.#defaultShare, nowMs);
    bucket.keepAtMost((nowMs - this.#namelessSinceMs) * rule.tokensPerMs * this.#defaultShare);
    return bucket;
  }

  /** The bucket that a key had before the hash changed, without its key, so that it vanishes where it is not kept. */
  #takeUnhashed(key: string, nowMs: number): LimitBucket | null {
    const bucket = this.#unhashed.get(key);
    if (bucket === undefined) return null;
    this.#unhashed.delete(key);
    bucket.key = '';
    bucket.refill(nowMs);
    return bucket;
  }

  /** The exchange tells of a key that no request has come for: what it gives up must not be there when one comes. */
  #createUnasked(hash: number, rule: BucketRule, nowMs: number): LimitBucket {
    const bucket = this.#createFresh('', hash, rule, nowMs);
    // It may be the key of one that is not hashed yet: what that one has used up is not to be had again.
    if (this.#unhashed.size > 0) bucket.keepAtMost(0);
    this.#ring.add(bucket, nowMs);
    this.#byHash.set(hash, bucket);
    return bucket;
  }

  #forget(bucket: LimitBucket): void {
    if (bucket.key !== '' && !this.#buckets.delete(bucket.key)) this.#unhashed.delete(bucket.key);
    // Another key may have the same hash, and the place by now.
    if (this.#byHash.get(bucket.hash) === bucket) this.#byHash.delete(bucket.hash);
  }
}

function demandOf(bucket: LimitBucket, requests: number, offered: number): RateDemand {
  return [bucket.hash, requests, offered, bucket.rule.burst, bucket.rule.tokensPerMs];
}
