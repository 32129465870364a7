import { hash } from 'node:crypto';
import type { TokenPeriod } from './registered-claims.ts';

/** What became of a token, and when it counts. */
export interface CachedToken<T> extends TokenPeriod {
  readonly verdict: T;
}

interface RecentToken<T> {
  readonly token: string;
  readonly entry: CachedToken<T>;
}

/** In each of two generations. */
const MOST_TOKENS = 2_500;
const MOST_CHARACTERS = 2_097_152;
/** How many of the last tokens are known by their own characters, a power of two; longer ones are not among them. */
const RECENT_TOKENS = 256;
const LONGEST_RECENT = 4_096;

/**
 * Tokens that were verified, by the SHA-256 of all their characters, so that no part of one can stand for
 * another. Bounded by number and size in two generations: what is used moves to the young one, and when that
 * is full the old one goes as a whole, which costs nothing per token. Whether a token still counts is for
 * the caller to check, at every hit. A client sends the same token again and again: to compare it with the last ones
 * costs a fraction of its digest.
 */
export class VerifiedTokenCache<T> {
  #young = new Map<string, CachedToken<T>>();
  #old = new Map<string, CachedToken<T>>();
  #youngCharacters = 0;
  /** By the end of their signatures; those that fall on one place take turns. */
  readonly #recent: (RecentToken<T> | undefined)[] = new Array(RECENT_TOKENS);

  find(token: string): CachedToken<T> | undefined {
    const place = placeOf(token);
    const recent = this.#recent[place];
    if (recent?.token === token) return recent.entry;
    const entry = this.#findByDigest(token);
    if (entry !== undefined && token.length <= LONGEST_RECENT) this.#recent[place] = { token, entry };
    return entry;
  }

  #findByDigest(token: string): CachedToken<T> | undefined {
    const digest = digestOf(token);
    const found = this.#young.get(digest);
    if (found !== undefined) return found;
    const older = this.#old.get(digest);
    if (older !== undefined) {
      this.#old.delete(digest);
      this.#put(digest, token.length, older);
    }
    return older;
  }

  add(token: string, entry: CachedToken<T>): void {
    this.#put(digestOf(token), token.length, entry);
    // What was known of it before counts no more.
    this.#recent[placeOf(token)] = undefined;
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
    this.#youngCharacters = 0;
    this.#recent.fill(undefined);
  }

  #put(digest: string, characters: number, entry: CachedToken<T>): void {
    if (this.#young.size >= MOST_TOKENS || this.#youngCharacters + characters > MOST_CHARACTERS) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngCharacters = 0;
    }
    this.#young.set(digest, entry);
    this.#youngCharacters += characters;
  }
}

/** In one call, which is the quickest way; base64 makes the shortest text. */
function digestOf(token: string): string {
  return hash('sha256', token, 'base64');
}

/** The characters of a signature are as good as random, but for its last. */
function placeOf(token: string): number {
  const end = token.length;
  return (token.charCodeAt(end - 2) * 31 + token.charCodeAt(end - 3)) & (RECENT_TOKENS - 1);
}
