import { DEFAULT_COST, hashOfNothing, isSameCost, type ScryptCost } from './password-hash.ts';

/**
 * Stands in for the hash of users that are unknown: no password fits it, and to find that takes as long as with the
 * costliest of those that are known, so that the time tells nobody which names there are.
 */
export class StandInHash {
  #cost: ScryptCost = DEFAULT_COST;
  #hash = hashOfNothing(DEFAULT_COST);

  /** The same one as before while the cost is the same: one guess must not be verified many times at once. */
  ofCost(cost: ScryptCost): string {
    if (!isSameCost(cost, this.#cost)) {
      this.#cost = cost;
      this.#hash = hashOfNothing(cost);
    }
    return this.#hash;
  }
}
