import type { DestinationState } from './destination-state.ts';

/** Where the next request would go, found without sending it there. */
export interface Preview<D extends DestinationState = DestinationState> {
  readonly destination: D;
  /** False where the policy draws: then the destination is the likeliest, or the best as things are now. */
  readonly certain: boolean;
  /** For people. */
  readonly reason: string;
}

/** The first that no other is better than. Takes at least one destination. */
export function findBest<D extends DestinationState>(
  destinations: readonly D[],
  isBetter: (left: D, right: D) => boolean,
): D {
  return destinations.reduce((best, destination) => (isBetter(destination, best) ? destination : best));
}
