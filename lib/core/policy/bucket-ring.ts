import type { LimitBucket } from './limit-bucket.ts';

/** How many buckets are looked at to find a place for a new one. */
const EXAMINED = 4;

/**
 * The places of a table's buckets, gone round by a hand as in the clock algorithm of page replacement. A new
 * bucket takes the place of one that is full again, where the hand finds one among a few; only else does the
 * ring grow. When it can grow no more, the fullest of the few has to go.
 */
export class BucketRing {
  readonly #places: LimitBucket[] = [];
  readonly #size: number;
  readonly #onRemoved: (bucket: LimitBucket) => void;
  #hand = 0;

  /** @param onRemoved told of each bucket that had to go */
  constructor(size: number, onRemoved: (bucket: LimitBucket) => void) {
    this.#size = size;
    this.#onRemoved = onRemoved;
  }

  get buckets(): readonly LimitBucket[] {
    return this.#places;
  }

  add(bucket: LimitBucket, nowMs: number): void {
    const place = this.#findPlace(nowMs);
    if (place === this.#places.length) {
      this.#places.push(bucket);
      return;
    }
    this.#onRemoved(this.#places[place]!);
    this.#places[place] = bucket;
  }

  /** Removes what says nothing any more, among the next `count` places. */
  sweep(count: number, nowMs: number): void {
    for (let examined = 0; examined < count && this.#places.length > 0; examined += 1) {
      const place = this.#turn();
      const bucket = this.#places[place]!;
      bucket.refill(nowMs);
      if (!bucket.isForgettable) continue;
      this.#onRemoved(bucket);
      const last = this.#places.pop()!;
      if (last !== bucket) this.#places[place] = last;
      // The one that came here is the next to be looked at.
      this.#hand = place;
    }
  }

  /** The place for a new bucket, the end where the ring may grow. */
  #findPlace(nowMs: number): number {
    let best = this.#places.length;
    let bestLevel = -1;
    for (let examined = 0; examined < EXAMINED && this.#places.length > 0; examined += 1) {
      const place = this.#turn();
      const bucket = this.#places[place]!;
      bucket.refill(nowMs);
      if (bucket.isForgettable && !bucket.isInUse(nowMs)) return place;
      const level = keepingLevel(bucket, nowMs);
      if (level <= bestLevel) continue;
      best = place;
      bestLevel = level;
    }
    return this.#places.length < this.#size ? this.#places.length : best;
  }

  #turn(): number {
    const place = this.#hand % this.#places.length;
    this.#hand = place + 1;
    return place;
  }
}

/** The higher, the less is lost with it. Of those that are in use, or that others count on, only where nothing else is left. */
function keepingLevel(bucket: LimitBucket, nowMs: number): number {
  return bucket.isTold || bucket.isInUse(nowMs) ? 0 : bucket.level;
}
