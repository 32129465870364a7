import { addressKey } from '../core/policy/address-key.ts';
import { AttemptLimiter } from '../core/policy/attempt-limiter.ts';
import type { BasicCredentials } from '../core/policy/authorization-field.ts';
import { matchesPassword, type ScryptCost } from './password-hash.ts';
import { StandInHash } from './stand-in-hash.ts';
import { VerifiedPasswords } from './verified-passwords.ts';

export type PasswordVerdict =
  | { readonly kind: 'valid' | 'invalid' }
  /** Too many from this address were wrong. */
  | { readonly kind: 'blocked'; readonly waitSec: number }
  /** Too many passwords wait to be verified, or there is no memory for it. */
  | { readonly kind: 'overloaded' };

/** Each takes a thread of four and up to 128 MiB. */
const MAX_CONCURRENT = 2;
const MAX_QUEUED = 64;
/** Requests with the same password wait for one verification; more than this do without. */
const MAX_WAITING = 1_000;
/** Whose turn comes later than this is not verified any more. */
const LONGEST_WAIT_MS = 5_000;

const VALID: PasswordVerdict = { kind: 'valid' };
const INVALID: PasswordVerdict = { kind: 'invalid' };
const OVERLOADED: PasswordVerdict = { kind: 'overloaded' };

interface Job {
  readonly hash: string;
  /** False where there is no such user: then no password is right, and to find that takes as long. */
  readonly isKnown: boolean;
  readonly password: string;
  readonly digest: string;
  readonly address: string;
  readonly sinceMs: number;
}

/** Verifies passwords of one worker: few at a time, as that is costly by design, and not for who guesses. */
export class PasswordVerifier {
  readonly #nowMs: () => number;
  readonly #verified = new VerifiedPasswords();
  readonly #limiter = new AttemptLimiter();
  readonly #standIn = new StandInHash();
  /** By digest and address: one verification for all that ask the same. User names stay apart, also unknown ones. */
  readonly #underWay = new Map<string, Promise<PasswordVerdict>>();
  readonly #queue: (() => void)[] = [];
  #running = 0;
  #waiting = 0;

  /** @param nowMs a clock that never goes back */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /**
   * Whether a password is right. Never rejects.
   * @param stored the hash of the user's password; where there is no such user, what to find that has to cost
   * @param credentials normalised to NFC, without controls
   * @param address of the client, whose failures count
   */
  verify(
    stored: string | ScryptCost,
    { username, password }: BasicCredentials,
    address: string,
  ): PasswordVerdict | Promise<PasswordVerdict> {
    const sinceMs = this.#nowMs();
    const isKnown = typeof stored === 'string';
    const hash = isKnown ? stored : this.#standIn.ofCost(stored);
    const digest = this.#verified.digestOf(hash, username, password);
    // First, so that whoever guesses locks out nobody who shares the address and is known to be right.
    if (isKnown && this.#verified.has(digest, sinceMs)) return VALID;
    const blocked = this.#blockOf(address, sinceMs);
    if (blocked !== null) return blocked;
    if (this.#waiting >= MAX_WAITING) return OVERLOADED;
    return this.#waitFor({ hash, isKnown, password, digest, address, sinceMs });
  }

  #blockOf(address: string, nowMs: number): PasswordVerdict | null {
    const waitSec = this.#limiter.check(address, nowMs);
    return waitSec === 0 ? null : { kind: 'blocked', waitSec };
  }

  async #waitFor(job: Job): Promise<PasswordVerdict> {
    const key = `${job.digest} ${addressKey(job.address)}`;
    let verdict = this.#underWay.get(key);
    if (verdict === undefined) {
      verdict = this.#takeTurn(job);
      this.#underWay.set(key, verdict);
      void verdict.then(() => this.#underWay.delete(key));
    }
    this.#waiting += 1;
    try {
      return await verdict;
    } finally {
      this.#waiting -= 1;
    }
  }

  async #takeTurn(job: Job): Promise<PasswordVerdict> {
    if (this.#running >= MAX_CONCURRENT) {
      if (this.#queue.length >= MAX_QUEUED) return OVERLOADED;
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    } else {
      this.#running += 1;
    }
    try {
      return await this.#run(job);
    } catch {
      return OVERLOADED;
    } finally {
      this.#passTurn();
    }
  }

  /** The turn goes from hand to hand: whoever comes in between must not find it free. */
  #passTurn(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }

  /** While a job waited, others of its address may have failed: guesses sent all at once are no way around the limit. */
  async #run({ hash, isKnown, password, digest, address, sinceMs }: Job): Promise<PasswordVerdict> {
    const startMs = this.#nowMs();
    const blocked = this.#blockOf(address, startMs);
    if (blocked !== null) return blocked;
    if (startMs - sinceMs > LONGEST_WAIT_MS) return OVERLOADED;
    const isRight = (await matchesPassword(hash, password)) && isKnown;
    if (isRight) this.#verified.add(digest, this.#nowMs());
    else this.#limiter.noteFailure(address, this.#nowMs());
    return isRight ? VALID : INVALID;
  }
}
