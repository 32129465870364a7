import { canonicalIpv6 } from '../http/ipv6-address.ts';

/** Longer than any address; what is no address is cut, so that it costs no more than one. */
const MAX_KEY_CHARACTERS = 64;

/**
 * What an address is counted under: itself, or of IPv6 its /64, as one host has all of it. IPv4 written as
 * IPv6 is IPv4.
 */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address.slice(0, MAX_KEY_CHARACTERS);
  const withoutZone = address.replace(/%.*$/, '');
  const canonical = canonicalIpv6(withoutZone);
  return canonical === null ? address.slice(0, MAX_KEY_CHARACTERS) : networkOf(canonical);
}

/** The /64 of an IPv6 address; of one that stands for an IPv4 address (RFC 4291 §2.5.5.2), that address. */
function networkOf(canonical: string): string {
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(canonical);
  if (mapped !== null) return formatIpv4(mapped[1] as string, mapped[2] as string);
  const [head = '', tail] = canonical.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const tailGroups = tail === '' ? [] : tail.split(':');
    const zeros = 8 - groups.length - tailGroups.length;
    groups.push(...new Array<string>(zeros).fill('0'), ...tailGroups);
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}

function formatIpv4(high: string, low: string): string {
  const [first, second] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [first >> 8, first & 0xff, second >> 8, second & 0xff].join('.');
}
