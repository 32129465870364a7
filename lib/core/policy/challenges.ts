import type { RouteAuth } from '../config/model.ts';

const DEFAULT_REALM = 'gateway';
/** A `scope-token` (RFC 6749 §3.3): another one cannot be named in a challenge. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** The WWW-Authenticate fields of a route's refusals, as flat lists: what would be accepted, and what was wrong. */
export class Challenges {
  /** For who presented nothing, or no token: no word of an error (RFC 6750 §3.1). */
  readonly plain: readonly string[];
  /** For a token that is not valid. */
  readonly invalidToken: readonly string[];
  /** For who is known and may not; empty where no token would help. */
  readonly insufficientScope: readonly string[];

  constructor({ issuers, basic, apiKey, scopes = [] }: RouteAuth) {
    const realm = `realm="${basic?.realm ?? DEFAULT_REALM}"`;
    const bearer = `Bearer ${realm}`;
    const others = [
      ...(basic === undefined ? [] : [`Basic ${realm}, charset="UTF-8"`]),
      // Not registered, but a 401 must name a scheme (RFC 9110 §15.5.2), and there is no other for keys.
      ...(apiKey === undefined ? [] : [`ApiKey ${realm}`]),
    ];
    const takesTokens = issuers !== undefined;
    this.plain = listFields(takesTokens || others.length === 0 ? [bearer, ...others] : others);
    this.invalidToken = listFields([`${bearer}, error="invalid_token"`, ...others]);
    const scope = scopes.length > 0 && scopes.every(isScopeToken) ? `, scope="${scopes.join(' ')}"` : '';
    this.insufficientScope = takesTokens
      ? listFields([`${bearer}, error="insufficient_scope"${scope}`])
      : listFields([]);
  }
}

function isScopeToken(scope: string): boolean {
  return SCOPE_TOKEN.test(scope);
}

function listFields(challenges: readonly string[]): readonly string[] {
  return challenges.flatMap((challenge) => ['www-authenticate', challenge]);
}
