import type { RouteAuth } from '../config/model.ts';
import { plainName } from '../http/plain-name.ts';
import { type BasicCredentials, readBasic, readBearer } from './authorization-field.ts';
import { findCookie, findField, findParameter, REPEATED } from './request-credentials.ts';

/** Where a credential stands: in the Authorization field, in the field for API keys, in a cookie, in the query. */
export type CredentialCarrier = 'authorization' | 'keyHeader' | 'cookie' | 'query';

/** What a client shows of itself, before anybody has looked whether it is true. */
export type PresentedCredential =
  | { readonly kind: 'none'; readonly carrier: null }
  | { readonly kind: 'jwt'; readonly carrier: CredentialCarrier; readonly token: string }
  | { readonly kind: 'apiKey'; readonly carrier: CredentialCarrier; readonly key: string }
  | { readonly kind: 'basic'; readonly carrier: CredentialCarrier; readonly credentials: BasicCredentials }
  /** There is something that nobody can make sense of; `detail` is safe to show. */
  | { readonly kind: 'unusable'; readonly carrier: null; readonly detail: string };

/** Where a key is looked for when a route names no place. */
const DEFAULT_KEY_HEADER = 'x-api-key';

const NONE: PresentedCredential = { kind: 'none', carrier: null };
const SEVERAL_FIELDS = unusable('there is more than one Authorization field');
const SEVERAL_KEYS = unusable('there is more than one API key');
const SEVERAL_TOKENS = unusable('there is more than one token');
const SEVERAL_IN_QUERY = unusable('there is more than one credential in the query');
const MALFORMED_BASIC = unusable(
  'the Basic credentials are not user name, colon and password in UTF-8 and base64',
);

/**
 * Finds the one credential that decides about a request: of the kinds that a route accepts, the first of an
 * Authorization field, an API key, and, where there is no Authorization field, a token in a cookie or in the query.
 */
export class CredentialFinder {
  readonly #acceptsTokens: boolean;
  readonly #acceptsBasic: boolean;
  readonly #keyParameter: string | null;
  readonly #tokenCookie: string | null;
  readonly #tokenParameter: string | null;
  /** Names of the query parameters that may hold credentials. */
  readonly parameters: readonly string[];
  /** Names of the header fields, as `plainName` gives them. */
  readonly headers: readonly string[];
  /** The one of them that is for API keys. */
  readonly keyHeader: string | null;
  /** Name of the cookie. */
  readonly cookie: string | null;

  constructor({ issuers, basic, apiKey, tokenFrom }: RouteAuth) {
    this.#acceptsTokens = issuers !== undefined;
    this.#acceptsBasic = basic !== undefined;
    const header = apiKey?.header ?? (apiKey?.query === undefined ? DEFAULT_KEY_HEADER : undefined);
    this.keyHeader = apiKey === undefined || header === undefined ? null : plainName(header);
    this.#keyParameter = apiKey?.query ?? null;
    this.#tokenCookie = this.#acceptsTokens ? (tokenFrom?.cookie ?? null) : null;
    this.#tokenParameter = this.#acceptsTokens ? (tokenFrom?.query ?? null) : null;
    this.parameters = distinct([this.#tokenParameter, this.#keyParameter]);
    this.headers = distinct([this.#readsAuthorization ? 'authorization' : null, this.keyHeader]);
    this.cookie = this.#tokenCookie;
  }

  get #readsAuthorization(): boolean {
    return this.#acceptsTokens || this.#acceptsBasic;
  }

  /** @param rawHeaders names and values in turn, as they arrived */
  find(rawHeaders: readonly string[], query: string): PresentedCredential {
    if (this.parameterIn(query) === REPEATED) return SEVERAL_IN_QUERY;
    const authorization = this.#readsAuthorization ? findField(rawHeaders, 'authorization') : null;
    if (authorization === REPEATED) return SEVERAL_FIELDS;
    const presented = authorization === null ? NONE : this.#readAuthorization(authorization);
    if (presented !== NONE) return presented;
    const withKey = this.#findKey(rawHeaders, query);
    return withKey === NONE && authorization === null ? this.#findToken(rawHeaders, query) : withKey;
  }

  /** Which query parameter holds a credential; a query has one credential at most, or could not be trusted with any. */
  parameterIn(query: string): string | null | typeof REPEATED {
    let found: string | null = null;
    if (query === '') return found;
    for (const name of this.parameters) {
      const value = findParameter(query, name);
      if (value === null) continue;
      if (value === REPEATED || found !== null) return REPEATED;
      found = name;
    }
    return found;
  }

  #readAuthorization(authorization: string): PresentedCredential {
    const token = this.#acceptsTokens ? readBearer(authorization) : null;
    if (token !== null) return { kind: 'jwt', carrier: 'authorization', token };
    const credentials = this.#acceptsBasic ? readBasic(authorization) : null;
    if (credentials === 'malformed') return MALFORMED_BASIC;
    return credentials === null ? NONE : { kind: 'basic', carrier: 'authorization', credentials };
  }

  #findKey(rawHeaders: readonly string[], query: string): PresentedCredential {
    const inHeader = this.keyHeader === null ? null : findField(rawHeaders, this.keyHeader);
    const inQuery = this.#keyParameter === null ? null : findParameter(query, this.#keyParameter);
    if (inHeader === REPEATED || inQuery === REPEATED) return SEVERAL_KEYS;
    if (inHeader !== null) {
      return inQuery === null ? { kind: 'apiKey', carrier: 'keyHeader', key: inHeader } : SEVERAL_KEYS;
    }
    return inQuery === null ? NONE : { kind: 'apiKey', carrier: 'query', key: inQuery };
  }

  #findToken(rawHeaders: readonly string[], query: string): PresentedCredential {
    const inCookie = this.#tokenCookie === null ? null : findCookie(rawHeaders, this.#tokenCookie);
    const inQuery = this.#tokenParameter === null ? null : findParameter(query, this.#tokenParameter);
    if (inCookie === REPEATED || inQuery === REPEATED) return SEVERAL_TOKENS;
    if (inCookie !== null) {
      return inQuery === null ? { kind: 'jwt', carrier: 'cookie', token: inCookie } : SEVERAL_TOKENS;
    }
    return inQuery === null ? NONE : { kind: 'jwt', carrier: 'query', token: inQuery };
  }
}

function unusable(detail: string): PresentedCredential {
  return { kind: 'unusable', carrier: null, detail };
}

function distinct(names: readonly (string | null)[]): string[] {
  return [...new Set(names.filter((name) => name !== null))];
}
