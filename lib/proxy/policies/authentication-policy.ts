import { CONSUMER_ID_HEADER, type ConsumerIndex, type KnownConsumer } from '../../auth/consumer-index.ts';
import { IssuerChoice, type IssuerLookup } from '../../auth/issuer-choice.ts';
import type { PasswordVerdict, PasswordVerifier } from '../../auth/password-verifier.ts';
import type { TokenVerdict, VerifiedToken } from '../../auth/token-issuer.ts';
import type { RouteAuth } from '../../core/config/model.ts';
import { ERRORS } from '../../core/errors.ts';
import { AccessRules } from '../../core/policy/access-rules.ts';
import type { BasicCredentials } from '../../core/policy/authorization-field.ts';
import { Challenges } from '../../core/policy/challenges.ts';
import { claimAt, headerValueOf } from '../../core/policy/claims.ts';
import { type CredentialCarrier, CredentialFinder } from '../../core/policy/presented-credential.ts';
import { REPEATED } from '../../core/policy/request-credentials.ts';
import type { Identity, Passage, Policy } from './passage.ts';
import { type PolicyRefusal, refuse, type Verdict } from './verdict.ts';

/** Whom the configuration in use trusts. Asked at each request, as it changes without the route changing. */
interface TrustLookup extends IssuerLookup {
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
  readonly #issuers: IssuerChoice;
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
    this.#issuers = new IssuerChoice(auth.issuers ?? [], services.trust);
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
    this.#withhold(passage, presented.carrier);
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

  /**
   * What may hold credentials and did not decide is kept from the origin, who could take it for verified. What
   * decided goes on where the route says so.
   */
  #withhold(passage: Passage, carrier: CredentialCarrier | null): void {
    const { headers, keyHeader, cookie } = this.#finder;
    const kept = this.#forwardsCredentials ? carrier : null;
    if (!this.#forwardsCredentials) passage.withheldHeaders.push(...headers);
    else if (keyHeader !== null && kept !== 'keyHeader') passage.withheldHeaders.push(keyHeader);
    if (kept !== 'cookie') passage.withheldCookie = cookie;
    if (kept === 'query') return;
    const parameter = this.#finder.parameterIn(passage.request.query);
    passage.withheldParameter = parameter === REPEATED ? null : parameter;
  }

  #decideByToken(passage: Passage, token: string): Verdict | Promise<Verdict> {
    const verdict = this.#issuers.judge(token, Date.now());
    return verdict instanceof Promise
      ? verdict.then((late) => this.#judgeToken(passage, late))
      : this.#judgeToken(passage, verdict);
  }

  #judgeToken(passage: Passage, verdict: TokenVerdict): Verdict {
    switch (verdict.kind) {
      case 'valid':
        return this.#admitToken(passage, verdict.token);
      case 'invalid':
        return this.#invalidToken;
      case 'expired':
        return this.#expiredToken;
      case 'unavailable':
        return refuse(ERRORS.keysUnavailable, null, retryAfter(KEYS_RETRY_SEC));
    }
  }

  #admitToken(passage: Passage, { issuer, subject, claims, scopes, roles }: VerifiedToken): Verdict {
    const consumer = subject === '' ? null : `${issuer.id}:${subject}`;
    const refusal = this.#admit(passage, { method: 'jwt', consumer, scopes, roles, claims });
    if (refusal !== null) return refusal;
    for (const [header, claim] of issuer.claimHeaders) {
      passage.tellOrigin(header, headerValueOf(claimAt(claims, claim)));
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
    const verdict = passwords.verify(user?.hash ?? trust.consumers.highestCost, credentials, address);
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
    if (refusal === null) passage.tellOrigin(CONSUMER_ID_HEADER, id);
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
