import { createDecoder, createVerifier } from 'fast-jwt';
import { isRecord } from '../store/stored-shape.ts';
import { ChangingFile } from './changing-file.ts';
import { type JwtKey, parseJwtKeys } from './jwt-keys.ts';
import { highestRole, type Role } from './roles.ts';

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

type Claims = Record<string, unknown>;
type Refusal = Extract<JwtResult, { kind: 'invalid' | 'expired' }>;

const MAX_CLOCK_TOLERANCE_SEC = 60;
/** The subject ends up in the history and in logs: printable, and not endless. */
const SUBJECT_PATTERN = /^[^\p{C}\p{Zl}\p{Zp}]{1,256}$/u;

interface VerifierKey {
  readonly id: string | null;
  readonly verify: (token: string) => unknown;
}

const decode = createDecoder({ complete: true }) as (token: string) => { header: Record<string, unknown> };

/**
 * Verifies JWTs of one issuer. Which key and which algorithms are used is decided by the key file alone:
 * the token merely names a key in it (`kid`), and what it says of other keys (`jwk`, `jku`, `x5u`) is not
 * looked at. Times are checked here and not by fast-jwt, so that the clock is the caller's and a time
 * beyond all numbers is refused.
 */
export class JwtVerifier {
  readonly #settings: JwtSettings;
  readonly #keys: ChangingFile<readonly VerifierKey[]>;

  private constructor(settings: JwtSettings, keys: ChangingFile<readonly VerifierKey[]>) {
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
    const parse = (text: string | null) => parseKeys(text, settings);
    return new JwtVerifier(settings, await ChangingFile.open(settings.keysFile, parse, onProblem));
  }

  /** Never throws. */
  async verify(token: string, nowMs: number): Promise<JwtResult> {
    const header = decodeHeader(token);
    if (header === null) return invalid('it is no JWT');
    if (Object.hasOwn(header, 'crit'))
      return invalid('its header has critical extensions, of which none are known');
    const key = await this.#findKey(header.kid, nowMs);
    if (key === null) return invalid('its kid names no key of the issuer');
    let claims: unknown;
    try {
      claims = key.verify(token);
    } catch (error) {
      return invalid((error as Error).message);
    }
    return isRecord(claims) ? this.#judge(claims, nowMs) : invalid('it has no claims');
  }

  /** An unknown key id may be one that the issuer has just begun to use. */
  async #findKey(id: unknown, nowMs: number): Promise<VerifierKey | null> {
    return selectKey(await this.#keys.current(nowMs), id) ?? selectKey(await this.#keys.latest(nowMs), id);
  }

  #judge(claims: Claims, nowMs: number): JwtResult {
    const refusal = checkTimes(claims, nowMs, this.#settings.clockToleranceSec * 1_000);
    if (refusal !== null) return refusal;
    const { sub } = claims;
    if (typeof sub !== 'string' || !SUBJECT_PATTERN.test(sub))
      return invalid('its sub is missing or unusable');
    const { roleClaim } = this.#settings;
    const role = roleOf(Object.hasOwn(claims, roleClaim) ? claims[roleClaim] : undefined);
    if (role !== null) return { kind: 'valid', subject: sub, role };
    return {
      kind: 'no-role',
      subject: sub,
      reason: `its claim "${roleClaim}" has none of reader, operator and admin`,
    };
  }
}

function parseKeys(text: string | null, settings: JwtSettings): readonly VerifierKey[] {
  if (text === null) throw new Error('there is no such file');
  return parseJwtKeys(text).map((key) => ({ id: key.id, verify: verifierOf(key, settings) }));
}

function verifierOf(key: JwtKey, { issuer, audience }: JwtSettings): (token: string) => unknown {
  return createVerifier({
    key: key.pem,
    algorithms: [...key.algorithms],
    allowedIss: issuer,
    allowedAud: audience,
    // A check of fast-jwt passes where the claim is absent.
    requiredClaims: ['iss', 'aud', 'exp', 'sub'],
    ignoreExpiration: true,
    ignoreNotBefore: true,
    cache: false,
  });
}

function decodeHeader(token: string): Record<string, unknown> | null {
  try {
    return decode(token).header;
  } catch {
    return null;
  }
}

/** Without an id there must be no choice. */
function selectKey(keys: readonly VerifierKey[], id: unknown): VerifierKey | null {
  if (id === undefined) return keys.length === 1 ? (keys[0] ?? null) : null;
  return keys.find((key) => key.id !== null && key.id === id) ?? null;
}

/** RFC 7519 §4.1.4 and §4.1.5. */
function checkTimes({ exp, nbf }: Claims, nowMs: number, toleranceMs: number): Refusal | null {
  if (!isTime(exp)) return invalid('its exp is no time');
  if (exp * 1_000 + toleranceMs <= nowMs) return { kind: 'expired', reason: 'it has expired' };
  if (nbf === undefined) return null;
  if (!isTime(nbf)) return invalid('its nbf is no time');
  return nbf * 1_000 - toleranceMs > nowMs ? invalid('it is not valid yet') : null;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value * 1_000);
}

function roleOf(claim: unknown): Role | null {
  return highestRole(Array.isArray(claim) ? (claim as readonly unknown[]) : [claim]);
}

function invalid(reason: string): Refusal {
  return { kind: 'invalid', reason };
}
