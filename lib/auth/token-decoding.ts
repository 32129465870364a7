/** A JWT read into its parts, strictly, and nothing verified yet. */
import { isUtf8 } from 'node:buffer';
import type { Claims } from '../core/policy/claims.ts';
import { parseJson } from '../store/parse-json.ts';
import { isRecord } from '../store/stored-shape.ts';
import { invalidToken, type TokenRefusal } from './registered-claims.ts';

/** Longer than most JWTs; reading and verifying cost by the length. */
export const MAX_TOKEN_CHARACTERS = 8_192;
/** Identity providers use digests and UUIDs. */
const MAX_KEY_ID_CHARACTERS = 1_024;

/**
 * base64url in the one form that RFC 7515 §2 knows: without padding, and with the bits that are left over in
 * the last character all zero. Else one token could be written in several ways.
 */
const SEGMENT = '((?:[\\w-]{4})*(?:[\\w-][AQgw]|[\\w-]{2}[AEIMQUYcgkosw048])?)';
const COMPACT_FORM = new RegExp(`^${SEGMENT}\\.${SEGMENT}\\.${SEGMENT}$`);

/** What of a header counts. All else is not looked at: `typ` proves nothing, and no token brings its own key. */
export interface TokenHeader {
  readonly algorithm: string;
  /** `kid`; null where there is none. */
  readonly keyId: string | null;
}

export interface DecodedToken extends TokenHeader {
  readonly claims: Claims;
}

/** The header of a token in compact form (RFC 7515 §7.1), or why there is none to go by. */
export function decodeHeader(token: string): TokenHeader | TokenRefusal {
  const segments = splitToken(token);
  return segments === null ? NO_TOKEN : readHeader(segments[1] as string);
}

/**
 * The header and the claims of a token, or why it cannot be used. Member names that stand twice are refused
 * at any depth (RFC 8725 §2.4 warns of parsers that differ), and so are numbers beyond all numbers, text that
 * is not UTF-8, and nesting deeper than 100 levels.
 */
export function decodeToken(token: string): DecodedToken | TokenRefusal {
  const segments = splitToken(token);
  if (segments === null) return NO_TOKEN;
  const header = readHeader(segments[1] as string);
  if ('reason' in header) return header;
  const claims = readObject(segments[2] as string);
  if (claims === null) return invalidToken('its claims are no JSON object, or not strict JSON');
  return { algorithm: header.algorithm, keyId: header.keyId, claims };
}

/**
 * The issuer that a token names, for whoever chooses among several: nothing is verified by that.
 * @returns null where it names none that could be verified
 */
export function claimedIssuerOf(token: string): string | null {
  const claims = readObject(splitToken(token)?.[2] ?? '');
  return typeof claims?.iss === 'string' ? claims.iss : null;
}

const NO_TOKEN = invalidToken('it is no JWT');

function splitToken(token: string): RegExpExecArray | null {
  if (token.length > MAX_TOKEN_CHARACTERS || token.endsWith('.')) return null;
  return COMPACT_FORM.exec(token);
}

/** RFC 7515 §4.1; that `crit` names nothing known is certain, as nothing is known (§4.1.11). */
function readHeader(segment: string): TokenHeader | TokenRefusal {
  const header = readObject(segment);
  if (header === null) return invalidToken('its header is no JSON object, or not strict JSON');
  const { alg, kid, b64 } = header;
  if (Object.hasOwn(header, 'crit')) {
    return invalidToken('its header has critical extensions, of which none are known');
  }
  if (b64 !== undefined && b64 !== true) return invalidToken('its claims are not encoded (RFC 7797)');
  if (typeof alg !== 'string') return invalidToken('its alg is no text');
  if (kid !== undefined && typeof kid !== 'string') return invalidToken('its kid is no text');
  if (kid !== undefined && kid.length > MAX_KEY_ID_CHARACTERS) return invalidToken('its kid is too long');
  return { algorithm: alg, keyId: kid ?? null };
}

function readObject(segment: string): Record<string, unknown> | null {
  const bytes = Buffer.from(segment, 'base64url');
  if (!isUtf8(bytes)) return null;
  const { document } = parseJson(bytes.toString('utf8'));
  return isRecord(document) ? document : null;
}
