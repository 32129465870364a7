import { isIpv4 } from '../http/ipv6-address.ts';

/** A rule that the URL of a destination breaks. The URL itself is never quoted: it may hold a password. */
export interface DestinationUrlProblem {
  readonly message: string;
  readonly hint: string;
}

const EXAMPLE = 'write it as in http://10.0.0.1:8080';

/**
 * Everything that is wrong with the base URL of a destination; an empty list where it can be used.
 * Stricter than WHATWG URL parsing, which quietly drops control characters and turns `\` into `/`: what
 * is shown to people must be what is connected to.
 */
export function findDestinationUrlProblems(text: string): readonly DestinationUrlProblem[] {
  if (hasUnsafeCharacter(text)) {
    return [{ message: 'has white space, a control character or a backslash', hint: 'remove it' }];
  }
  if (!/^https?:\/\//i.test(text)) {
    return [{ message: 'must start with http:// or https://', hint: EXAMPLE }];
  }
  const url = URL.parse(text);
  if (url === null) {
    return [{ message: 'is no URL: its host or port cannot be understood', hint: EXAMPLE }];
  }
  return findPartProblems(text, url);
}

/** The URL as it is compared: default port and letter case of the host do not count; null where it is no URL. */
export function normaliseDestinationUrl(text: string): string | null {
  return URL.parse(text)?.href ?? null;
}

/** The address that a URL names instead of a host name, IPv6 without brackets; null where it names none. */
export function addressOf(text: string): string | null {
  const host = URL.parse(text)?.hostname ?? '';
  if (host.startsWith('[')) return host.slice(1, -1);
  return isIpv4(host) ? host : null;
}

/** Whether this host, a name or an address with or without brackets, can only be the machine itself. */
export function isLoopbackHost(host: string): boolean {
  return (
    host === 'localhost' || host === '::1' || host === '[::1]' || (host.startsWith('127.') && isIpv4(host))
  );
}

export const RESTRICTED_MESSAGE =
  'is a link-local address or that of a metadata service: the gateway does not connect to it';
export const RESTRICTED_HINT = 'name another server, or start the gateway with --allow-addresses';

function findPartProblems(text: string, url: URL): readonly DestinationUrlProblem[] {
  const problems: DestinationUrlProblem[] = [];
  // An empty user, query or fragment leaves no trace in the parsed URL, so the text is asked too.
  const authority = /^https?:\/\/([^/?#]*)/i.exec(text)?.[1] ?? '';
  if (authority.includes('@') || url.username !== '' || url.password !== '') {
    problems.push({ message: 'has user information', hint: 'send credentials with requestHeaders instead' });
  }
  if (authority === '') {
    problems.push({ message: 'has no host', hint: EXAMPLE });
  }
  const fragmentStart = text.indexOf('#');
  const beforeFragment = fragmentStart === -1 ? text : text.slice(0, fragmentStart);
  if (beforeFragment.includes('?')) {
    problems.push({ message: 'has a query', hint: "remove it with its '?': the query is the request's" });
  }
  if (fragmentStart !== -1) {
    problems.push({ message: 'has a fragment', hint: "remove it with its '#': fragments are never sent" });
  }
  if (url.port === '0') {
    problems.push({
      message: 'has port 0, to which nothing can connect',
      hint: 'write the port of the server',
    });
  }
  return problems;
}

/** White space, controls and backslashes: URL parsers quietly drop or turn them. */
export function hasUnsafeCharacter(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code <= 0x20 || code === 0x7f || code === 0x5c || (code >= 0x80 && code <= 0xa0)) {
      return true;
    }
  }
  return false;
}
