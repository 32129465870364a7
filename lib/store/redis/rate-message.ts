/** What is published on the channel of rate limits. Anybody may publish there, so only the form is trusted. */
import { MAX_REPORTED_KEYS, type RateDemand } from '../../core/policy/rate-demand.ts';
import { isRecord } from '../stored-shape.ts';

const MAX_MESSAGE_CHARACTERS = 262_144;
/** What no configuration goes beyond. */
const MAX_BURST = 1_000_000_000;
const MAX_TOKENS_PER_MS = 1_000_000;

export interface RateMessage {
  readonly instance: string;
  readonly demands: readonly RateDemand[];
}

export function formatRateMessage({ instance, demands }: RateMessage): string {
  return JSON.stringify({ instance, demands });
}

/** Returns null where it is none; demands that are none are left out. */
export function parseRateMessage(text: string): RateMessage | null {
  if (text.length > MAX_MESSAGE_CHARACTERS) return null;
  try {
    const message: unknown = JSON.parse(text);
    if (!isRecord(message) || typeof message.instance !== 'string' || !Array.isArray(message.demands))
      return null;
    return {
      instance: message.instance,
      demands: message.demands.slice(0, MAX_REPORTED_KEYS).filter(isDemand),
    };
  } catch {
    return null;
  }
}

function isDemand(value: unknown): value is RateDemand {
  if (!Array.isArray(value)) return false;
  const [key, requests, offered, burst, tokensPerMs] = value as unknown[];
  return (
    Number.isSafeInteger(key) &&
    (key as number) >= 0 &&
    Number.isSafeInteger(requests) &&
    (requests as number) >= 0 &&
    isBetween(burst, 1, MAX_BURST) &&
    isBetween(offered, 0, MAX_BURST) &&
    isBetween(tokensPerMs, Number.MIN_VALUE, MAX_TOKENS_PER_MS)
  );
}

/** What is no number is not between anything. */
function isBetween(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && value >= least && value <= most;
}
