import type { Cors } from '../../core/config/model.ts';
import { ERRORS } from '../../core/errors.ts';
import { singleValueOf, valuesOf } from '../../core/http/flat-headers.ts';
import { CorsRules } from '../../core/policy/cors.ts';
import type { AdmittedRequest } from '../admission.ts';
import type { Passage, Policy } from './passage.ts';
import { type DirectAnswer, refuse, type Verdict } from './verdict.ts';

/** The method that a pre-flight asks for; null where the request is none. */
export function preflightMethodOf({ method, rawHeaders }: AdmittedRequest): string | null {
  if (method !== 'OPTIONS' || singleValueOf(rawHeaders, 'origin') === null) return null;
  return singleValueOf(rawHeaders, 'access-control-request-method');
}

/**
 * Lets scripts of other origins use a route. Who may not is told nothing, and the browser keeps the answer back;
 * but a WebSocket, which browsers open for any page and with all cookies, is refused (RFC 6455 §10.2).
 */
export class CorsPolicy implements Policy {
  readonly name = 'cors';
  readonly #settings: Cors;
  readonly #rules: CorsRules;

  constructor(settings: Cors, routeMethods: readonly string[] | undefined) {
    this.#settings = settings;
    this.#rules = new CorsRules(settings, routeMethods);
  }

  decide(passage: Passage): Verdict {
    const origin = singleValueOf(passage.request.rawHeaders, 'origin');
    passage.withheldAnswerHeaders = CorsRules.FIELDS;
    passage.clientHeaders.push(...this.#rules.answerHeaders(origin));
    return passage.isUpgrade ? this.#judgeUpgrade(passage.request) : null;
  }

  /** Pages of the very host that is asked need no permission, and clients that are no browsers name no origin. */
  #judgeUpgrade({ rawHeaders, hostField }: AdmittedRequest): Verdict {
    for (const origin of valuesOf(rawHeaders, 'origin')) {
      if (!this.#rules.allows(origin) && !isOriginOf(hostField, origin)) return refuse(ERRORS.originDenied);
    }
    return null;
  }

  /** Answers a pre-flight for this route: before authentication, as pre-flights carry no credentials. */
  answerPreflight({ rawHeaders }: AdmittedRequest): DirectAnswer {
    const origin = singleValueOf(rawHeaders, 'origin') ?? '';
    const requested = valuesOf(rawHeaders, 'access-control-request-headers').join(', ');
    return { kind: 'answer', status: 204, headers: this.#rules.preflightHeaders(origin, requested) };
  }

  describe() {
    const { origins, credentials } = this.#settings;
    const who = origins.includes('*') ? 'any origin' : origins.slice(0, 5).join(', ');
    const effect = `scripts of ${who} may use it${credentials === true ? ', with credentials' : ''}`;
    return { effect, settings: this.#settings };
  }
}

/** Whether pages of this host and port have that origin, by http or https: which of them, a proxy in front may hide. */
function isOriginOf(hostField: string, origin: string): boolean {
  const parts = /^https?:\/\/(.+)$/i.exec(origin);
  return parts !== null && withoutUsualPort(parts[1]!) === withoutUsualPort(hostField);
}

function withoutUsualPort(authority: string): string {
  return authority.toLowerCase().replace(/:(80|443)$/, '');
}
