import type { Route } from '../../core/config/model.ts';
import type { AdmittedRequest } from '../admission.ts';
import { AddressPolicy } from './address-policy.ts';
import { AuthenticationPolicy, type AuthenticationServices } from './authentication-policy.ts';
import { CorsPolicy } from './cors-policy.ts';
import { HttpsPolicy } from './https-policy.ts';
import type { Passage, Policy } from './passage.ts';
import { RateLimitPolicy } from './rate-limit-policy.ts';
import type { RateLimiters } from './rate-limiters.ts';
import type { Verdict } from './verdict.ts';

/** What policies need of their worker. */
export interface PolicyServices extends AuthenticationServices {
  readonly rateLimiters: RateLimiters;
}

/**
 * The policies of a route, in their order: what costs least and says least comes first. Rate limits that need
 * no identity protect authentication, which costs more than they do.
 */
export class RoutePolicies {
  readonly list: readonly Policy[];
  readonly #addresses: AddressPolicy | null;
  readonly #cors: CorsPolicy | null;

  private constructor(list: readonly Policy[], addresses: AddressPolicy | null, cors: CorsPolicy | null) {
    this.list = list;
    this.#addresses = addresses;
    this.#cors = cors;
  }

  /** Null where the route has none, so that its requests pay nothing. */
  static compile(id: string, route: Route, services: PolicyServices): RoutePolicies | null {
    const { https, clientAddresses, cors, rateLimits, auth, match } = route;
    const addressPolicy = clientAddresses === undefined ? null : new AddressPolicy(clientAddresses);
    const corsPolicy = cors === undefined ? null : new CorsPolicy(cors, match.methods);
    const limits =
      rateLimits === undefined ? [] : RateLimitPolicy.compile(id, rateLimits, services.rateLimiters);
    const list = [
      // First, so that scripts may read why they are refused.
      corsPolicy,
      https === undefined ? null : new HttpsPolicy(https),
      addressPolicy,
      ...limits.filter((policy) => !policy.needsIdentity),
      auth === undefined ? null : new AuthenticationPolicy(auth, services),
      ...limits.filter((policy) => policy.needsIdentity),
    ].filter((policy) => policy !== null);
    return list.length === 0 ? null : new RoutePolicies(list, addressPolicy, corsPolicy);
  }

  /**
   * The answer to a pre-flight for this route; null where the route leaves those to its origin. Who sends it is
   * not asked, as pre-flights carry no credentials; nor is plain HTTP redirected, which browsers do not follow.
   */
  answerPreflight(request: AdmittedRequest, clientAddress: string): NonNullable<Verdict> | null {
    if (this.#cors === null) return null;
    return this.#addresses?.judge(clientAddress) ?? this.#cors.answerPreflight(request);
  }

  /** The first verdict that does not let the request pass; null where all do. Waits only where a policy does. */
  decide(passage: Passage): Verdict | Promise<Verdict> {
    return this.#decideFrom(0, passage);
  }

  #decideFrom(first: number, passage: Passage): Verdict | Promise<Verdict> {
    for (let index = first; index < this.list.length; index += 1) {
      const verdict = this.list[index]!.decide(passage);
      if (verdict instanceof Promise) return this.#decideLater(verdict, index + 1, passage);
      if (verdict !== null) return verdict;
    }
    return null;
  }

  async #decideLater(pending: Promise<Verdict>, next: number, passage: Passage): Promise<Verdict> {
    return (await pending) ?? this.#decideFrom(next, passage);
  }
}
