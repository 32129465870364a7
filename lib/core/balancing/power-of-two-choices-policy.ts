import type { BalancingPolicy } from './balancing-policy.ts';
import type { DestinationState } from './destination-state.ts';
import { PairDraw } from './pair-draw.ts';
import { withoutTried } from './tried.ts';

/**
 * The better of two different destinations drawn at random: the one with more weight for each request
 * in flight, this request included. Mitzenmacher, "The Power of Two Choices in Randomized Load
 * Balancing" (2001). Weights count once there is load: of two idle destinations the heavier one wins.
 */
export class PowerOfTwoChoicesPolicy implements BalancingPolicy {
  readonly #pair: PairDraw;
  #usable: readonly DestinationState[] = [];

  constructor(random: () => number) {
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
    // weight / (active + 1) of the two, multiplied out.
    return second.weight * (first.active + 1) > first.weight * (second.active + 1) ? second : first;
  }
}
