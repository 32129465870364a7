/**
 * Addresses that no origin has, and that an attacker wants a gateway to call: the neighbours of a cloud host
 * that hand out its credentials to whoever asks from there (CWE-918, server-side request forgery).
 */
import { AddressSet } from './address-ranges.ts';

const RESTRICTED_RANGES = [
  // Link-local (RFC 3927, RFC 4291 §2.5.6): the metadata services of most clouds, at 169.254.169.254 and 169.254.170.2.
  '169.254.0.0/16',
  'fe80::/10',
  // The same behind NAT64 (RFC 6052 §2.1).
  '64:ff9b::a9fe:0/112',
  // Metadata services elsewhere: of AWS (also for pods) and Google over IPv6, of Alibaba, Azure and Oracle.
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
] as const;

const restricted = new AddressSet(RESTRICTED_RANGES);

/**
 * Takes an IP address as it is connected to: IPv4, IPv6 without brackets, or IPv4 written as IPv6. Names have
 * to be resolved first: what is no address is not restricted.
 */
export function isRestrictedAddress(address: string): boolean {
  return restricted.has(address);
}
