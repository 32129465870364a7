import type { RouteAuth } from '../config/model.ts';
import { type Claims, claimAt, holdsAny } from './claims.ts';

/** What is known of who sends a request. */
interface VerifiedIdentity {
  /** Null where a token names nobody. */
  readonly consumer: string | null;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  /** Null for consumers, which have none. */
  readonly claims: Claims | null;
}

type ClaimRequirement = readonly [name: string, values: readonly (string | number | boolean)[]];

/** Who of those that are known may use a route. */
export class AccessRules {
  readonly #scopes: readonly string[];
  readonly #roles: readonly string[];
  readonly #claims: readonly ClaimRequirement[];
  /** Null lets all consumers in. */
  readonly #consumers: ReadonlySet<string> | null;

  constructor({ scopes = [], roles = [], claims = {}, consumers }: RouteAuth) {
    this.#scopes = scopes;
    this.#roles = roles;
    this.#claims = Object.entries(claims);
    this.#consumers = consumers === undefined ? null : new Set(consumers);
  }

  /** What somebody lacks, in words that are safe to show; null where it is nothing. */
  findLack(identity: VerifiedIdentity): string | null {
    const { consumer } = identity;
    if (identity.claims === null && this.#consumers?.has(consumer ?? '') === false) {
      return 'this consumer may not use the route';
    }
    if (!this.#scopes.every((scope) => identity.scopes.includes(scope))) return 'a scope is missing';
    if (this.#roles.length > 0 && !this.#roles.some((role) => identity.roles.includes(role))) {
      return 'none of the roles is among those that the route takes';
    }
    return this.#holdsClaims(identity.claims)
      ? null
      : 'a claim is missing, or none of those that the route takes';
  }

  #holdsClaims(claims: Claims | null): boolean {
    if (this.#claims.length === 0) return true;
    return claims !== null && this.#claims.every(([name, values]) => holdsAny(claimAt(claims, name), values));
  }
}
