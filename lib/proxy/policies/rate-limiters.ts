import { randomInt, randomUUID } from 'node:crypto';
import type { RateDemand, RateShare } from '../../core/policy/rate-demand.ts';
import { RateLimitTable } from '../../core/policy/rate-limit-table.ts';
import { keyedRateHash } from './rate-key-hash.ts';

const SALT_RANGE = 2 ** 32;

/**
 * The token buckets of a worker, for all of its routes. They outlive changes of the routes: a bucket goes by the
 * id of its route, the name of the limit and the key.
 */
export class RateLimiters {
  readonly table: RateLimitTable;
  /** The clock of all buckets, which never goes back. */
  readonly nowMs: () => number;

  /** @param defaultShare which part of each limit is this worker's, until the primary says otherwise */
  constructor(defaultShare: number, nowMs: () => number = () => performance.now()) {
    // Until the primary tells the secret that all have, nobody else is to understand this worker.
    const hash = keyedRateHash(randomUUID());
    this.table = new RateLimitTable({ defaultShare, hash, salt: randomInt(SALT_RANGE) });
    this.nowMs = nowMs;
  }

  /** Takes the secret by which keys are hashed for the exchange. */
  takeSecret(secret: string): void {
    this.table.changeHash(keyedRateHash(secret), this.nowMs());
  }

  /** What the primary should hear, every `RATE_REPORT_INTERVAL_MS`; most often nothing. */
  takeDemands(): readonly RateDemand[] {
    return this.table.takeDemands(this.nowMs());
  }

  /** Takes what the primary tells. @returns what it should hear in return, most often nothing */
  takeShares(message: {
    readonly defaultShare: number;
    readonly shares: readonly RateShare[];
  }): readonly RateDemand[] {
    return this.table.takeShares(message.defaultShare, message.shares, this.nowMs());
  }
}
