import { createHmac, randomBytes } from 'node:crypto';

const VALID_MS = 60_000;
const MAX_ENTRIES = 10_000;

/**
 * The passwords that were found right in the last minute, so that not every request costs a slow hash. Nothing
 * that is kept here leads back to a password: only digests are, under a key that no other process has.
 */
export class VerifiedPasswords {
  readonly #key = randomBytes(32);
  /** When each ends, in the order of their coming, which is the order of their ends too. */
  readonly #ends = new Map<string, number>();

  /** How many are remembered. */
  get size(): number {
    return this.#ends.size;
  }

  /** What a password is known by here, for this user and this very hash: a changed one makes another. */
  digestOf(hash: string, username: string, password: string): string {
    // Neither hashes nor user names have line feeds: the three cannot be confused.
    return createHmac('sha256', this.#key).update(`${hash}\n${username}\n${password}`).digest('base64');
  }

  /** Whether the password behind a digest was found right at most 60 s ago. */
  has(digest: string, nowMs: number): boolean {
    const endMs = this.#ends.get(digest);
    if (endMs === undefined) return false;
    if (nowMs < endMs) return true;
    this.#ends.delete(digest);
    return false;
  }

  add(digest: string, nowMs: number): void {
    this.#ends.delete(digest);
    this.#ends.set(digest, nowMs + VALID_MS);
    if (this.#ends.size > MAX_ENTRIES) this.#forgetOldest();
  }

  #forgetOldest(): void {
    for (const digest of this.#ends.keys()) {
      this.#ends.delete(digest);
      return;
    }
  }
}
