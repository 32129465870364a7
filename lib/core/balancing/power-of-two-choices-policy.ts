import type { BalancingPolicy } from './balancing-policy.ts';
import type { DestinationState } from './destination-state.ts';
import { PairDraw } from './pair-draw.ts';
import { findBest, type Preview } from './preview.ts';
import { withoutTried } from './tried.ts';

/**
 * The better of two different destinations drawn at random: the one with more weight for each request
 * in flight, this request included. Mitzenmacher, "The Power of Two Choices in Randomized Load
 * Balancing" (2001). Between two idle destinations the weights decide by chance: if the heavier one always
 * won, a canary with a small weight would see nothing of a quiet cluster's traffic.
 */
export class PowerOfTwoChoicesPolicy implements BalancingPolicy {
  readonly #random: () => number;
  readonly #pair: PairDraw;
  #usable: readonly DestinationState[] = [];

  constructor(random: () => number) {
    this.#random = random;
    this.#pair = new PairDraw(random);
  }

  update(usable: readonly DestinationState[]): void {
    this.#usable = usable;
  }

  pick(_hash: number, tried: readonly DestinationState[] | null): DestinationState | null {
    const candidates = withoutTried(this.#usable, tried);
    if (candidates.length < 2) return candidates[0] ?? null;
    this.#pair.draw(candidates.length);
    const first = candidates[this.#pair.first]!;
    const second = candidates[this.#pair.second]!;
    if (first.active === 0 && second.active === 0 && first.weight !== second.weight) {
      return this.#random() * (first.weight + second.weight) < first.weight ? first : second;
    }
    return isBetter(second, first) ? second : first;
  }

  preview(_hash: number, usable: readonly DestinationState[]): Preview {
    const reason =
      'the better of two drawn at random is taken; none has more weight for its requests in flight than this one';
    return { destination: findBest(usable, isBetter), certain: false, reason };
  }
}

/** Compares weight / (active + 1), multiplied out. */
function isBetter(left: DestinationState, right: DestinationState): boolean {
  return left.weight * (right.active + 1) > right.weight * (left.active + 1);
}
