/** Host patterns of routes: `api.example.com`, `*.example.com`, `10.0.0.1`, `[::1]`. */
import { quoteText } from '../config/quote-text.ts';
import { canonicalIpv6, isIpv4 } from '../http/ipv6-address.ts';

/** Lower-case, without a trailing dot. The name of a wildcard is what follows its `*.`. */
export interface HostPattern {
  readonly kind: 'exact' | 'wildcard';
  readonly name: string;
}

/** The longest name that DNS knows, as text without the trailing dot (RFC 1035 §2.3.4). */
export const MAXIMUM_HOST_LENGTH = 253;
const MAXIMUM_LABEL_LENGTH = 63;

type ParsedHostPattern =
  | { readonly pattern: HostPattern; readonly problem: null }
  | { readonly pattern: null; readonly problem: string };

/**
 * Parses one host of a route. Returns the pattern, or what is wrong with the text and how to write it.
 * An IPv6 address comes out as RFC 5952 writes it.
 */
export function parseHostPattern(text: string): ParsedHostPattern {
  const problem = findTextProblem(text);
  if (problem !== null) {
    return refuse(problem);
  }
  const host = text.toLowerCase();
  if (host.startsWith('[')) {
    return parseBracketedAddress(host);
  }
  return host.includes(':')
    ? refuseColon(host)
    : parseName(host.length > 1 && host.endsWith('.') ? host.slice(0, -1) : host);
}

function refuse(problem: string): ParsedHostPattern {
  return { pattern: null, problem };
}

function findTextProblem(text: string): string | null {
  if (text === '') {
    return 'a host is empty: write a name such as api.example.com, or leave hosts out for any host';
  }
  if (text.includes('://')) {
    return `${quoteText(text)} has a scheme: write the host alone`;
  }
  if (text.includes('/')) {
    return `${quoteText(text)} has a path: write the host alone, and the path under match.path`;
  }
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) {
      return `${quoteText(text)} has a character outside ASCII: write the name in its xn-- form`;
    }
    if (code <= 0x20 || code === 0x7f) {
      return `the host ${quoteText(text)} has white space or a control character: remove it`;
    }
  }
  return null;
}

function parseBracketedAddress(host: string): ParsedHostPattern {
  const end = host.indexOf(']');
  if (end !== -1 && host.charAt(end + 1) === ':') {
    return refuse(
      `${quoteText(host)} has a port: hosts match without the port; write '${host.slice(0, end + 1)}'`,
    );
  }
  const address = end === host.length - 1 ? canonicalIpv6(host.slice(1, -1)) : null;
  return address === null
    ? refuse(`${quoteText(host)} is no IPv6 address: write it as in [2001:db8::1], without a zone`)
    : { pattern: { kind: 'exact', name: `[${address}]` }, problem: null };
}

function refuseColon(host: string): ParsedHostPattern {
  return canonicalIpv6(host) === null
    ? refuse(
        `${quoteText(host)} has a port: hosts match without the port; write '${host.slice(0, host.indexOf(':'))}'`,
      )
    : refuse(`${quoteText(host)} is an IPv6 address without brackets: write '[${host}]'`);
}

function parseName(host: string): ParsedHostPattern {
  if (host === '*') {
    return refuse("'*' alone is not a host: leave hosts out, then any host matches");
  }
  const isWildcard = host.startsWith('*.');
  const name = isWildcard ? host.slice(2) : host;
  const problem = findNameProblem(name, host);
  if (problem !== null) {
    return refuse(problem);
  }
  if (isWildcard && isIpv4(name)) {
    return refuse(`${quoteText(host)} asks for sub-domains of an IP address, which has none`);
  }
  return { pattern: { kind: isWildcard ? 'wildcard' : 'exact', name }, problem: null };
}

function findNameProblem(name: string, host: string): string | null {
  if (name.includes('*')) {
    return `${quoteText(host)} has a '*' that is not the whole first label: write it as in *.example.com`;
  }
  if (host.length > MAXIMUM_HOST_LENGTH) {
    return `${quoteText(host)} is longer than the ${MAXIMUM_HOST_LENGTH} characters of a DNS name`;
  }
  const labels = name.split('.');
  for (const label of labels) {
    if (!isLabel(label)) {
      return (
        `${quoteText(host)} is no DNS name: between dots it takes 1 to ${MAXIMUM_LABEL_LENGTH} letters, digits, ` +
        "'-' and '_', with no '-' first or last"
      );
    }
  }
  // A name whose last label is a number is taken for an address by every client (WHATWG URL, ends in a number).
  return /^[0-9]+$/.test(labels.at(-1) as string) && !isIpv4(name)
    ? `${quoteText(host)} is no IPv4 address: write four numbers of 0 to 255, without leading zeros`
    : null;
}

function isLabel(label: string): boolean {
  return label.length <= MAXIMUM_LABEL_LENGTH && /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/.test(label);
}
