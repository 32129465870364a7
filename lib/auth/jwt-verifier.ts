import type { Claims } from '../core/policy/claims.ts';
import { isRecord } from '../store/stored-shape.ts';
import { ChangingFile } from './changing-file.ts';
import { parseJwtKeys } from './jwt-keys.ts';
import { checkRegisteredClaims, invalidToken } from './registered-claims.ts';
import { highestRole, type Role } from './roles.ts';
import { SignatureKey } from './signature-key.ts';
import { decodeHeader } from './token-decoding.ts';

export interface JwtSettings {
  /** What `iss` must be. */
  readonly issuer: string;
  /** What `aud` must be or hold. */
  readonly audience: string;
  /** A JWK Set; read again when it changes. */
  readonly keysFile: string;
  /** The claim that names the roles, as a text or a list. */
  readonly roleClaim: string;
  /** How far the clocks of the issuer and of this host may be apart, at most 60. */
  readonly clockToleranceSec: number;
}

export type JwtResult =
  | { readonly kind: 'valid'; readonly subject: string; readonly role: Role }
  /** Signed by the issuer, but without a role for this API. */
  | { readonly kind: 'no-role'; readonly subject: string; readonly reason: string }
  | { readonly kind: 'invalid' | 'expired'; readonly reason: string };

const MAX_CLOCK_TOLERANCE_SEC = 60;
/** The subject ends up in the history and in logs: printable, and not endless. */
const SUBJECT_PATTERN = /^[^\p{C}\p{Zl}\p{Zp}]{1,256}$/u;

/**
 * Verifies JWTs of one issuer. Which key and which algorithms are used is decided by the key file alone:
 * the token merely names a key in it (`kid`), and what it says of other keys (`jwk`, `jku`, `x5u`) is not
 * looked at.
 */
export class JwtVerifier {
  readonly #settings: JwtSettings;
  readonly #keys: ChangingFile<readonly SignatureKey[]>;

  private constructor(settings: JwtSettings, keys: ChangingFile<readonly SignatureKey[]>) {
    this.#settings = settings;
    this.#keys = keys;
  }

  /** @throws Error where the settings or the key file cannot be used */
  static async open(settings: JwtSettings, onProblem: (message: string) => void): Promise<JwtVerifier> {
    const { clockToleranceSec } = settings;
    if (!(clockToleranceSec >= 0 && clockToleranceSec <= MAX_CLOCK_TOLERANCE_SEC)) {
      throw new Error(`the clock tolerance for JWTs is 0 to ${MAX_CLOCK_TOLERANCE_SEC} seconds`);
    }
    if (settings.issuer === '' || settings.audience === '') {
      throw new Error('JWTs of the management API need both an issuer and an audience');
    }
    return new JwtVerifier(settings, await ChangingFile.open(settings.keysFile, parseKeys, onProblem));
  }

  /** Never throws. */
  async verify(token: string, nowMs: number): Promise<JwtResult> {
    const header = decodeHeader(token);
    if ('reason' in header) return header;
    const key = await this.#findKey(header.keyId, nowMs);
    if (key === null) return invalidToken('its kid names no key of the issuer');
    const claims = key.claimsOf(token);
    if (claims === null) return invalidToken('its signature is not by the key that it names');
    return isRecord(claims) ? this.#judge(claims, nowMs) : invalidToken('it has no claims');
  }

  /** An unknown key id may be one that the issuer has just begun to use. */
  async #findKey(id: string | null, nowMs: number): Promise<SignatureKey | null> {
    return selectKey(await this.#keys.current(nowMs), id) ?? selectKey(await this.#keys.latest(nowMs), id);
  }

  #judge(claims: Claims, nowMs: number): JwtResult {
    const { issuer, audience, clockToleranceSec, roleClaim } = this.#settings;
    const expected = { issuer, audience: [audience], toleranceMs: clockToleranceSec * 1_000 };
    const refusal = checkRegisteredClaims(claims, expected, nowMs);
    if (refusal !== null) return refusal;
    const { sub } = claims;
    if (typeof sub !== 'string' || !SUBJECT_PATTERN.test(sub)) {
      return invalidToken('its sub is missing or unusable');
    }
    const role = roleOf(Object.hasOwn(claims, roleClaim) ? claims[roleClaim] : undefined);
    if (role !== null) return { kind: 'valid', subject: sub, role };
    return {
      kind: 'no-role',
      subject: sub,
      reason: `its claim "${roleClaim}" has none of reader, operator and admin`,
    };
  }
}

function parseKeys(text: string | null): readonly SignatureKey[] {
  if (text === null) throw new Error('there is no such file');
  return parseJwtKeys(text).map((key) => SignatureKey.ofJwtKey(key));
}

/** Without an id there must be no choice. */
function selectKey(keys: readonly SignatureKey[], id: string | null): SignatureKey | null {
  if (id === null) return keys.length === 1 ? (keys[0] ?? null) : null;
  return keys.find((key) => key.id === id) ?? null;
}

function roleOf(claim: unknown): Role | null {
  return highestRole(Array.isArray(claim) ? (claim as readonly unknown[]) : [claim]);
}
