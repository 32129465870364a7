/** How long to wait before a worker that died is replaced: at once at first, then longer and longer. */

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 10_000;
/** A worker that lived this long starts the series anew. */
const STABLE_AFTER_MS = 30_000;

/** The delay before the next start, given how many workers in a row died young before it. */
export function restartDelayMs(earlyDeaths: number): number {
  if (earlyDeaths === 0) return 0;
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (earlyDeaths - 1));
}

/** Whether a worker that lived for `lifetimeMs` counts as one that died young. */
export function diedYoung(lifetimeMs: number): boolean {
  return lifetimeMs < STABLE_AFTER_MS;
}
