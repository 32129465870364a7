import type { DestinationState } from './destination-state.ts';

/** A position in a circle of destinations that survives changes of the circle. */
export class Rotation {
  readonly #workerOffset: number;
  #members: readonly DestinationState[] = [];
  #position = 0;

  /** `workerOffset`: where the rotation begins, taken modulo the number of members. */
  constructor(workerOffset: number) {
    this.#workerOffset = workerOffset;
  }

  get members(): readonly DestinationState[] {
    return this.#members;
  }

  /** The index of the member whose turn it is. */
  get position(): number {
    return this.#position;
  }

  /** Gives the next turn to the member after the one at `index`. */
  moveBehind(index: number): void {
    this.#position = index + 1 < this.#members.length ? index + 1 : 0;
  }

  /**
   * Takes new members. The turn stays with the member that had it or, if that one has gone, passes to
   * the first after it that is still there. When none is left the rotation begins anew.
   */
  replaceMembers(members: readonly DestinationState[]): void {
    this.#position = this.positionAmong(members);
    this.#members = members;
  }

  /** The index of the member whose turn it would be if these were the members. */
  positionAmong(members: readonly DestinationState[]): number {
    const indices = new Map(members.map((member, index) => [member, index]));
    return this.#findHeir(indices) ?? (members.length === 0 ? 0 : this.#workerOffset % members.length);
  }

  #findHeir(indices: ReadonlyMap<DestinationState, number>): number | undefined {
    const count = this.#members.length;
    for (let step = 0; step < count; step++) {
      const index = indices.get(this.#members[(this.#position + step) % count]!);
      if (index !== undefined) return index;
    }
    return undefined;
  }
}
