import { hash } from 'node:crypto';
import type { TokenPeriod } from './registered-claims.ts';

/** What became of a token, and when it counts. */
export interface CachedToken<T> extends TokenPeriod {
  readonly verdict: T;
}

/** In each of two generations. */
const MOST_TOKENS = 2_500;
const MOST_CHARACTERS = 2_097_152;

/**
 * Tokens that were verified, by the SHA-256 of all their characters, so that no part of one can stand for
 * another. Bounded by number and size in two generations: what is used moves to the young one, and when that
 * is full the old one goes as a whole, which costs nothing per token. Whether a token still counts is for
 * the caller to check, at every hit.
 */
export class VerifiedTokenCache<T> {
  #young = new Map<string, CachedToken<T>>();
  #old = new Map<string, CachedToken<T>>();
  #youngCharacters = 0;

  find(token: string): CachedToken<T> | undefined {
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
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
    this.#youngCharacters = 0;
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
