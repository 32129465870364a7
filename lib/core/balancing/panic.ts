/**
 * Tells whether so few destinations are healthy that all have to be used: with 3 of 4 unhealthy the one
 * left would be overrun, and the checks are likelier to be wrong than the destinations.
 * Whole numbers only, so that a share exactly at the threshold is not panic.
 *
 * @param thresholdPercent 0 switches it off
 */
export function isPanicking(healthyCount: number, memberCount: number, thresholdPercent: number): boolean {
  return healthyCount * 100 < thresholdPercent * memberCount;
}
