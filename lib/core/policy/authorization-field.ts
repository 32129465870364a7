/** What an Authorization field says (RFC 9110 §11.4). */

export interface BasicCredentials {
  readonly username: string;
  readonly password: string;
}

/** Longer ones are malformed: nobody types so much. */
const MAX_BASIC_CHARACTERS = 4_096;
const TOKEN_CHARACTER = /[!#$%&'*+.^_`|~0-9A-Za-z-]/;
/** RFC 4648 §4; the padding may be missing. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;
const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
// biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 7617 §2 forbids them
const CONTROL = /[\x00-\x1f\x7f]/;

/** The token of a Bearer field (RFC 6750 §2.1), empty where it has none; null where the scheme is another. */
export function readBearer(authorization: string): string | null {
  return credentialsOf(authorization, 'bearer');
}

/**
 * User name and password of a Basic field (RFC 7617), in UTF-8 and normalised to NFC, as its `charset` asks
 * for; null where the scheme is another.
 */
export function readBasic(authorization: string): BasicCredentials | 'malformed' | null {
  const credentials = credentialsOf(authorization, 'basic');
  if (credentials === null) return null;
  const text = decodeBase64(credentials);
  const colon = text?.indexOf(':') ?? -1;
  if (text === null || colon < 0 || CONTROL.test(text)) return 'malformed';
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** What follows the scheme, whose letters may be of either case. */
function credentialsOf(authorization: string, scheme: string): string | null {
  const end = scheme.length;
  if (authorization.slice(0, end).toLowerCase() !== scheme) return null;
  const next = authorization.charAt(end);
  if (next === ' ') return authorization.slice(end).trim();
  return TOKEN_CHARACTER.test(next) ? null : '';
}

function decodeBase64(text: string): string | null {
  if (text.length > MAX_BASIC_CHARACTERS || !BASE64.test(text)) return null;
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return decodeUtf8(bytes)?.normalize('NFC') ?? null;
}

function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return UTF_8.decode(bytes);
  } catch {
    return null;
  }
}
