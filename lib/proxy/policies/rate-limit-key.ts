/** Whom a request is counted for: what has a budget of its own. */
import { hash } from 'node:crypto';
import type { RateLimit } from '../../core/config/model.ts';
import { singleValueOf } from '../../core/http/flat-headers.ts';
import { addressKey } from '../../core/policy/address-key.ts';
import { claimAt } from '../../core/policy/claims.ts';
import type { Passage } from './passage.ts';

type RateLimitSource = NonNullable<RateLimit['key']>['source'];

/** Longer values are cut, and told apart by a hash for which nobody finds a second value. */
const MAX_VALUE_CHARACTERS = 128;

/** The key of one limit of one route. Keys of different sources are never alike. */
export class RateLimitKey {
  readonly source: RateLimitSource;
  readonly #name: string;
  readonly #prefix: string;

  /** @param prefix what no other limit has */
  constructor(key: RateLimit['key'], prefix: string) {
    this.source = key?.source ?? 'route';
    this.#name = this.source === 'header' ? (key?.name ?? '').toLowerCase() : (key?.name ?? '');
    this.#prefix = prefix;
  }

  /** Whether it is only known once the client has been authenticated. */
  get needsIdentity(): boolean {
    return this.source === 'consumer' || this.source === 'claim';
  }

  /** Where a request has no consumer, claim or header, the client's address counts. */
  of(passage: Passage): string {
    if (this.source === 'route') return this.#prefix;
    const value = this.#valueOf(passage);
    if (value === null || value === '') return `${this.#prefix} address ${addressKey(passage.clientAddress)}`;
    return `${this.#prefix} ${this.source} ${shortened(value)}`;
  }

  #valueOf({ identity, request }: Passage): string | null {
    switch (this.source) {
      case 'consumer':
        return identity?.consumer ?? null;
      case 'claim':
        return plainText(claimAt(identity?.claims ?? {}, this.#name));
      case 'header':
        return singleValueOf(request.rawHeaders, this.#name);
      default:
        return null;
    }
  }
}

function plainText(claim: unknown): string | null {
  return typeof claim === 'string' || typeof claim === 'number' || typeof claim === 'boolean'
    ? String(claim)
    : null;
}

function shortened(value: string): string {
  if (value.length <= MAX_VALUE_CHARACTERS) return value;
  return `${value.slice(0, MAX_VALUE_CHARACTERS)} ${hash('sha256', value, 'base64url')}`;
}
