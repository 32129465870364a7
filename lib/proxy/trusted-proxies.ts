import { BlockList, isIP } from 'node:net';

/** The peers whose word about the client is believed: addresses and CIDR ranges from the settings. */
export class TrustedProxies {
  readonly #ranges = new BlockList();
  readonly #empty: boolean;

  /** @throws Error naming the first entry that is neither an address nor a CIDR range */
  constructor(ranges: readonly string[]) {
    this.#empty = ranges.length === 0;
    for (const range of ranges) this.#add(range);
  }

  #add(range: string): void {
    const [address = '', prefix] = range.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    const longest = family === 'ipv6' ? 128 : 32;
    const length = prefix === undefined ? longest : Number(prefix);
    if (isIP(address) === 0 || !/^\d*$/.test(prefix ?? '') || prefix === '' || length > longest) {
      throw new Error(`"${range}" is neither an address nor a CIDR range such as 10.0.0.0/8 or fd00::/8`);
    }
    this.#ranges.addSubnet(address, length, family);
  }

  trusts(address: string): boolean {
    if (this.#empty) return false;
    const family = isIP(address);
    return family !== 0 && this.#ranges.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }

  /**
   * The address of the client itself: the peer's, or, behind trusted proxies, the last address of
   * X-Forwarded-For that is not one of theirs, with or without a port. Empty where a trusted proxy tells
   * something that is no address, such as `unknown`: the proxy's own would let everybody in whom it lets in.
   */
  clientAddress(peerAddress: string, forwardedFor: string): string {
    if (forwardedFor === '' || !this.trusts(peerAddress)) return peerAddress;
    let client = peerAddress;
    for (const entry of forwardedFor.split(',').reverse()) {
      const address = readAddress(entry.trim());
      if (address === '') return '';
      client = address;
      if (!this.trusts(address)) break;
    }
    return client;
  }
}

/** `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` and `[2001:db8::1]:4711`; empty for all else. */
const ENTRY = /^(?:\[([^\]]+)\](?::\d{1,5})?|([\d.]+)(?::\d{1,5})?|([0-9a-fA-F:.]+))$/;

function readAddress(entry: string): string {
  const match = ENTRY.exec(entry);
  const address = match?.[1] ?? match?.[2] ?? match?.[3] ?? '';
  return isIP(address) === 0 ? '' : plainAddress(address);
}

/** An IPv4 client on a dual-stack socket shows as ::ffff:a.b.c.d; everyone writes a.b.c.d. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
