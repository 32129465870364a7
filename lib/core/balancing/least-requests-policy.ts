import type { BalancingPolicy } from './balancing-policy.ts';
import type { DestinationState } from './destination-state.ts';
import { Rotation } from './rotation.ts';
import { isTried } from './tried.ts';

/**
 * The destination with the fewest requests in flight for its weight, this request included. Equals take
 * turns: the search begins behind the last answer. A pick looks at every destination.
 */
export class LeastRequestsPolicy implements BalancingPolicy {
  readonly #rotation: Rotation;

  constructor(workerOffset: number) {
    this.#rotation = new Rotation(workerOffset);
  }

  update(usable: readonly DestinationState[]): void {
    this.#rotation.replaceMembers(usable);
  }

  pick(_hash: number, tried: readonly DestinationState[] | null): DestinationState | null {
    const members = this.#rotation.members;
    let best: DestinationState | null = null;
    let bestIndex = 0;
    let index = this.#rotation.position;
    for (let step = 0; step < members.length; step++) {
      const candidate = members[index]!;
      if (!isTried(tried, candidate) && (best === null || isLessLoaded(candidate, best))) {
        best = candidate;
        bestIndex = index;
      }
      index = index + 1 < members.length ? index + 1 : 0;
    }
    if (best !== null) this.#rotation.moveBehind(bestIndex);
    return best;
  }
}

/** Compares (active + 1) / weight, multiplied out so that equals are exactly equal. */
function isLessLoaded(candidate: DestinationState, best: DestinationState): boolean {
  return (candidate.active + 1) * best.weight < (best.active + 1) * candidate.weight;
}
