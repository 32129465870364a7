/** Cross-origin requests, as the Fetch standard has them (https://fetch.spec.whatwg.org/#http-cors-protocol). */
import type { Cors } from '../config/model.ts';

const DEFAULT_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
const DEFAULT_MAX_AGE_SEC = 600;

/** What a script of some origin may do, as fields of answers. */
export class CorsRules {
  readonly #anyOrigin: boolean;
  readonly #origins = new Set<string>();
  /** Of `https://*.example.com`: what an origin has to begin and end with. */
  readonly #wildcards: (readonly [prefix: string, suffix: string])[] = [];
  readonly #credentials: boolean;
  readonly #methods: string;
  readonly #headers: string | null;
  readonly #exposed: string;
  readonly #maxAgeSec: string;

  /** @param routeMethods those that the route takes; undefined where it takes any */
  constructor(cors: Cors, routeMethods: readonly string[] | undefined) {
    this.#anyOrigin = cors.origins.includes('*');
    for (const origin of cors.origins) this.#addOrigin(origin.toLowerCase());
    this.#credentials = cors.credentials ?? false;
    this.#methods = (cors.methods ?? routeMethods ?? DEFAULT_METHODS).join(', ');
    this.#headers = cors.headers === undefined ? null : cors.headers.join(', ');
    this.#exposed = (cors.exposeHeaders ?? []).join(', ');
    this.#maxAgeSec = String(cors.maxAgeSec ?? DEFAULT_MAX_AGE_SEC);
  }

  #addOrigin(origin: string): void {
    const wildcard = /^(https?:\/\/)\*(\..+)$/.exec(origin);
    if (wildcard === null) this.#origins.add(origin);
    else this.#wildcards.push([wildcard[1]!, wildcard[2]!]);
  }

  /** Whether scripts of this origin may use the route. */
  allows(origin: string): boolean {
    return this.#anyOrigin || this.#isListed(origin.toLowerCase());
  }

  #isListed(origin: string): boolean {
    if (this.#origins.has(origin)) return true;
    return this.#wildcards.some(
      ([prefix, suffix]) =>
        origin.length > prefix.length + suffix.length &&
        origin.startsWith(prefix) &&
        origin.endsWith(suffix) &&
        /^[a-z0-9._-]+$/.test(origin.slice(prefix.length, -suffix.length)),
    );
  }

  /** Flat: what an answer to a request of this origin says, be it allowed or not. */
  answerHeaders(origin: string | null): string[] {
    // Answers differ by origin, so a cache must keep them apart; for any origin they are all alike, also those
    // to requests that name none.
    const vary = this.#anyOrigin ? [] : ['vary', 'Origin'];
    const allowed = this.#anyOrigin ? '*' : origin;
    if (allowed === null || !this.allows(allowed)) return vary;
    return [
      'access-control-allow-origin',
      allowed,
      ...(this.#credentials ? ['access-control-allow-credentials', 'true'] : []),
      ...(this.#exposed === '' ? [] : ['access-control-expose-headers', this.#exposed]),
      ...vary,
    ];
  }

  /** Flat: the answer to a pre-flight, which does not say what it refuses. */
  preflightHeaders(origin: string, requestedHeaders: string): string[] {
    const vary = ['vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'];
    if (!this.allows(origin)) return vary;
    const headers = this.#headers ?? requestedHeaders;
    return [
      'access-control-allow-origin',
      this.#anyOrigin ? '*' : origin,
      ...(this.#credentials ? ['access-control-allow-credentials', 'true'] : []),
      'access-control-allow-methods',
      this.#methods,
      ...(headers === '' ? [] : ['access-control-allow-headers', headers]),
      'access-control-max-age',
      this.#maxAgeSec,
      ...vary,
    ];
  }

  /** Fields that origins must not add to: the gateway's word is the only one. */
  static readonly FIELDS: ReadonlySet<string> = new Set([
    'access-control-allow-origin',
    'access-control-allow-credentials',
    'access-control-allow-methods',
    'access-control-allow-headers',
    'access-control-expose-headers',
    'access-control-max-age',
  ]);
}
