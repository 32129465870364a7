/**
 * A request on its way through the policies of its route: what they look at, and what they leave behind. Only
 * requests of routes that have policies get one.
 */
import { removeLookAlikes } from '../../core/http/flat-headers.ts';
import { plainName } from '../../core/http/plain-name.ts';
import type { AdmittedRequest } from '../admission.ts';
import type { Verdict } from './verdict.ts';

/** Who sends a request, once that is verified. */
export interface Identity {
  readonly method: 'jwt' | 'apiKey' | 'basic';
  /** The id of the consumer; of a JWT the issuer's id and the subject, as `main:alice`, and null where it names none. */
  readonly consumer: string | null;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  /** The claims of a JWT; null for consumers. */
  readonly claims: Readonly<Record<string, unknown>> | null;
}

export class Passage {
  readonly request: AdmittedRequest;
  /** The client's own address, seen past trusted proxies. */
  readonly clientAddress: string;
  /** How the client came: as it said itself, or a trusted proxy in front. */
  readonly scheme: 'http' | 'https';
  readonly isUpgrade: boolean;
  identity: Identity | null = null;
  /** Flat: fields that the origin gets besides, last of all. */
  readonly originHeaders: string[] = [];
  /** Names of request fields that the origin does not get, nor their look-alikes: as `plainName` gives them. */
  readonly withheldHeaders: string[] = [];
  /** Query parameters and cookies that the origin does not get, as they carry credentials. */
  withheldParameter: string | null = null;
  withheldCookie: string | null = null;
  /** Names of fields that the origin's answer loses, in lower case: the gateway's word is the only one. */
  withheldAnswerHeaders: ReadonlySet<string> | null = null;
  /** Flat: fields of the answer, be it the origin's or the gateway's own. They take the place of the origin's; Vary adds to it. */
  readonly clientHeaders: string[] = [];

  constructor(request: AdmittedRequest, clientAddress: string, scheme: 'http' | 'https', isUpgrade: boolean) {
    this.request = request;
    this.clientAddress = clientAddress;
    this.scheme = scheme;
    this.isUpgrade = isUpgrade;
  }

  /**
   * Tells the origin something of the client, in place of what was said before by that name or a look-alike of it.
   * @param value null: nothing, whoever said something
   */
  tellOrigin(name: string, value: string | null): void {
    if (this.originHeaders.length > 0) removeLookAlikes(this.originHeaders, [plainName(name)]);
    if (value !== null) this.originHeaders.push(name, value);
  }
}

/** One policy of a route, made ready when the route was applied. */
export interface Policy {
  /** As in the configuration. */
  readonly name: string;
  /** A promise only where there is really something to wait for, which is bounded. Never rejects. */
  decide(passage: Passage): Verdict | Promise<Verdict>;
  /** What `decide` would say, without effect on later requests; where it is absent, `decide` has none. */
  preview?(passage: Passage): Verdict | Promise<Verdict>;
  /** What it would look at, for people: see explain. */
  describe(): { readonly effect: string; readonly settings: unknown };
}
