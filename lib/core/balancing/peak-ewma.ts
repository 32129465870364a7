import type { DestinationState } from './destination-state.ts';

/** The time constant of the average: what was measured this long ago counts 1/e. */
export const DECAY_MS = 10_000;

/** A failure before an answer counts as an answer that took this long, or a dead destination would look quick. */
export const FAILURE_COST_MS = 5_000;

/** The least an answer counts. With a cost of 0, requests in flight would not count either. */
export const MINIMUM_COST_MS = 0.1;

/** Above every real score, also when divided by the highest weight. */
const UNMEASURED_PENALTY = 1e15;

/**
 * Takes a latency into the cost of a destination: a higher one at once, a lower one by as much as has
 * been forgotten since the last. A negative latency is a failure before an answer.
 *
 * The formula is that of Finagle's PeakEwma, but for one thing: there, looking at a cost also counts as
 * measuring zero, so that the average depends on how often it was looked at. Here it does not.
 */
export function observeLatency(destination: DestinationState, latencyMs: number, nowMs: number): void {
  const latency = latencyMs < 0 ? FAILURE_COST_MS : Math.max(latencyMs, MINIMUM_COST_MS);
  if (latency > destination.costMs) {
    destination.costMs = latency;
  } else {
    const remembered = decayFactor(destination, nowMs);
    destination.costMs = destination.costMs * remembered + latency * (1 - remembered);
  }
  destination.costAtMs = nowMs;
}

/**
 * Returns how costly one more request to a destination would be, lower is better: its decayed cost times
 * the requests in flight, that one included. A destination that was never measured is tried at once,
 * but with one request only until that one is answered.
 */
export function scoreDestination(destination: DestinationState, nowMs: number): number {
  if (destination.costMs === 0) {
    return destination.active === 0 ? 0 : UNMEASURED_PENALTY + destination.active;
  }
  return destination.costMs * decayFactor(destination, nowMs) * (destination.active + 1);
}

function decayFactor(destination: DestinationState, nowMs: number): number {
  return Math.exp(-Math.max(nowMs - destination.costAtMs, 0) / DECAY_MS);
}
