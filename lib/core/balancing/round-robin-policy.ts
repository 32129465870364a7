import type { BalancingPolicy } from './balancing-policy.ts';
import type { DestinationState } from './destination-state.ts';
import type { Preview } from './preview.ts';
import { Rotation } from './rotation.ts';
import { isTried } from './tried.ts';

/** One after the other, whatever their weights. */
export class RoundRobinPolicy implements BalancingPolicy {
  readonly #rotation: Rotation;

  constructor(workerOffset: number) {
    this.#rotation = new Rotation(workerOffset);
  }

  update(usable: readonly DestinationState[]): void {
    this.#rotation.replaceMembers(usable);
  }

  pick(_hash: number, tried: readonly DestinationState[] | null): DestinationState | null {
    const rotation = this.#rotation;
    const members = rotation.members;
    for (let step = 0; step < members.length; step++) {
      const index = rotation.position;
      const destination = members[index]!;
      rotation.moveBehind(index);
      if (!isTried(tried, destination)) return destination;
    }
    return null;
  }

  preview(_hash: number, usable: readonly DestinationState[]): Preview {
    const destination = usable[this.#rotation.positionAmong(usable)]!;
    return { destination, certain: true, reason: 'its turn' };
  }
}
