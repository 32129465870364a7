import { CONSUMER_ID_HEADER, type ConsumerIndex, type KnownConsumer } from '../../auth/consumer-index.ts';
import type { PasswordVerdict, PasswordVerifier } from '../../auth/password-verifier.ts';
import { claimedIssuerOf } from '../../auth/token-decoding.ts';
import type { TokenIssuer, TokenVerdict, VerifiedToken } from '../../auth/token-issuer.ts';
import type { RouteAuth } from '../../core/config/model.ts';
import { ERRORS } from '../../core/errors.ts';
import { AccessRules } from '../../core/policy/access-rules.ts';
import type { BasicCredentials } from '../../core/policy/authorization-field.ts';
import { Challenges } from '../../core/policy/challenges.ts';
import { claimAt, headerValueOf } from '../../core/policy/claims.ts';
import { CredentialFinder } from '../../core/policy/presented-credential.ts';
import { REPEATED } from '../../core/policy/request-credentials.ts';
import type { Identity, Passage, Policy } from './passage.ts';
import { type PolicyRefusal, refuse, type Verdict } from './verdict.ts';

/** Whom the configuration in use trusts. Asked at each request, as it changes without the route changing. */
export interface TrustLookup {
  issuer(id: string): TokenIssuer | undefined;
  readonly consumers: ConsumerIndex;
}

/** What the policy needs of its worker. */
export interface AuthenticationServices {
  readonly trust: TrustLookup;
  readonly passwords: PasswordVerifier;
}

/** When to come again where the gateway itself is what is missing. */
const KEYS_RETRY_SEC = 5;
const OVERLOAD_RETRY_SEC = 1;
/** The address of no client. */
const PREVIEW_ADDRESS = 'preview';

/**
 * Lets those through that the route is for: finds the one credential that a request presents, verifies it, and
 * compares who that is with what the route asks for. What is not valid is never made up for by another credential.
 */
export class AuthenticationPolicy implements Policy {
  readonly name = 'auth';
  readonly #auth: RouteAuth;
  readonly #services: AuthenticationServices;
  readonly #issuerIds: readonly string[];
  readonly #finder: CredentialFinder;
  readonly #rules: AccessRules;
  readonly #challenges: Challenges;
  readonly #forwardsCredentials: boolean;
  readonly #nothingPresented: PolicyRefusal;
  readonly #invalidToken: PolicyRefusal;
  readonly #expiredToken: PolicyRefusal;
  readonly #invalidCredentials: PolicyRefusal;

  constructor(auth: RouteAuth, services: AuthenticationServices) {
    this.#auth = auth;
    this.#services = services;
    this.#issuerIds = auth.issuers ?? [];
    this.#finder = new CredentialFinder(auth);
    this.#rules = new AccessRules(auth);
    this.#challenges = new Challenges(auth);
    this.#forwardsCredentials = auth.forwardToken ?? true;
    const { plain, invalidToken } = this.#challenges;
    this.#nothingPresented = refuse(ERRORS.unauthenticated, null, plain);
    this.#invalidToken = refuse(ERRORS.unauthenticated, null, invalidToken);
    this.#expiredToken = refuse(ERRORS.unauthenticated, 'the token has expired', invalidToken);
    this.#invalidCredentials = refuse(ERRORS.unauthenticated, null, plain);
  }

  decide(passage: Passage): Verdict | Promise<Verdict> {
    return this.#decideFor(passage, passage.clientAddress);
  }

  /** Passwords that are wrong count for nobody's address, but are limited all the same: this is no way to guess them. */
  preview(passage: Passage): Verdict | Promise<Verdict> {
    return this.#decideFor(passage, PREVIEW_ADDRESS);
  }

  /** @param address what failures count for */
  #decideFor(passage: Passage, address: string): Verdict | Promise<Verdict> {
    const { rawHeaders, query } = passage.request;
    const presented = this.#finder.find(rawHeaders, query);
    if (!this.#forwardsCredentials) this.#withhold(passage);
    switch (presented.kind) {
      case 'none':
        return this.#nothingPresented;
      case 'unusable':
        return refuse(ERRORS.unauthenticated, presented.detail, this.#challenges.plain);
      case 'jwt':
        return this.#decideByToken(passage, presented.token);
      case 'apiKey':
        return this.#decideByKey(passage, presented.key);
      case 'basic':
        return this.#decideByPassword(passage, presented.credentials, address);
    }
  }

  describe() {
    const { issuers, apiKey, basic } = this.#auth;
    const accepted = [
      ...(issuers === undefined ? [] : [`a JWT of ${issuers.join(' or ')}`]),
      ...(apiKey === undefined ? [] : ['an API key']),
      ...(basic === undefined ? [] : ['a user name and password']),
    ];
    return { effect: `asks for ${accepted.join(', or ')}`, settings: this.#auth };
  }

  /** All that may hold credentials, whichever decides: the others are nobody's business either. */
  #withhold(passage: Passage): void {
    const parameter = this.#finder.parameterIn(passage.request.query);
    passage.withheldHeaders.push(...this.#finder.headers);
    passage.withheldCookie = this.#finder.cookie;
    passage.withheldParameter = parameter === REPEATED ? null : parameter;
  }

  #decideByToken(passage: Passage, token: string): Verdict | Promise<Verdict> {
    if (this.#issuerIds.length === 1) return this.#askIssuers(passage, token, null, 0);
    const known = this.#recallToken(passage, token);
    if (known !== undefined) return known;
    const claimedIssuer = claimedIssuerOf(token);
    return claimedIssuer === null ? this.#invalidToken : this.#askIssuers(passage, token, claimedIssuer, 0);
  }

  /** Whether one of several issuers knows the token already costs 1 µs each; to see which it names, 9 µs. */
  #recallToken(passage: Passage, token: string): Verdict | undefined {
    const nowMs = Date.now();
    for (const id of this.#issuerIds) {
      const issuer = this.#services.trust.issuer(id);
      const verdict = issuer?.recall(token, nowMs) ?? null;
      if (issuer !== undefined && verdict !== null) return this.#judgeToken(passage, issuer, verdict);
    }
    return undefined;
  }

  /**
   * Asks the issuers of the claimed name (null: all), from the given position on. Those that share a name differ
   * in keys or audience: the first that does not find the token invalid decides.
   */
  #askIssuers(
    passage: Passage,
    token: string,
    claimedIssuer: string | null,
    first: number,
  ): Verdict | Promise<Verdict> {
    for (let index = first; index < this.#issuerIds.length; index += 1) {
      const issuer = this.#services.trust.issuer(this.#issuerIds[index]!);
      if (issuer === undefined) continue;
      if (claimedIssuer !== null && issuer.issuer !== claimedIssuer) continue;
      const verdict = issuer.verify(token, Date.now());
      if (verdict instanceof Promise) {
        return verdict.then((late) =>
          late.kind === 'invalid'
            ? this.#askIssuers(passage, token, claimedIssuer, index + 1)
            : this.#judgeToken(passage, issuer, late),
        );
      }
      if (verdict.kind !== 'invalid') return this.#judgeToken(passage, issuer, verdict);
    }
    return this.#invalidToken;
  }

  #judgeToken(passage: Passage, issuer: TokenIssuer, verdict: TokenVerdict): Verdict {
    switch (verdict.kind) {
      case 'valid':
        return this.#admitToken(passage, issuer, verdict.token);
      case 'invalid':
        return this.#invalidToken;
      case 'expired':
        return this.#expiredToken;
      case 'unavailable':
        return refuse(ERRORS.keysUnavailable, null, retryAfter(KEYS_RETRY_SEC));
    }
  }

  #admitToken(passage: Passage, issuer: TokenIssuer, token: VerifiedToken): Verdict {
    const { subject, claims, scopes, roles } = token;
    const refusal = this.#admit(passage, {
      method: 'jwt',
      consumer: `${issuer.id}:${subject}`,
      scopes,
      roles,
      claims,
    });
    if (refusal !== null) return refusal;
    for (const [header, claim] of issuer.claimHeaders) {
      const value = headerValueOf(claimAt(claims, claim));
      if (value !== null) passage.originHeaders.push(header, value);
    }
    return null;
  }

  #decideByKey(passage: Passage, key: string): Verdict {
    const consumer = this.#services.trust.consumers.findByApiKey(key);
    return consumer === null ? this.#invalidCredentials : this.#admitConsumer(passage, 'apiKey', consumer);
  }

  #decideByPassword(
    passage: Passage,
    credentials: BasicCredentials,
    address: string,
  ): Verdict | Promise<Verdict> {
    const { trust, passwords } = this.#services;
    const user = trust.consumers.findByUsername(credentials.username);
    const verdict = passwords.verify(user?.hash ?? null, credentials, address);
    const consumer = user?.consumer ?? null;
    return verdict instanceof Promise
      ? verdict.then((late) => this.#judgePassword(passage, consumer, late))
      : this.#judgePassword(passage, consumer, verdict);
  }

  #judgePassword(passage: Passage, consumer: KnownConsumer | null, verdict: PasswordVerdict): Verdict {
    switch (verdict.kind) {
      case 'valid':
        return consumer === null ? this.#invalidCredentials : this.#admitConsumer(passage, 'basic', consumer);
      case 'invalid':
        return this.#invalidCredentials;
      case 'blocked':
        return refuse(ERRORS.tooManyAttempts, null, retryAfter(verdict.waitSec));
      case 'overloaded':
        return refuse(ERRORS.overloaded, null, retryAfter(OVERLOAD_RETRY_SEC));
    }
  }

  #admitConsumer(passage: Passage, method: 'apiKey' | 'basic', consumer: KnownConsumer): Verdict {
    const { id, scopes, roles } = consumer;
    const refusal = this.#admit(passage, { method, consumer: id, scopes, roles, claims: null });
    if (refusal === null) passage.originHeaders.push(CONSUMER_ID_HEADER, id);
    return refusal;
  }

  #admit(passage: Passage, identity: Identity): PolicyRefusal | null {
    passage.identity = identity;
    const lack = this.#rules.findLack(identity);
    return lack === null ? null : refuse(ERRORS.accessDenied, lack, this.#challenges.insufficientScope);
  }
}

function retryAfter(seconds: number): readonly string[] {
  return ['retry-after', String(seconds)];
}
