/**
 * Takes the URL of a Redis store apart. The URL parser of the platform knows no lists of hosts, and its
 * errors quote the URL. Messages here quote a part only where no password can be in it.
 */
import { isIPv6 } from 'node:net';
import { quoteText } from '../../core/config/quote-text.ts';

export type RedisMode = 'standalone' | 'sentinel' | 'cluster';

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

export interface UrlParts {
  readonly mode: RedisMode;
  readonly encrypted: boolean;
  readonly username: string | null;
  readonly password: string | null;
  readonly nodes: readonly RedisNode[];
  /** The segments of the path, as they are written. */
  readonly path: readonly string[];
  readonly serverName: string | null;
}

const MAX_URL_LENGTH = 4096;
const EXAMPLES = 'redis://host:6379/0, redis+sentinel://host:26379/name or redis+cluster://host:6379';
const URL_FORM = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?$/;
const HOST_NAME = /^[a-z0-9_](?:[a-z0-9_.-]{0,252})$/;

/** @throws RangeError with one line that never holds a password */
export function splitRedisUrl(url: string): UrlParts {
  if (url.length > MAX_URL_LENGTH) throw new RangeError(`it is longer than ${MAX_URL_LENGTH} characters`);
  const match = URL_FORM.exec(url);
  if (match === null) throw new RangeError(`it is not of a form such as ${EXAMPLES}`);
  const [, scheme, variant, authority = '', path = '', query = ''] = match;
  if (path.includes('@') || query.includes('@')) {
    throw new RangeError('write "/", "?" and "#" within the user name or password as %2F, %3F and %23');
  }
  const mode = (variant ?? 'standalone') as RedisMode;
  const encrypted = scheme === 'rediss';
  const hostsStart = authority.lastIndexOf('@') + 1;
  return {
    mode,
    encrypted,
    ...readCredentials(authority.slice(0, Math.max(0, hostsStart - 1))),
    nodes: readNodes(authority.slice(hostsStart), mode),
    path: path.split('/').filter((segment) => segment !== ''),
    serverName: readServerName(query, encrypted),
  };
}

function readCredentials(text: string): { username: string | null; password: string | null } {
  const colon = text.indexOf(':');
  const username = colon === -1 ? text : text.slice(0, colon);
  const password = colon === -1 ? '' : text.slice(colon + 1);
  return { username: decode(username) || null, password: decode(password) || null };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RangeError('write "%" within the user name or password as %25');
  }
}

function readNodes(text: string, mode: RedisMode): readonly RedisNode[] {
  const names = text.split(',');
  if (mode === 'standalone' && names.length > 1) {
    throw new RangeError(
      'it names several hosts: use redis+sentinel:// or redis+cluster://, or give one host',
    );
  }
  return names.map((name) => readNode(name, mode === 'sentinel' ? 26_379 : 6379));
}

function readNode(text: string, defaultPort: number): RedisNode {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(text);
  if (match === null) {
    throw new RangeError('give each host as HOST or HOST:PORT, an IPv6 address in brackets: [::1]:6379');
  }
  const [, address, name = '', port] = match;
  const host = (address ?? name).toLowerCase();
  if (address === undefined ? !HOST_NAME.test(host) : !isIPv6(host)) {
    throw new RangeError(
      host === '' ? 'a host is missing' : `${quoteText(host)} is neither a host name nor an address`,
    );
  }
  return { host, port: port === undefined ? defaultPort : readPort(port, host) };
}

/** What stands in the place of the port may be a password whose "@" was forgotten: it is not quoted. */
function readPort(text: string, host: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) {
    throw new RangeError(`the port of ${quoteText(host)} must be an integer from 1 to 65535`);
  }
  return port;
}

function readServerName(query: string, encrypted: boolean): string | null {
  if (query === '') return null;
  const options = [...new URLSearchParams(query)];
  const unknown = options.find(([name]) => name !== 'serverName');
  if (unknown !== undefined) {
    throw new RangeError(`it has the unknown option ${quoteText(unknown[0])}: only serverName is known`);
  }
  const serverName = options[0]?.[1].toLowerCase() ?? '';
  if (options.length > 1 || !HOST_NAME.test(serverName)) {
    throw new RangeError('serverName must be one host name');
  }
  if (!encrypted) throw new RangeError('serverName is for TLS: use rediss://');
  return serverName;
}
