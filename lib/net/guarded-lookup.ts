/**
 * Keeps the gateway from connecting to link-local and metadata addresses, whatever a name resolves to. What is
 * checked is what is connected to: a name that resolves to another address a moment later (DNS rebinding)
 * gains nothing, as nobody asks a second time.
 */
import { type LookupAddress, type LookupAllOptions, lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { AddressSet } from '../core/policy/address-ranges.ts';
import { isRestrictedAddress } from '../core/policy/restricted-addresses.ts';

/** Gives all addresses of a host, as `dns.lookup` does. */
export type ResolveAll = (
  host: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** The host is, or resolves only to, addresses that the gateway does not connect to. */
export class AddressNotAllowedError extends Error {
  readonly code = 'ERR_ADDRESS_NOT_ALLOWED';

  constructor(host: string, address: string) {
    const what = host === address ? address : `${host} resolves to ${address}, which`;
    super(`${what} is not connected to: it is link-local or of a cloud's metadata (see --allow-addresses)`);
    this.name = 'AddressNotAllowedError';
  }
}

/**
 * The `lookup` of `net.connect`, `tls.connect` and `http.request`: resolves as the system does, and leaves out
 * the addresses that must not be connected to. Where none is left the connection fails with
 * `ERR_ADDRESS_NOT_ALLOWED`. Node does not call it for hosts that are addresses: see `checkLiteralAddress`.
 * @param allowed addresses that may be connected to all the same
 * @param resolve how names are resolved; as the system does it unless given
 */
export function createGuardedLookup(allowed: AddressSet, resolve: ResolveAll = lookup): LookupFunction {
  return (host, options, callback) => {
    resolve(host, { ...options, all: true } as LookupAllOptions, (error, addresses) => {
      if (error !== null) {
        callback(error, '', 0);
        return;
      }
      const permitted = addresses.filter(({ address }) => mayConnectTo(address, allowed));
      const [first] = permitted;
      if (first === undefined) callback(refusalOf(host, addresses), '', 0);
      else if (options.all === true) callback(null, permitted);
      else callback(null, first.address, first.family);
    });
  };
}

/**
 * Whether a host may be connected to as it stands: null where it is a name, which the lookup checks, or an
 * address that is allowed.
 * @param host with or without the brackets of an IPv6 address in a URL
 */
export function checkLiteralAddress(host: string, allowed: AddressSet): AddressNotAllowedError | null {
  const address = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  if (isIP(address) === 0 || mayConnectTo(address, allowed)) return null;
  return new AddressNotAllowedError(address, address);
}

function mayConnectTo(address: string, allowed: AddressSet): boolean {
  return !isRestrictedAddress(address) || allowed.has(address);
}

function refusalOf(host: string, addresses: readonly LookupAddress[]): Error {
  const [first] = addresses;
  if (first !== undefined) return new AddressNotAllowedError(host, first.address);
  return Object.assign(new Error(`${host} has no address`), { code: 'ENOTFOUND' });
}
