import { costOf, DEFAULT_COST, hashOfNothing } from './password-hash.ts';

/**
 * Stands in for the hash of users that are unknown: no password fits it, and to find that takes as long as with
 * the last user that was known, so that the time tells nobody which names there are.
 */
export class StandInHash {
  #hash = hashOfNothing(DEFAULT_COST);
  /** What of a hash says its cost. */
  #cost = costPart(this.#hash);

  get value(): string {
    return this.#hash;
  }

  /** Takes on the cost of a hash. */
  imitate(hash: string): void {
    const cost = costPart(hash);
    if (cost === this.#cost) return;
    this.#cost = cost;
    this.#hash = hashOfNothing(costOf(hash));
  }
}

function costPart(hash: string): string {
  return hash.split(':', 4).join(':');
}
