import type { BalancingPolicy } from './balancing-policy.ts';
import type { DestinationState } from './destination-state.ts';
import type { Preview } from './preview.ts';
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
    const { members, position } = this.#rotation;
    const index = findLeastLoaded(members, position, tried);
    if (index < 0) return null;
    this.#rotation.moveBehind(index);
    return members[index]!;
  }

  preview(_hash: number, usable: readonly DestinationState[]): Preview {
    const index = findLeastLoaded(usable, this.#rotation.positionAmong(usable), null);
    const reason = 'the fewest requests in flight for its weight; equals take turns';
    return { destination: usable[index]!, certain: true, reason };
  }
}

/** Returns the index of the first of the least loaded from `position` on; -1 where all have been tried. */
function findLeastLoaded(
  members: readonly DestinationState[],
  position: number,
  tried: readonly DestinationState[] | null,
): number {
  let best = -1;
  let index = position;
  for (let step = 0; step < members.length; step++) {
    const candidate = members[index]!;
    if (!isTried(tried, candidate) && (best < 0 || isLessLoaded(candidate, members[best]!))) best = index;
    index = index + 1 < members.length ? index + 1 : 0;
  }
  return best;
}

/** Compares (active + 1) / weight, multiplied out so that equals are exactly equal. */
function isLessLoaded(candidate: DestinationState, best: DestinationState): boolean {
  return (candidate.active + 1) * best.weight < (best.active + 1) * candidate.weight;
}
