import { isIP, type LookupFunction } from 'node:net';
import type { AddressSet } from '../core/policy/address-ranges.ts';
import { checkLiteralAddress } from '../net/guarded-lookup.ts';
import type { OriginTls, OriginTlsOptions } from './tls/origin-tls.ts';

/** What connections to origins need of their worker. */
export interface OriginServices {
  /** Resolves names, but never to addresses that are not to be connected to. */
  readonly lookup: LookupFunction;
  /** Addresses that may be connected to though they are link-local or of a cloud's metadata. */
  readonly allowedAddresses: AddressSet;
}

/** The way to one destination: where it is, and how a connection to it is secured. */
export class OriginAccess {
  readonly secure: boolean;
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
  readonly lookup: LookupFunction;
  /** The name to verify; empty for an address, which is verified as such and never asked for (RFC 6066 §3). */
  readonly serverName: string;
  readonly #tls: OriginTls;
  readonly #allowedAddresses: AddressSet;

  constructor(origin: URL, tls: OriginTls, services: OriginServices) {
    this.secure = origin.protocol === 'https:';
    this.host = origin.hostname.replace(/^\[|\]$/g, '');
    this.port = origin.port === '' ? (this.secure ? 443 : 80) : Number(origin.port);
    this.lookup = services.lookup;
    this.#tls = tls;
    this.#allowedAddresses = services.allowedAddresses;
    const name = tls.serverName ?? this.host;
    this.serverName = isIP(name) === 0 ? name : '';
  }

  /** @throws Error where the host is an address that is not to be connected to; for a name see `lookup` */
  checkHost(): void {
    const problem = checkLiteralAddress(this.host, this.#allowedAddresses);
    if (problem !== null) throw problem;
  }

  /** @throws Error where what the settings refer to cannot be got or used */
  tlsOptions(): Promise<OriginTlsOptions> {
    return this.#tls.options();
  }
}
