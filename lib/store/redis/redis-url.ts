import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { type RedisMode, type RedisNode, splitRedisUrl, type UrlParts } from './url-parts.ts';

const DEFAULT_PREFIX = '{gateway}:';
const MAX_PREFIX_LENGTH = 100;

/** How to reach a Redis store, and the keys that are its own. */
export interface RedisSettings {
  readonly mode: RedisMode;
  /** The server, the sentinels, or the nodes of the cluster to ask first. */
  readonly nodes: readonly RedisNode[];
  /** The name under which the sentinels know the server; null in other modes. */
  readonly sentinelName: string | null;
  readonly username: string | null;
  readonly password: string | null;
  readonly sentinelUsername: string | null;
  readonly sentinelPassword: string | null;
  readonly database: number;
  /** PEM texts; null where connections are not encrypted. */
  readonly tls: RedisTls | null;
  /** What all keys begin with: it holds a hash tag, so that they share one slot of a cluster. */
  readonly prefix: string;
  /** The URL without secrets, normalised: `redis://127.0.0.1:6379/0`. */
  readonly description: string;
}

interface RedisTls {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  /** The name that the certificate must be for; null: the host. */
  readonly serverName: string | null;
}

/** What does not belong into a URL that everybody can see; null where it was not given. */
export interface RedisSecrets {
  readonly username: string | null;
  readonly password: string | null;
  readonly sentinelUsername: string | null;
  readonly sentinelPassword: string | null;
  /** PEM texts. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly prefix: string | null;
}

/**
 * Reads where the store is:
 *
 *     redis://[user[:password]@]host[:6379][/database]
 *     redis+sentinel://[user[:password]@]host[:26379],…/name[/database]
 *     redis+cluster://[user[:password]@]host[:6379],…
 *
 * and the same with `rediss`, which means TLS to every server and sentinel; `?serverName=` is then the name
 * that certificates must be for. User and password are percent-encoded, and are those of the servers;
 * sentinels have their own.
 * @throws RangeError with one line that never holds a password
 */
export function parseRedisUrl(url: string, secrets: RedisSecrets): RedisSettings {
  const parts = splitRedisUrl(url);
  const place = readPlace(parts);
  checkSentinelSecrets(parts.mode, secrets);
  return {
    mode: parts.mode,
    nodes: parts.nodes,
    ...place,
    ...readCredentials(parts, secrets),
    sentinelUsername: secrets.sentinelUsername,
    sentinelPassword: secrets.sentinelPassword,
    tls: readTls(parts, secrets),
    prefix: readPrefix(secrets.prefix ?? DEFAULT_PREFIX),
    description: describe(parts, place),
  };
}

interface Place {
  readonly sentinelName: string | null;
  readonly database: number;
}

function readPlace({ mode, path }: UrlParts): Place {
  const [sentinelName, database] = mode === 'sentinel' ? [path[0], path[1]] : [null, path[0]];
  if (sentinelName === undefined || (sentinelName !== null && !/^[\w.-]{1,200}$/.test(sentinelName))) {
    throw new RangeError('name the server as its sentinels know it: redis+sentinel://host:26379/mymaster');
  }
  if (path.length > (mode === 'sentinel' ? 2 : 1) || !/^\d{1,9}$/.test(database ?? '0')) {
    throw new RangeError('the path must end with the number of the database, such as /0');
  }
  if (mode === 'cluster' && Number(database ?? 0) !== 0) {
    throw new RangeError('a cluster has only database 0: leave the path out');
  }
  return { sentinelName, database: Number(database ?? 0) };
}

function readCredentials(parts: UrlParts, secrets: RedisSecrets) {
  if (parts.password !== null && secrets.password !== null) {
    throw new RangeError('the password is given twice, in the URL and beside it: leave one out');
  }
  if (parts.username !== null && secrets.username !== null && parts.username !== secrets.username) {
    throw new RangeError('two user names are given, in the URL and beside it: leave one out');
  }
  const username = parts.username ?? secrets.username;
  const password = parts.password ?? secrets.password;
  if (username !== null && password === null) {
    throw new RangeError('there is a user name without a password');
  }
  return { username, password };
}

function checkSentinelSecrets(mode: RedisMode, { sentinelUsername, sentinelPassword }: RedisSecrets): void {
  if (mode !== 'sentinel' && (sentinelUsername !== null || sentinelPassword !== null)) {
    throw new RangeError('there is a user or password of sentinels, but the URL is not redis+sentinel://');
  }
  if (sentinelUsername !== null && sentinelPassword === null) {
    throw new RangeError('there is a user name of sentinels without a password');
  }
}

function readTls({ encrypted, serverName }: UrlParts, { ca, cert, key }: RedisSecrets): RedisTls | null {
  if (!encrypted) {
    if (ca === null && cert === null && key === null) return null;
    throw new RangeError('certificates are given, but the URL is not rediss://');
  }
  if ((cert === null) !== (key === null)) {
    throw new RangeError('a client certificate and its key go together: give both or none');
  }
  checkPem('the CA certificate', () => ca !== null && new X509Certificate(ca));
  checkPem('the client certificate with its key', () => cert && key && createSecureContext({ cert, key }));
  return { ca, cert, key, serverName };
}

/** A text that is no PEM would otherwise come to light only when a connection fails, and again at each. */
function checkPem(what: string, use: () => unknown): void {
  try {
    use();
  } catch (error) {
    throw new RangeError(`${what} cannot be used: ${(error as Error).message}`);
  }
}

/** Characters that mean something in patterns are refused: the prefix stands in the rules of Redis users. */
function readPrefix(prefix: string): string {
  if (prefix.length > MAX_PREFIX_LENGTH || !/^[!-~]*$/.test(prefix) || /[*?[\]\\]/.test(prefix)) {
    throw new RangeError(
      `the prefix of the keys must be of at most ${MAX_PREFIX_LENGTH} printable ASCII characters, without spaces and *?[]\\`,
    );
  }
  if (!/^[^{}]*\{[^{}]+\}[^{}]*$/.test(prefix)) {
    throw new RangeError(
      'the prefix of the keys must have one hash tag with text in it, such as {gateway}:, so that they share a slot',
    );
  }
  return prefix;
}

/** Sentinels and seeds in another order are the same store, so they are sorted. */
function describe({ mode, encrypted, nodes }: UrlParts, { sentinelName, database }: Place): string {
  const scheme = `${encrypted ? 'rediss' : 'redis'}${mode === 'standalone' ? '' : `+${mode}`}`;
  const hosts = nodes.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).sort();
  const path = [sentinelName, mode === 'cluster' ? null : database].filter((segment) => segment !== null);
  return [`${scheme}://${hosts.join(',')}`, ...path].join('/');
}
