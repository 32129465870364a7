/** The claims that every JWT is judged by (RFC 7519 §4.1, RFC 8725 §3.8 to §3.10), once it is read. */
import type { Claims } from '../core/policy/claims.ts';

export interface ExpectedClaims {
  readonly issuer: string;
  /** `aud` must be or hold one of them. */
  readonly audience: readonly string[];
  /** How far the clocks of the issuer and of this host may be apart. */
  readonly toleranceMs: number;
}

/** Why a token is refused. */
export interface TokenRefusal {
  readonly kind: 'invalid' | 'expired';
  /** Holds nothing of the token. */
  readonly reason: string;
}

/**
 * Checks `iss`, `aud` and `exp`, which must be there, and `nbf` and `iat`, which may be missing. When a
 * token was issued is not judged: `nbf` says from when on it counts.
 * @returns why the claims are refused; null where they are not
 */
export function checkRegisteredClaims(
  claims: Claims,
  expected: ExpectedClaims,
  nowMs: number,
): TokenRefusal | null {
  if (claims.iss !== expected.issuer) return invalidToken('its iss is missing or another');
  if (!isForAudience(claims.aud, expected.audience)) return invalidToken('its aud is missing or another');
  if (claims.iat !== undefined && !isTime(claims.iat)) return invalidToken('its iat is no time');
  if (!isTime(claims.exp)) return invalidToken('its exp is no time');
  if (claims.nbf !== undefined && !isTime(claims.nbf)) return invalidToken('its nbf is no time');
  const { exp, nbf = null } = claims as { exp: number; nbf?: number };
  return checkPeriod({ exp, nbf }, expected.toleranceMs, nowMs);
}

/** When a token counts, in seconds since 1970: from `nbf` on, where it has one, to before `exp`. */
export interface TokenPeriod {
  readonly exp: number;
  readonly nbf: number | null;
}

/** Whether the token counts now (RFC 7519 §4.1.4 and §4.1.5); null where it does. */
export function checkPeriod(
  { exp, nbf }: TokenPeriod,
  toleranceMs: number,
  nowMs: number,
): TokenRefusal | null {
  if (exp * 1_000 + toleranceMs <= nowMs) return EXPIRED;
  return nbf !== null && nbf * 1_000 - toleranceMs > nowMs ? NOT_YET_VALID : null;
}

export function invalidToken(reason: string): TokenRefusal {
  return { kind: 'invalid', reason };
}

const EXPIRED: TokenRefusal = { kind: 'expired', reason: 'it has expired' };
const NOT_YET_VALID = invalidToken('it is not valid yet');

function isForAudience(claim: unknown, audience: readonly string[]): boolean {
  if (typeof claim === 'string') return audience.includes(claim);
  if (!Array.isArray(claim) || !claim.every((item) => typeof item === 'string')) return false;
  return claim.some((item) => audience.includes(item));
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value * 1_000);
}
