import type { Logger } from 'pino';
import { readIssuerKeys } from '../../auth/jwt-keys.ts';
import { JWT_ALGORITHMS } from '../../core/config/issuer-schema.ts';
import {
  mayRefetch,
  refreshDelayMs,
  retryDelayMs,
  usableUntilMs,
} from '../../core/policy/jwks-refresh-policy.ts';
import type { KeySetFile } from './key-set-file.ts';
import type { FetchedKeys } from './key-set-request.ts';

/** A fetched JWK Set, with the time of its fetching on the clock of `performance.now`. */
interface KeySet extends FetchedKeys {
  readonly fetchedAtMs: number;
}

export interface KeySetOptions {
  readonly file: KeySetFile;
  /** @throws Error that says what is wrong */
  fetch(signal: AbortSignal): Promise<FetchedKeys>;
  /** How long keys are used that cannot be fetched any more. */
  graceSec(): number;
  /** Hears of the keys, null where there are none that may be used, and of what is wrong. */
  tell(value: string | null, problem: string | null): void;
  readonly logger: Logger;
}

/**
 * The keys of one URL: those of the last run at first, then fetched, and fetched again before they expire. A
 * failure leaves the old ones in use until their time and the grace of the issuer are over.
 */
export class KeySetMaterial {
  readonly #options: KeySetOptions;
  readonly #abort = new AbortController();
  #keys: KeySet | null = null;
  #failures = 0;
  /** The fetch that is under way. */
  #fetching: Promise<boolean> | null = null;
  #lastRefetchMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: KeySetOptions) {
    this.#options = options;
  }

  start(): void {
    this.#begin(async () => {
      await this.#loadSaved();
      return this.#fetch();
    });
  }

  /**
   * Resolves when the keys have been fetched, or cannot be, or may not be now.
   * @returns whether they were fetched, all of it since the call: an answer that was under way may be too old
   */
  async refresh(): Promise<boolean> {
    const nowMs = performance.now();
    const mayFetch = this.#fetching === null && mayRefetch(this.#lastRefetchMs, nowMs);
    if (mayFetch) {
      this.#lastRefetchMs = nowMs;
      this.#begin(() => this.#fetch());
    }
    const isFetched = (await this.#fetching) ?? false;
    return mayFetch && isFetched;
  }

  close(): void {
    this.#abort.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  get #isClosed(): boolean {
    return this.#abort.signal.aborted;
  }

  /** @param work tells whether it has fetched the keys */
  #begin(work: () => Promise<boolean>): void {
    if (this.#fetching !== null || this.#isClosed) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#fetching = work().finally(() => {
      this.#fetching = null;
    });
  }

  #fetchAfter(delayMs: number): void {
    this.#timer = setTimeout(() => this.#begin(() => this.#fetch()), delayMs).unref();
  }

  async #loadSaved(): Promise<void> {
    try {
      const saved = await this.#options.file.load();
      if (saved === null || this.#isClosed) return;
      readIssuerKeys(saved.text, JWT_ALGORITHMS);
      // A clock that was set back makes them no younger than new.
      const ageMs = Math.max(0, Date.now() - saved.fetchedAtMs);
      const keys = { ...saved, fetchedAtMs: performance.now() - ageMs };
      if (this.#usableForMs(keys) > 0) this.#use(keys, null);
    } catch (error) {
      this.#options.logger.warn({ reason: (error as Error).message }, 'saved keys cannot be used');
    }
  }

  async #fetch(): Promise<boolean> {
    try {
      const fetched = await this.#options.fetch(this.#abort.signal);
      if (this.#isClosed) return false;
      this.#failures = 0;
      this.#use({ ...fetched, fetchedAtMs: performance.now() }, null);
      this.#fetchAfter(refreshDelayMs(fetched.lifetimeMs, Math.random));
      void this.#save(fetched);
      return true;
    } catch (error) {
      if (!this.#isClosed) this.#onFailure((error as Error).message);
      return false;
    }
  }

  #onFailure(problem: string): void {
    this.#failures += 1;
    const leftMs = this.#keys === null ? 0 : this.#usableForMs(this.#keys);
    this.#use(leftMs > 0 ? this.#keys : null, problem);
    const delayMs = retryDelayMs(this.#failures, Math.random);
    // The last try before the old keys are given up is when their time is over.
    this.#fetchAfter(leftMs > 0 ? Math.min(delayMs, Math.ceil(leftMs)) : delayMs);
  }

  #use(keys: KeySet | null, problem: string | null): void {
    this.#keys = keys;
    this.#options.tell(keys?.text ?? null, problem);
  }

  #usableForMs({ fetchedAtMs, lifetimeMs }: KeySet): number {
    return usableUntilMs(fetchedAtMs, lifetimeMs, this.#options.graceSec()) - performance.now();
  }

  async #save({ text, lifetimeMs }: FetchedKeys): Promise<void> {
    try {
      await this.#options.file.save({ text, lifetimeMs, fetchedAtMs: Date.now() });
    } catch (error) {
      this.#options.logger.warn({ reason: (error as Error).message }, 'fetched keys could not be saved');
    }
  }
}
