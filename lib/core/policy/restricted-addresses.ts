/**
 * Addresses that no origin has, and that an attacker wants a gateway to call: the neighbours of a cloud host
 * that hand out its credentials to whoever asks from there (CWE-918, server-side request forgery).
 */
import { parseIpv6 } from '../http/ipv6-address.ts';
import { AddressSet } from './address-ranges.ts';

const RESTRICTED_RANGES = [
  // Link-local (RFC 3927, RFC 4291 §2.5.6): the metadata services of most clouds, at 169.254.169.254 and 169.254.170.2.
  '169.254.0.0/16',
  'fe80::/10',
  // Metadata services elsewhere: of AWS (also for pods) and Google over IPv6, of Alibaba, Azure and Oracle.
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
] as const;

const restricted = new AddressSet(RESTRICTED_RANGES);

/** What begins so leads to an IPv4 address that is written in it, by a translator or a tunnel on the way. */
const NAT64 = new AddressSet(['64:ff9b::/96']);
const LOCAL_NAT64 = new AddressSet(['64:ff9b:1::/48']);
const SIX_TO_FOUR = new AddressSet(['2002::/16']);
const IPV4_COMPATIBLE = new AddressSet(['::/96']);
/** Where an IPv4 address may begin: after a prefix of 48, 56, 64 or 96 bits. */
const LOCAL_NAT64_OFFSETS = [6, 7, 8, 12] as const;
/** All zeros, and no part of the IPv4 address that it may stand within (RFC 6052 §2.2). */
const RESERVED_OCTET = 8;

/**
 * Takes an IP address as it is connected to: IPv4, IPv6 without brackets, or IPv4 written as IPv6 in any of the
 * ways that lead there. Names have to be resolved first: what is no address is not restricted.
 */
export function isRestrictedAddress(address: string): boolean {
  return restricted.has(address) || embeddedAddresses(address).some((embedded) => restricted.has(embedded));
}

/** The IPv4 addresses that an IPv6 address may lead to; IPv4-mapped ones (`::ffff:…`) a set knows itself. */
function embeddedAddresses(address: string): string[] {
  const groups = parseIpv6(address.replace(/%.*$/, ''));
  if (groups === null) return [];
  const octets = groups.flatMap((group) => [group >> 8, group & 0xff]);
  // RFC 6052 §2.1, and the deprecated RFC 4291 §2.5.5.1.
  if (NAT64.has(address) || IPV4_COMPATIBLE.has(address)) return [addressAt(octets, 12)];
  // RFC 3056 §2.
  if (SIX_TO_FOUR.has(address)) return [addressAt(octets, 2)];
  // RFC 8215: which prefix of it a network uses only that network knows.
  if (LOCAL_NAT64.has(address)) return LOCAL_NAT64_OFFSETS.map((offset) => addressAt(octets, offset));
  return [];
}

function addressAt(octets: readonly number[], offset: number): string {
  const counted = octets.filter((_, index) => index !== RESERVED_OCTET || offset > RESERVED_OCTET);
  return counted.slice(offset, offset + 4).join('.');
}
