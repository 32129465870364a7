/**
 * What workers and instances tell each other of the keys of rate limits. A key is a hash of 53 bits, so that
 * no addresses, names or credentials travel: see rate-key.ts. Burst and rate come along, as who hears of a key
 * may never have had a request for it.
 */
export type RateDemand = readonly [
  key: number,
  /** How many came since the last word, those included that were refused. */
  requests: number,
  /** Tokens that were given up, for others to have. */
  offered: number,
  burst: number,
  tokensPerMs: number,
];

export type RateShare = readonly [
  key: number,
  /** The worker's part of the limit, above 0 and up to 1; null: the default part. */
  share: number | null,
  /** Tokens that others gave up for it. */
  granted: number,
  burst: number,
  tokensPerMs: number,
];

/** Fewer tokens than this are not worth a word. */
export const LEAST_OFFER = 0.01;
/** Demand is reported so often … */
export const RATE_REPORT_INTERVAL_MS = 500;
/** … and forgotten after this: who said nothing since has none, or is gone. */
export const DEMAND_LIFETIME_MS = 2_000;
/** One report has at most so many keys, those that are pressed most. */
export const MAX_REPORTED_KEYS = 1_000;
