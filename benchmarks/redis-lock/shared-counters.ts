/**
 * The counters of one cluster's balancer, in Redis for all workers together: read, changed and written back under
 * the cluster's lock. Exact where the gateway's are a worker's own, and at the price that this benchmark shows.
 */
import type { Redis } from 'ioredis';
import { type LockTerms, RedisLock } from './lock.ts';

/** A lock outlives the worst stall of a worker on a busy machine, and a request waits less than its client would. */
const TERMS: LockTerms = { ttlMs: 5_000, maxWaitMs: 2_000, retryMs: 5 };

interface Counters {
  /** Where the search for the least loaded destination begins. */
  turn: number;
  /** Requests in flight, by destination. */
  readonly active: Record<string, number>;
}

export class SharedCounters {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #lock: RedisLock;

  constructor(redis: Redis, cluster: string, terms: LockTerms = TERMS) {
    this.#redis = redis;
    this.#key = `counters:${cluster}`;
    this.#lock = new RedisLock(redis, `lock:${cluster}`, terms);
  }

  /**
   * Counts a request to the destination that has the fewest under way, equal ones in turn.
   * @returns the id of that destination; null where there is none, or the lock was not to be had in time
   */
  take(ids: readonly string[]): Promise<string | null> {
    return this.#update((counters) => takeLeastLoaded(counters, ids));
  }

  /** Counts a request as done. @returns null where the lock was not to be had: the count then stays too high */
  giveBack(id: string): Promise<string | null> {
    return this.#update((counters) => {
      counters.active[id] = Math.max(0, (counters.active[id] ?? 0) - 1);
      return id;
    });
  }

  async #update(change: (counters: Counters) => string | null): Promise<string | null> {
    const token = await this.#lock.acquire();
    if (token === null) return null;
    const text = await this.#redis.get(this.#key);
    const counters: Counters = text === null ? { turn: 0, active: {} } : JSON.parse(text);
    const result = change(counters);
    // On one connection, so in this order: the lock need not be held for one more round trip.
    const written = this.#redis.set(this.#key, JSON.stringify(counters));
    await Promise.all([written, this.#lock.release(token)]);
    return result;
  }
}

function takeLeastLoaded(counters: Counters, ids: readonly string[]): string | null {
  const { turn, active } = counters;
  const inTurn = ids.map((_, index) => ids[(turn + index) % ids.length]!);
  const [first, ...others] = inTurn;
  if (first === undefined) return null;
  const countOf = (id: string): number => active[id] ?? 0;
  const least = others.reduce((best, id) => (countOf(id) < countOf(best) ? id : best), first);
  active[least] = countOf(least) + 1;
  counters.turn = (ids.indexOf(least) + 1) % ids.length;
  return least;
}
