/**
 * A lock in Redis as the manual of `SET` describes it: a key that only one client can make, that expires, and that
 * only its maker takes away. https://redis.io/docs/latest/commands/set/#patterns
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';

/** Compared and deleted in one step: between two it could expire and be another's. */
const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

export interface LockTerms {
  /** A holder that died keeps everybody out for so long. */
  readonly ttlMs: number;
  /** Whoever does not get it in this time gives up. */
  readonly maxWaitMs: number;
  /** Between two attempts a waiter sleeps for a random part of this, so that waiters do not keep in step. */
  readonly retryMs: number;
}

export class RedisLock {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #terms: LockTerms;

  constructor(redis: Redis, key: string, terms: LockTerms) {
    this.#redis = redis;
    this.#key = key;
    this.#terms = terms;
  }

  /**
   * Waits for the lock. @returns the token to release it by, or null where it was not to be had in time
   * @throws what Redis or the connection to it says
   */
  async acquire(): Promise<string | null> {
    const { ttlMs, maxWaitMs, retryMs } = this.#terms;
    const token = randomUUID();
    const deadlineMs = performance.now() + maxWaitMs;
    while ((await this.#redis.set(this.#key, token, 'PX', ttlMs, 'NX')) === null) {
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) return null;
      await delay(Math.min(leftMs, Math.random() * retryMs));
    }
    return token;
  }

  /** @returns false where it has expired: what was done since may have been done by others as well */
  async release(token: string): Promise<boolean> {
    return (await this.#redis.eval(RELEASE, 1, this.#key, token)) === 1;
  }
}
