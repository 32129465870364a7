import type { BalancingPolicy } from './balancing-policy.ts';
import type { DestinationState } from './destination-state.ts';
import { PairDraw } from './pair-draw.ts';
import { scoreDestination } from './peak-ewma.ts';
import { findBest, type Preview } from './preview.ts';
import { withoutTried } from './tried.ts';

/** The quicker of two different destinations drawn at random: the lower score for its weight. */
export class PeakEwmaPolicy implements BalancingPolicy {
  readonly #pair: PairDraw;
  readonly #nowMs: () => number;
  #usable: readonly DestinationState[] = [];

  constructor(random: () => number, nowMs: () => number) {
    this.#pair = new PairDraw(random);
    this.#nowMs = nowMs;
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
    const nowMs = this.#nowMs();
    return isQuicker(second, first, nowMs) ? second : first;
  }

  preview(_hash: number, usable: readonly DestinationState[]): Preview {
    const nowMs = this.#nowMs();
    const destination = findBest(usable, (left, right) => isQuicker(left, right, nowMs));
    const reason = 'the quicker of two drawn at random is taken; none is quicker now than this one';
    return { destination, certain: false, reason };
  }
}

function isQuicker(left: DestinationState, right: DestinationState, nowMs: number): boolean {
  return scoreDestination(left, nowMs) / left.weight < scoreDestination(right, nowMs) / right.weight;
}
