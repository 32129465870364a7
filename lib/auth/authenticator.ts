import { timingSafeEqual } from 'node:crypto';
import { parseBearerToken } from './bearer-token.ts';
import type { JwtVerifier } from './jwt-verifier.ts';
import type { Role } from './roles.ts';
import { digestOf, looksLikeStaticToken } from './token-entry.ts';
import { ENVIRONMENT_ACTOR, type TokenFile } from './token-file.ts';

/** `reason` is for logs and for the client alike: it holds nothing of the token. */
export type Authentication =
  /** `actor` is what changes are recorded under: the name of a token, `environment`, or `jwt:` and the subject. */
  | { readonly kind: 'ok'; readonly actor: string; readonly role: Role }
  /** There is no Authorization field: nobody tried anything. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'invalid' | 'expired'; readonly reason: string }
  /** It looks like a JWT, and the caller did not want to pay for verifying it. */
  | { readonly kind: 'unverified' }
  /** It is known who asks, but they have no role here: 403, not 401. */
  | { readonly kind: 'forbidden'; readonly actor: string; readonly reason: string };

export interface TokenSources {
  readonly tokens: TokenFile;
  /** SHA-256 of the token that the environment gives; null where it gives none. */
  readonly environmentDigest: Buffer | null;
  readonly jwt: JwtVerifier | null;
}

/** Tells who sends a request to the management API, by its Bearer token (RFC 6750). */
export class Authenticator {
  readonly #sources: TokenSources;

  constructor(sources: TokenSources) {
    this.#sources = sources;
  }

  /**
   * Takes the value of the Authorization field. To verify a JWT is the costly part: `mayVerify` is asked right
   * before that, and about nothing else. Never throws.
   */
  async authenticate(
    authorization: string | undefined,
    nowMs: number,
    mayVerify: () => boolean = () => true,
  ): Promise<Authentication> {
    if (authorization === undefined || authorization === '') return { kind: 'missing' };
    const token = parseBearerToken(authorization);
    if (token === null) return invalid('the Authorization field has no Bearer token of at most 8 KiB');
    if (this.#isFromEnvironment(token)) return { kind: 'ok', actor: ENVIRONMENT_ACTOR, role: 'admin' };
    if (looksLikeStaticToken(token)) return this.#authenticateStatic(token, nowMs);
    return this.#authenticateJwt(token, nowMs, mayVerify);
  }

  #isFromEnvironment(token: string): boolean {
    const { environmentDigest } = this.#sources;
    return environmentDigest !== null && timingSafeEqual(environmentDigest, digestOf(token));
  }

  async #authenticateStatic(token: string, nowMs: number): Promise<Authentication> {
    const found = await this.#sources.tokens.find(token, nowMs);
    if (found === null) return invalid('the token is unknown or was revoked');
    const { name, role, expiresAt } = found.entry;
    if (found.kind === 'expired') {
      return { kind: 'expired', reason: `the token "${name}" expired at ${expiresAt}` };
    }
    return { kind: 'ok', actor: name, role };
  }

  async #authenticateJwt(token: string, nowMs: number, mayVerify: () => boolean): Promise<Authentication> {
    const { jwt } = this.#sources;
    if (jwt === null) return invalid('the token is unknown');
    if (!mayVerify()) return { kind: 'unverified' };
    const result = await jwt.verify(token, nowMs);
    switch (result.kind) {
      case 'valid':
        return { kind: 'ok', actor: `jwt:${result.subject}`, role: result.role };
      case 'no-role':
        return {
          kind: 'forbidden',
          actor: `jwt:${result.subject}`,
          reason: `the JWT is refused: ${result.reason}`,
        };
      case 'invalid':
      case 'expired':
        return { kind: result.kind, reason: `the JWT is refused: ${result.reason}` };
    }
  }
}

function invalid(reason: string): Authentication {
  return { kind: 'invalid', reason };
}
