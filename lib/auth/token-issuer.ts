import type { Issuer } from '../core/config/model.ts';
import { type Claims, claimAt } from '../core/policy/claims.ts';
import { IssuerKeys } from './issuer-keys.ts';
import type { Materials } from './materials.ts';
import {
  checkPeriod,
  checkRegisteredClaims,
  type ExpectedClaims,
  invalidToken,
} from './registered-claims.ts';
import type { SignatureKey } from './signature-key.ts';
import { type DecodedToken, decodeToken, MAX_TOKEN_CHARACTERS } from './token-decoding.ts';
import { VerifiedTokenCache } from './verified-token-cache.ts';

/** What a route goes by, once the signature and the claims are verified. */
export interface VerifiedToken {
  /** Who verified it. */
  readonly issuer: TokenIssuer;
  /** Empty where the token names none. */
  readonly subject: string;
  readonly claims: Claims;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
}

/** `reason` is for logs only, and holds nothing of the token. */
export type TokenVerdict =
  | { readonly kind: 'valid'; readonly token: VerifiedToken }
  | { readonly kind: 'invalid' | 'expired'; readonly reason: string }
  /** There are no keys to verify anything with. */
  | { readonly kind: 'unavailable'; readonly reason: string };

const DEFAULT_CLOCK_TOLERANCE_SEC = 30;
const DEFAULT_ROLE_CLAIM = 'roles';

/**
 * Verifies the JWTs of one issuer (RFC 7519, RFC 8725). Which keys and algorithms count is decided by the
 * configuration and the key set alone; a token merely names a key in it. What is cheap to check comes first:
 * form, algorithm and claims, then the signature. Of a token that has expired the signature is checked too, as
 * only then it is worth saying so: one that is forged is just invalid. Tokens that were verified are remembered
 * until the keys change, expired or not, and their times are checked each time they come.
 */
export class TokenIssuer {
  /** As in the configuration. */
  readonly id: string;
  /** What `iss` must be. */
  readonly issuer: string;
  readonly claimHeaders: readonly (readonly [header: string, claim: string])[];
  readonly #algorithms: readonly string[];
  readonly #expected: ExpectedClaims;
  readonly #scopeClaim: string | undefined;
  readonly #roleClaim: string;
  readonly #keys: IssuerKeys;
  readonly #verified = new VerifiedTokenCache<TokenVerdict>();

  /** @param materials where the keys come from, unless they stand in the issuer itself */
  constructor(id: string, issuer: Issuer, materials: Materials) {
    const { audience, clockToleranceSec = DEFAULT_CLOCK_TOLERANCE_SEC } = issuer;
    this.id = id;
    this.issuer = issuer.issuer;
    this.#algorithms = issuer.algorithms;
    this.claimHeaders = Object.entries(issuer.claimHeaders ?? {});
    this.#expected = { issuer: issuer.issuer, audience, toleranceMs: clockToleranceSec * 1_000 };
    this.#scopeClaim = issuer.scopeClaim;
    this.#roleClaim = issuer.roleClaim ?? DEFAULT_ROLE_CLAIM;
    this.#keys = new IssuerKeys(issuer, materials, () => this.#verified.clear());
  }

  /** Why the keys, or their latest version, cannot be used; null where they can or nothing is known yet. */
  get problem(): string | null {
    return this.#keys.problem;
  }

  /**
   * Judges a token as of `nowMs`. A promise only where the keys are not there yet, or newer ones might be: of
   * at most four seconds. Never throws or rejects.
   */
  verify(token: string, nowMs: number): TokenVerdict | Promise<TokenVerdict> {
    return this.recall(token, nowMs) ?? this.#judge(token, nowMs);
  }

  /**
   * The verdict on a token that was verified before, by these keys; null on any other. For whoever has several
   * issuers to choose from: this costs less than to look into the token.
   */
  recall(token: string, nowMs: number): TokenVerdict | null {
    if (token.length > MAX_TOKEN_CHARACTERS) return null;
    this.#keys.follow();
    const cached = this.#verified.find(token);
    if (cached === undefined) return null;
    return checkPeriod(cached, this.#expected.toleranceMs, nowMs) ?? cached.verdict;
  }

  #judge(token: string, nowMs: number): TokenVerdict | Promise<TokenVerdict> {
    const decoded = decodeToken(token);
    if ('reason' in decoded) return decoded;
    if (!this.#algorithms.includes(decoded.algorithm)) return invalidToken("its alg is none of the issuer's");
    const refusal = checkRegisteredClaims(decoded.claims, this.#expected, nowMs);
    if (refusal?.kind === 'invalid') return refusal;
    const { sub } = decoded.claims;
    if (sub !== undefined && typeof sub !== 'string') return invalidToken('its sub is no text');
    const key = this.#keys.find(decoded);
    if (key !== null) return this.#verifySignature(token, decoded, key, nowMs);
    // Newer keys could tell who signed it, but would make it no younger.
    if (refusal !== null) return invalidToken('it has expired, and no key is there to tell who signed it');
    const mayWait = this.#keys.areAwaited || this.#keys.mayHaveNewer(decoded, nowMs);
    return mayWait ? this.#judgeByNewerKeys(token, decoded, nowMs) : this.#refuseKey();
  }

  async #judgeByNewerKeys(token: string, decoded: DecodedToken, nowMs: number): Promise<TokenVerdict> {
    if (this.#keys.areAwaited) await this.#keys.awaitFirst();
    if (this.#keys.mayHaveNewer(decoded, nowMs)) await this.#keys.refresh(decoded, nowMs);
    const key = this.#keys.find(decoded);
    return key === null ? this.#refuseKey() : this.#verifySignature(token, decoded, key, nowMs);
  }

  #refuseKey(): TokenVerdict {
    if (this.#keys.areThere) return invalidToken('its kid and alg name no key of the issuer');
    return { kind: 'unavailable', reason: this.#keys.problem ?? 'the keys are not there yet' };
  }

  #verifySignature(token: string, { claims }: DecodedToken, key: SignatureKey, nowMs: number): TokenVerdict {
    if (key.claimsOf(token) === null) return invalidToken('its signature is not by the key that it names');
    const verdict: TokenVerdict = { kind: 'valid', token: this.#describe(claims) };
    const { exp, nbf = null } = claims as { exp: number; nbf?: number };
    this.#verified.add(token, { exp, nbf, verdict });
    return checkPeriod({ exp, nbf }, this.#expected.toleranceMs, nowMs) ?? verdict;
  }

  #describe(claims: Claims): VerifiedToken {
    const { sub = '' } = claims as { sub?: string };
    const scopes =
      this.#scopeClaim === undefined ? (claims.scope ?? claims.scp) : claimAt(claims, this.#scopeClaim);
    return {
      issuer: this,
      subject: sub,
      claims,
      scopes:
        typeof scopes === 'string' ? scopes.split(' ').filter((scope) => scope !== '') : textsOf(scopes),
      roles: textsOf(claimAt(claims, this.#roleClaim)),
    };
  }
}

/** The texts of a claim that is one, or a list of such; what else is in the list is passed over. */
function textsOf(claim: unknown): readonly string[] {
  if (typeof claim === 'string') return [claim];
  return Array.isArray(claim) ? claim.filter((item) => typeof item === 'string') : [];
}
