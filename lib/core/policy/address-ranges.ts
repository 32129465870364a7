/**
 * IP addresses and the ranges that hold them. An IPv4 address counts as the IPv6 address that stands for it
 * (::ffff:a.b.c.d, RFC 4291 §2.5.5.2), so `::/0` holds all there is.
 */
import { parseIpv6 } from '../http/ipv6-address.ts';

const GROUP_BITS = 16;
const GROUP_COUNT = 8;
/** Where the IPv4 address begins in the groups of the IPv6 address that stands for it. */
const MAPPED_GROUP = 6;
const MAPPED_BITS = MAPPED_GROUP * GROUP_BITS;

/** The first and the last address of a range, both as the eight groups of an IPv6 address. */
export interface AddressRange {
  readonly first: readonly number[];
  readonly last: readonly number[];
  /** Whether the text had bits beyond the prefix, as in 10.0.0.1/8: hardly what was meant. */
  readonly hasHostBits: boolean;
}

/** Reads an address (a range of one) or a CIDR range (RFC 4632 §3.1, RFC 4291 §2.3). Returns null where `text` is neither. */
export function parseAddressRange(text: string): AddressRange | null {
  const slash = text.indexOf('/');
  const address = slash === -1 ? text : text.slice(0, slash);
  const groups = parseAddress(address);
  if (groups === null) return null;
  const skippedBits = address.includes(':') ? 0 : MAPPED_BITS;
  const longest = GROUP_COUNT * GROUP_BITS - skippedBits;
  const prefix = slash === -1 ? String(longest) : text.slice(slash + 1);
  if (!/^(0|[1-9][0-9]{0,2})$/.test(prefix) || Number(prefix) > longest) return null;
  return rangeOf(groups, skippedBits + Number(prefix));
}

/** The groups of an address; null where `text` is none. */
function parseAddress(text: string): readonly number[] | null {
  if (text.includes(':')) return parseIpv6(text);
  const address = parseIpv4(text);
  return address === -1 ? null : [0, 0, 0, 0, 0, 0xffff, address >>> GROUP_BITS, address & 0xffff];
}

function rangeOf(groups: readonly number[], prefixBits: number): AddressRange {
  const hostMasks = groups.map((_, index) => hostMaskOf(prefixBits - index * GROUP_BITS));
  const maskOf = (index: number): number => hostMasks[index] as number;
  return {
    first: groups.map((group, index) => group & ~maskOf(index)),
    last: groups.map((group, index) => group | maskOf(index)),
    hasHostBits: groups.some((group, index) => (group & maskOf(index)) !== 0),
  };
}

/** The bits of a group that lie beyond a prefix of so many bits. */
function hostMaskOf(prefixBits: number): number {
  return 0xffff >>> Math.min(GROUP_BITS, Math.max(0, prefixBits));
}

/**
 * A set of addresses, made of ranges. The ranges are sorted and those that overlap joined, so that a look-up is
 * one binary search over numbers that lie side by side: some ten steps among 10,000 ranges, without garbage
 * for IPv4.
 */
export class AddressSet {
  /** Pairs of a first and a last address. */
  readonly #ipv4: Uint32Array;
  /** Pairs again, of eight groups each. */
  readonly #ipv6: Uint16Array;

  /** @throws Error naming the first entry that is neither an address nor a CIDR range */
  constructor(ranges: readonly string[]) {
    const sorted = ranges.map(readRange).sort((one, other) => compareGroups(one.first, other.first));
    const joined = joinOverlapping(sorted);
    this.#ipv4 = Uint32Array.from(joined.flatMap(ipv4BoundsOf));
    this.#ipv6 = Uint16Array.from(joined.flatMap(({ first, last }) => [...first, ...last]));
  }

  /** Takes an address without brackets; a zone (`%eth0`) does not count. What is no address is in no set. */
  has(address: string): boolean {
    if (!address.includes(':')) return this.#hasIpv4(parseIpv4(address));
    if (this.#ipv6.length === 0) return false;
    const zone = address.indexOf('%');
    const groups = parseIpv6(zone === -1 ? address : address.slice(0, zone));
    return groups !== null && this.#hasIpv6(groups);
  }

  #hasIpv4(address: number): boolean {
    if (address === -1) return false;
    const bounds = this.#ipv4;
    let low = 0;
    let high = bounds.length / 2 - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      if (address < (bounds[2 * middle] as number)) high = middle - 1;
      else if (address > (bounds[2 * middle + 1] as number)) low = middle + 1;
      else return true;
    }
    return false;
  }

  #hasIpv6(groups: readonly number[]): boolean {
    const bounds = this.#ipv6;
    let low = 0;
    let high = bounds.length / (2 * GROUP_COUNT) - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const start = middle * 2 * GROUP_COUNT;
      if (compareAt(groups, bounds, start) < 0) high = middle - 1;
      else if (compareAt(groups, bounds, start + GROUP_COUNT) > 0) low = middle + 1;
      else return true;
    }
    return false;
  }
}

function readRange(text: string): AddressRange {
  const range = parseAddressRange(text);
  if (range === null) {
    throw new Error(`"${text}" is neither an address nor a CIDR range such as 10.0.0.0/8 or fd00::/8`);
  }
  return range;
}

/** Of two CIDR ranges that overlap one holds the other, so the longer of the two is what both are together. */
function joinOverlapping(sorted: readonly AddressRange[]): readonly AddressRange[] {
  const joined: AddressRange[] = [];
  for (const range of sorted) {
    const before = joined.at(-1);
    if (before === undefined || compareGroups(range.first, before.last) > 0) joined.push(range);
    else if (compareGroups(range.last, before.last) > 0) joined[joined.length - 1] = range;
  }
  return joined;
}

const FIRST_MAPPED = parseIpv6('::ffff:0.0.0.0') as readonly number[];
const LAST_MAPPED = parseIpv6('::ffff:255.255.255.255') as readonly number[];

/** The first and the last IPv4 address that a range holds; an empty list where it holds none. */
function ipv4BoundsOf({ first, last }: AddressRange): number[] {
  if (compareGroups(first, LAST_MAPPED) > 0 || compareGroups(last, FIRST_MAPPED) < 0) return [];
  return [
    ipv4Of(compareGroups(first, FIRST_MAPPED) < 0 ? FIRST_MAPPED : first),
    ipv4Of(compareGroups(last, LAST_MAPPED) > 0 ? LAST_MAPPED : last),
  ];
}

function ipv4Of(groups: readonly number[]): number {
  return (groups[MAPPED_GROUP] as number) * 2 ** GROUP_BITS + (groups[MAPPED_GROUP + 1] as number);
}

function compareGroups(one: readonly number[], other: readonly number[]): number {
  return compareAt(one, other, 0);
}

/** Compares an address with the one whose groups begin at `start`. */
function compareAt(groups: readonly number[], others: ArrayLike<number>, start: number): number {
  for (let index = 0; index < GROUP_COUNT; index++) {
    const difference = (groups[index] as number) - (others[start + index] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

const DOT = 0x2e;
const DIGIT_ZERO = 0x30;
const LONGEST_IPV4 = 15;

/**
 * The number that a dotted IPv4 address stands for; -1 where `text` is none. Leading zeros are refused: some
 * read them as octal numbers. Works on the characters, as it runs for every request.
 */
function parseIpv4(text: string): number {
  if (text.length > LONGEST_IPV4) return -1;
  let address = 0;
  let part = -1;
  let dots = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === DOT) {
      if (part === -1) return -1;
      address = address * 256 + part;
      part = -1;
      dots += 1;
    } else {
      const digit = code - DIGIT_ZERO;
      if (digit < 0 || digit > 9 || part === 0) return -1;
      part = part === -1 ? digit : part * 10 + digit;
      if (part > 255) return -1;
    }
  }
  return dots === 3 && part !== -1 ? address * 256 + part : -1;
}
