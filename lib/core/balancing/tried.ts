import type { DestinationState } from './destination-state.ts';

/** Tells whether the request was already sent to `destination`; `tried` is null on its first attempt. */
export function isTried(tried: readonly DestinationState[] | null, destination: DestinationState): boolean {
  return tried?.includes(destination) ?? false;
}

/**
 * Returns the usable destinations that are left. Only a retry pays for a new array: on the first
 * attempt the usable ones themselves come back.
 */
export function withoutTried(
  usable: readonly DestinationState[],
  tried: readonly DestinationState[] | null,
): readonly DestinationState[] {
  return tried === null ? usable : usable.filter((destination) => !tried.includes(destination));
}
