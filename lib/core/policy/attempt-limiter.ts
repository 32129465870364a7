/** Failed attempts to log in, counted for each address. Who succeeds is not counted, so a busy client is never slowed. */
import { addressKey } from './address-key.ts';

/** So many failures in a row are free … */
const BURST = 10;
/** … and one more each time so long has passed. */
const REFILL_MS = 6_000;
const MAX_ADDRESSES = 10_000;

/** A token bucket, counted by what is spent: it empties by itself. */
interface Bucket {
  spent: number;
  atMs: number;
}

/**
 * A token bucket of failures for each address (IPv6: for each /64, as one host has all of it).
 *
 * The table is bounded. The address whose last failure lies furthest back goes first: most likely it has
 * regained all its attempts, and then nothing is lost with it. To push out a blocked address before its time,
 * a flood has to fail from as many other addresses as the table holds. Each of those has ten attempts of its
 * own, so the flood pays a hundred thousand attempts' worth of addresses to regain ten: forgetting is never
 * the cheap way. To forget nothing instead, and refuse addresses that are new while the table is full, would
 * let the flood lock out everybody else.
 */
export class AttemptLimiter {
  /** In the order of the last failure, the oldest first. */
  readonly #buckets = new Map<string, Bucket>();

  /**
   * Seconds until this address may fail again, rounded up; 0: it may now. Many may share an address, so this
   * must not be asked about anybody whose token is known to be good. `nowMs` is of a clock that never goes
   * back, the same for all calls.
   */
  check(address: string, nowMs: number): number {
    const bucket = this.#buckets.get(addressKey(address));
    const excess = bucket === undefined ? 0 : spentAt(bucket, nowMs) - (BURST - 1);
    return excess <= 0 ? 0 : Math.ceil((excess * REFILL_MS) / 1_000);
  }

  /** Counts one failure. Those that `check` let pass at the same time may be more than there was room for. */
  noteFailure(address: string, nowMs: number): void {
    const key = addressKey(address);
    const bucket = this.#buckets.get(key);
    const spent = Math.min(BURST, (bucket === undefined ? 0 : spentAt(bucket, nowMs)) + 1);
    this.#buckets.delete(key);
    this.#buckets.set(key, { spent, atMs: nowMs });
    if (this.#buckets.size > MAX_ADDRESSES) this.#forgetOldest();
  }

  /** How many addresses are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  #forgetOldest(): void {
    for (const key of this.#buckets.keys()) {
      this.#buckets.delete(key);
      return;
    }
  }
}

function spentAt({ spent, atMs }: Bucket, nowMs: number): number {
  return Math.max(0, spent - Math.max(0, nowMs - atMs) / REFILL_MS);
}
