import { addressKey } from '../core/policy/address-key.ts';
import { type BucketRule, TokenBucket } from '../core/policy/token-bucket.ts';

/** Far more than commands, probes and scrapes make, and some two hundredths of a processor's time. */
const RULE: BucketRule = { burst: 100, tokensPerMs: 20 / 1_000 };
const MAX_ADDRESSES = 10_000;

/**
 * Keeps one address from taking the primary's time by TLS handshakes, of which each costs it about a
 * millisecond: a hundred at once and twenty a second (IPv6: of a /64).
 *
 * The table is bounded. The address that came last the longest ago is forgotten first: most likely its bucket is
 * full again, and then nothing is lost with it.
 */
export class HandshakeLimit {
  /** In the order of the last connection, the oldest first. */
  readonly #buckets = new Map<string, TokenBucket>();

  /** Whether there may be one more. `nowMs` is of a clock that never goes back, the same for all calls. */
  admit(address: string, nowMs: number): boolean {
    const key = addressKey(address);
    const bucket = this.#buckets.get(key) ?? new TokenBucket(RULE, 1, nowMs);
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > MAX_ADDRESSES) this.#forgetOldest();
    bucket.refill(nowMs);
    if (!bucket.hasRoom) return false;
    bucket.take();
    return true;
  }

  /** How many addresses are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  #forgetOldest(): void {
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}
