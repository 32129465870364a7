import type { DestinationState } from './destination-state.ts';
import type { Preview } from './preview.ts';

/**
 * How a destination is chosen. Picking again with the earlier answers in `tried` walks through all
 * usable destinations, each once, so that health and retries can stay outside of the policies.
 */
export interface BalancingPolicy {
  /**
   * Takes the usable destinations whenever they change (members, weights, health) and keeps the state
   * of those that stay. The array must not be changed afterwards: a policy may hold on to it.
   */
  update(usable: readonly DestinationState[]): void;
  /**
   * Returns the next destination that is not in `tried`, or null when there is none left. On the first
   * pick of a request `tried` is null. Only consistent hashing looks at `hash`, 32 bits.
   */
  pick(hash: number, tried: readonly DestinationState[] | null): DestinationState | null;
  /**
   * Tells what the first pick of a request would return if `update` were called with `usable`, at least two,
   * before it. Takes no turn, draws nothing, and keeps nothing of `usable`.
   */
  preview(hash: number, usable: readonly DestinationState[]): Preview;
}
