/** Longer than any token of ours and than most JWTs; verifying costs by the length. */
const MAX_TOKEN_CHARACTERS = 8_192;

/** `credentials` of RFC 6750 §2.1: the scheme, one space or more, and a `b64token`. */
const CREDENTIALS = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

/** The token of an Authorization field; null where the field is of another scheme, malformed or too long. */
export function parseBearerToken(authorization: string): string | null {
  // The scheme and some spaces, and the token.
  if (authorization.length > MAX_TOKEN_CHARACTERS + 64) return null;
  const token = CREDENTIALS.exec(authorization)?.[1] ?? null;
  return token !== null && token.length <= MAX_TOKEN_CHARACTERS ? token : null;
}

/** Whether a client could send this as a Bearer token at all. */
export function canBeBearerToken(token: string): boolean {
  return TOKEN.test(token) && token.length <= MAX_TOKEN_CHARACTERS;
}
