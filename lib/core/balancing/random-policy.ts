import type { BalancingPolicy } from './balancing-policy.ts';
import type { DestinationState } from './destination-state.ts';
import { findBest, type Preview } from './preview.ts';
import { withoutTried } from './tried.ts';

/** At random, each destination as often as its weight says. */
export class RandomPolicy implements BalancingPolicy {
  readonly #random: () => number;
  #usable: readonly DestinationState[] = [];
  /** The sum of the weights up to and with each destination. */
  #weightSums = new Float64Array(0);

  constructor(random: () => number) {
    this.#random = random;
  }

  update(usable: readonly DestinationState[]): void {
    this.#usable = usable;
    this.#weightSums = sumWeights(usable);
  }

  pick(_hash: number, tried: readonly DestinationState[] | null): DestinationState | null {
    if (tried === null) return this.#draw(this.#usable, this.#weightSums);
    const left = withoutTried(this.#usable, tried);
    return this.#draw(left, sumWeights(left));
  }

  preview(_hash: number, usable: readonly DestinationState[]): Preview {
    const destination = findBest(usable, (left, right) => left.weight > right.weight);
    const totalWeight = usable.reduce((sum, { weight }) => sum + weight, 0);
    const reason = `drawn at random by weight: ${destination.weight} of ${totalWeight} draws give this one`;
    return { destination, certain: false, reason };
  }

  #draw(candidates: readonly DestinationState[], weightSums: Float64Array): DestinationState | null {
    if (candidates.length === 0) return null;
    const target = this.#random() * weightSums[weightSums.length - 1]!;
    return candidates[findFirstAbove(weightSums, target)]!;
  }
}

function sumWeights(destinations: readonly DestinationState[]): Float64Array<ArrayBuffer> {
  const weightSums = new Float64Array(destinations.length);
  let sum = 0;
  for (let index = 0; index < destinations.length; index++) {
    sum += destinations[index]!.weight;
    weightSums[index] = sum;
  }
  return weightSums;
}

/** Returns the index of the first of the rising numbers that is greater than `target`; the last if none is. */
function findFirstAbove(rising: Float64Array, target: number): number {
  let low = 0;
  let high = rising.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rising[middle]! > target) high = middle;
    else low = middle + 1;
  }
  return low;
}
