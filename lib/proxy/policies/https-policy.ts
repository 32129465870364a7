import type { HttpsPolicy as HttpsSettings } from '../../core/config/model.ts';
import type { Passage, Policy } from './passage.ts';
import type { Verdict } from './verdict.ts';

const DEFAULT_HTTPS_PORT = 443;

/** What becomes of plain HTTP: a redirect (RFC 9110 §15.4.9), and on answers over https the word to stay with it. */
export class HttpsPolicy implements Policy {
  readonly name = 'https';
  readonly #settings: HttpsSettings;
  readonly #port: string;
  /** The value of Strict-Transport-Security (RFC 6797 §6.1); null where there is none. */
  readonly #hsts: string | null;

  constructor(settings: HttpsSettings) {
    this.#settings = settings;
    const { port = DEFAULT_HTTPS_PORT, hsts } = settings;
    this.#port = port === DEFAULT_HTTPS_PORT ? '' : `:${port}`;
    this.#hsts = hsts === undefined ? null : hstsValue(hsts);
  }

  decide(passage: Passage): Verdict {
    if (passage.scheme === 'https') {
      // Browsers ignore it over plain HTTP, where anybody could have put it (RFC 6797 §7.2).
      if (this.#hsts !== null) passage.clientHeaders.push('strict-transport-security', this.#hsts);
      return null;
    }
    if (this.#settings.redirect !== true) return null;
    const { host, path, query, hasQuery } = passage.request;
    const location = `https://${host}${this.#port}${path}${hasQuery ? `?${query}` : ''}`;
    return { kind: 'answer', status: 308, headers: ['location', location] };
  }

  describe() {
    const redirect = this.#settings.redirect === true ? 'plain HTTP is redirected to https' : '';
    const hsts = this.#hsts === null ? '' : `over https: Strict-Transport-Security: ${this.#hsts}`;
    const effect = [redirect, hsts].filter((part) => part !== '').join('; ');
    return { effect: effect === '' ? 'no effect' : effect, settings: this.#settings };
  }
}

function hstsValue({ maxAgeSec, includeSubdomains, preload }: NonNullable<HttpsSettings['hsts']>): string {
  return [
    `max-age=${maxAgeSec}`,
    ...(includeSubdomains ? ['includeSubDomains'] : []),
    ...(preload ? ['preload'] : []),
  ].join('; ');
}
