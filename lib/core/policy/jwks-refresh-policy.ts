/** When the keys of an issuer are fetched again, and for how long they may be used meanwhile. All pure: the clock and chance are the caller's. */

const SHORTEST_LIFETIME_MS = 60_000;
const LONGEST_LIFETIME_MS = 86_400_000;
const DEFAULT_LIFETIME_MS = 600_000;
/** Keys are fetched again when this part of their lifetime is over, so that a failure or two does no harm. */
const REFRESH_AT = 0.8;
/** Instances that started together fetch at times that differ by this part. */
const SPREAD = 0.1;
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 300_000;
/** Anybody can make up a token with an unknown key id, so keys are not fetched for each of them. */
const REFETCH_INTERVAL_MS = 10_000;

/**
 * How long an answer is fresh (RFC 9111 §4.2), bounded: who answers with a minute less does not get more
 * requests, and keys that were withdrawn are gone after a day.
 * @param cacheControl the value of Cache-Control, empty where there is none
 * @param ageSec of Age: what a cache on the way has used up
 */
export function keyLifetimeMs(cacheControl: string, ageSec: number): number {
  if (/(?:^|[\s,])no-(?:store|cache)(?=$|[\s,=])/i.test(cacheControl)) return SHORTEST_LIFETIME_MS;
  const maxAge = /(?:^|[\s,])max-age="?([0-9]{1,10})(?![0-9])/i.exec(cacheControl)?.[1];
  if (maxAge === undefined) return DEFAULT_LIFETIME_MS;
  const lifetimeMs = (Number(maxAge) - Math.max(0, ageSec)) * 1_000;
  return Math.min(LONGEST_LIFETIME_MS, Math.max(SHORTEST_LIFETIME_MS, lifetimeMs));
}

/** How long after a fetch the next one follows. @param random gives 0 to 1 */
export function refreshDelayMs(lifetimeMs: number, random: () => number): number {
  return Math.round(lifetimeMs * REFRESH_AT * (1 - SPREAD * random()));
}

/**
 * How long after a failure the next try follows: 5 s at first, twice as long each time, up to five minutes, and
 * up to half of it less by chance.
 * @param failures in a row, this one included
 */
export function retryDelayMs(failures: number, random: () => number): number {
  const longestMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.max(0, failures - 1));
  return Math.round(longestMs * (1 - random() / 2));
}

/** Until when fetched keys are used although they cannot be fetched any more, on the clock of `fetchedAtMs`. */
export function usableUntilMs(fetchedAtMs: number, lifetimeMs: number, graceSec: number): number {
  return fetchedAtMs + lifetimeMs + graceSec * 1_000;
}

/** Whether keys may be fetched again because a token names one that is not there. */
export function mayRefetch(lastRefetchMs: number, nowMs: number): boolean {
  return nowMs - lastRefetchMs >= REFETCH_INTERVAL_MS;
}
