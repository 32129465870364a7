/** What clients are told of their limits: draft-ietf-httpapi-ratelimit-headers-10. */
import type { TokenBucket } from '../../core/policy/token-bucket.ts';

/** An item of `RateLimit-Policy`: so many requests in so many seconds. */
export function policyItem(name: string, requests: number, windowSec: number): string {
  return `"${name}";q=${requests};w=${windowSec}`;
}

/**
 * An item of `RateLimit`, of the whole limit: how many requests are left, and the seconds until there is room for
 * one more where none is, else until all are back. What is left is an estimate: this worker's part, scaled to the
 * whole as if all workers had seen as many requests.
 */
export function stateItem(name: string, bucket: TokenBucket): string {
  const { burst, tokensPerMs } = bucket.rule;
  if (!bucket.hasRoom) return `"${name}";r=0;t=${secondsUntilRoom(bucket)}`;
  const remaining = Math.min(burst, Math.max(1, Math.floor(bucket.tokens / bucket.share)));
  return `"${name}";r=${remaining};t=${Math.ceil((burst - remaining) / tokensPerMs / 1_000)}`;
}

/**
 * After how many seconds a request may have room, at least 1: by the rate of the whole limit, as a worker that is
 * pressed gets most of it.
 */
export function secondsUntilRoom({ tokens, rule }: TokenBucket): number {
  return Math.max(1, Math.ceil((1 - tokens) / rule.tokensPerMs / 1_000));
}
