/** Keys as signatures are verified with them. */
import { createVerifier } from 'fast-jwt';
import type { JwtAlgorithm } from '../core/config/model.ts';
import type { JwtKey } from './jwt-keys.ts';
import type { SharedSecret } from './shared-secret.ts';

/**
 * One key and the algorithms that it is for. fast-jwt does the cryptography and nothing else: times and
 * claims are checked elsewhere, so that the clock is the caller's and what is missing is not passed over.
 */
export class SignatureKey {
  readonly id: string | null;
  readonly algorithms: readonly JwtAlgorithm[];
  readonly #key: string | Buffer;
  /** Made at the first use: to prepare a key takes long, and of a hundred an issuer uses two. */
  #verify: ((token: string) => unknown) | null = null;

  constructor(id: string | null, algorithms: readonly JwtAlgorithm[], key: string | Buffer) {
    this.id = id;
    this.algorithms = algorithms;
    this.#key = key;
  }

  static ofJwtKey({ id, algorithms, pem }: JwtKey): SignatureKey {
    return new SignatureKey(id, algorithms, pem);
  }

  static ofSecret({ algorithms, bytes }: SharedSecret): SignatureKey {
    return new SignatureKey(null, algorithms, bytes);
  }

  /** @returns the claims as JSON.parse reads them; null where the token is not signed with this key */
  claimsOf(token: string): unknown {
    try {
      this.#verify ??= this.#prepare();
      return this.#verify(token);
    } catch {
      return null;
    }
  }

  #prepare(): (token: string) => unknown {
    return createVerifier({
      key: this.#key,
      algorithms: [...this.algorithms],
      ignoreExpiration: true,
      ignoreNotBefore: true,
      cache: false,
    });
  }
}
