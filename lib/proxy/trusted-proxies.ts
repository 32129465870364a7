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
   * X-Forwarded-For that is not one of theirs.
   */
  clientAddress(peerAddress: string, forwardedFor: string): string {
    if (forwardedFor === '' || !this.trusts(peerAddress)) return peerAddress;
    let client = peerAddress;
    for (const entry of forwardedFor.split(',').reverse()) {
      const address = entry.trim();
      if (isIP(address) === 0) break;
      client = address;
      if (!this.trusts(address)) break;
    }
    return client;
  }
}

/** An IPv4 client on a dual-stack socket shows as ::ffff:a.b.c.d; everyone writes a.b.c.d. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
