import type { BalancingPolicy } from './balancing-policy.ts';
import type { DestinationState } from './destination-state.ts';
import type { Preview } from './preview.ts';
import { isTried } from './tried.ts';

/** Walking to a worker's place in the sequence takes at most this many picks, once. */
const MAX_STARTING_STEPS = 1_000;

/**
 * Smooth weighted round robin, as nginx does it: each pick adds to every destination its weight, takes
 * the one that then holds most, and subtracts the sum of the weights from it. Weights 5, 1, 1 give
 * a a b a c a a, not a a a a a b c.
 *
 * With n destinations of weights w and W their sum, after any number k of first picks from the start of
 * the sequence a destination has had at most 1 − 1/n picks more than k·w/W, and at most
 * 1/2 + 1/3 + … + 1/n fewer. After W picks it has had exactly w. A pick looks at every destination.
 */
export class WeightedRoundRobinPolicy implements BalancingPolicy {
  readonly #workerOffset: number;
  #usable: readonly DestinationState[] = [];
  #weights = new Float64Array(0);
  /** What each destination holds: the picks it is owed, times the sum of the weights. */
  #credits = new Float64Array(0);
  #totalWeight = 0;

  constructor(workerOffset: number) {
    this.#workerOffset = workerOffset;
  }

  update(usable: readonly DestinationState[]): void {
    const creditsBefore = this.#creditsByDestination();
    const totalWeightBefore = this.#totalWeight;
    this.#usable = usable;
    this.#weights = Float64Array.from(usable, (destination) => destination.weight);
    this.#credits = new Float64Array(usable.length);
    this.#totalWeight = this.#weights.reduce((sum, weight) => sum + weight, 0);
    if (usable.some((destination) => creditsBefore.has(destination))) {
      this.#carryCredits(creditsBefore, this.#totalWeight / totalWeightBefore);
    } else {
      this.#walkToStart();
    }
  }

  pick(_hash: number, tried: readonly DestinationState[] | null): DestinationState | null {
    const usable = this.#usable;
    const weights = this.#weights;
    const credits = this.#credits;
    let best = -1;
    let bestCredit = Number.NEGATIVE_INFINITY;
    let totalWeight = 0;
    for (let index = 0; index < usable.length; index++) {
      if (tried !== null && isTried(tried, usable[index]!)) continue;
      const weight = weights[index]!;
      const credit = credits[index]! + weight;
      totalWeight += weight;
      credits[index] = credit;
      if (credit > bestCredit) {
        best = index;
        bestCredit = credit;
      }
    }
    if (best < 0) return null;
    credits[best] = bestCredit - totalWeight;
    return usable[best]!;
  }

  preview(hash: number, usable: readonly DestinationState[]): Preview {
    const trial = new WeightedRoundRobinPolicy(this.#workerOffset);
    trial.#usable = this.#usable;
    trial.#weights = this.#weights;
    trial.#credits = this.#credits.slice();
    trial.#totalWeight = this.#totalWeight;
    if (usable !== this.#usable) trial.update(usable);
    return { destination: trial.pick(hash, null)!, certain: true, reason: 'its turn, by weight' };
  }

  #creditsByDestination(): Map<DestinationState, number> {
    return new Map(this.#usable.map((destination, index) => [destination, this.#credits[index]!]));
  }

  /**
   * Credits are in units of the sum of the weights, so they grow and shrink with it: otherwise a drop
   * from weights in thousands to weights of one would starve a destination for thousands of picks.
   * What one that leaves was owed, or owes, stays behind as the sum of the others' credits. So one that
   * comes and goes gains nothing by beginning at zero again.
   */
  #carryCredits(creditsBefore: ReadonlyMap<DestinationState, number>, scale: number): void {
    this.#usable.forEach((destination, index) => {
      this.#credits[index] = (creditsBefore.get(destination) ?? 0) * scale;
    });
  }

  #walkToStart(): void {
    if (this.#usable.length === 0) return;
    const cycle = this.#totalWeight / this.#weights.reduce(greatestCommonDivisor);
    const steps = this.#workerOffset % Math.min(cycle, MAX_STARTING_STEPS);
    for (let step = 0; step < steps; step++) this.pick(0, null);
  }
}

function greatestCommonDivisor(left: number, right: number): number {
  return right === 0 ? left : greatestCommonDivisor(right, left % right);
}
