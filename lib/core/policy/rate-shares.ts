/** How a limit, and the tokens that somebody gives up, are divided among those who want them. */

/**
 * This part of a limit is divided equally, whoever asks for it: so nobody is left with nothing, be the demand of
 * others ever so great, or the word of one's own lost.
 */
const EQUAL_PART = 0.02;

/**
 * The share of each member of a limit, by its demand. All are above 0, and add up to 1. Where nobody demands
 * anything, they are equal.
 * @param demands requests, 0 or more
 */
export function divideShares(demands: readonly number[]): number[] {
  const total = demands.reduce((sum, demand) => sum + demand, 0);
  const equal = 1 / demands.length;
  if (total === 0) return demands.map(() => equal);
  return demands.map((demand) => EQUAL_PART * equal + (1 - EQUAL_PART) * (demand / total));
}

/** Divides by weight; nobody gets anything where nobody has any. The parts add up to no more than `whole`. */
export function divideByWeight(whole: number, weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => (total === 0 ? 0 : whole * (weight / total)));
}

/** Requests beyond this are all the same. */
const MAX_COUNTED = 1_024;

/**
 * From how many requests on something is among the `count` with the most of them. Where too many have the same,
 * it is more than they have: of thousands of keys with one request each, none is pressed.
 */
export function demandThreshold(requests: Iterable<number>, count: number): number {
  const tally = new Uint32Array(MAX_COUNTED + 1);
  for (const number of requests) tally[Math.min(number, MAX_COUNTED)]! += 1;
  let threshold = MAX_COUNTED;
  let reached = tally[MAX_COUNTED]!;
  while (threshold > 1 && reached + tally[threshold - 1]! <= count) {
    threshold -= 1;
    reached += tally[threshold]!;
  }
  return threshold;
}
