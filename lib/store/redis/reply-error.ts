/** What Redis and the network say when something fails, in words that tell how to mend it. */
import { ReplyError } from 'ioredis';
import { MalformedChangeError, StoreUnavailableError, UnreadableStoreError } from '../config-store.ts';
import { TimeLimitError } from '../time-limit.ts';
import type { RedisSettings } from './redis-url.ts';

const MAX_REPLY_CHARACTERS = 300;

/** Replies with which Redis refuses writes, while reading goes on. */
const WRITE_REFUSALS: ReadonlyMap<string, string> = new Map([
  ['READONLY', 'it is a read-only replica: name the master, or use redis+sentinel:// or redis+cluster://'],
  ['OOM', 'it is out of memory: raise its maxmemory, or remove what does not belong there'],
  ['MISCONF', 'it cannot save to its disk and refuses writes (MISCONF): see its log, make room on the disk'],
  ['NOREPLICAS', 'it has too few replicas that keep up (min-replicas-to-write): see to the replicas'],
]);

/** Replies after which a connection is of no use: another one is tried, perhaps to another server. */
const UNUSABLE: ReadonlyMap<string, string> = new Map([
  ['LOADING', 'it is loading its data: wait until it has'],
  ['MASTERDOWN', 'it is a replica that has lost its master: see to the master'],
  ['CLUSTERDOWN', 'its cluster is down: some slots have no master, or it waits for a failover'],
  ['MOVED', 'another node of its cluster has the keys: it is looked for'],
  ['NOAUTH', 'it asks for a password: set GATEWAY_REDIS_PASSWORD'],
  ['WRONGPASS', 'it refuses the user name or the password: check GATEWAY_REDIS_PASSWORD and the user'],
]);

/** Replies that pass by themselves. */
const PASSING: ReadonlyMap<string, string> = new Map([
  ['BUSY', 'it is busy with a script of somebody: wait, or end that with SCRIPT KILL'],
  ['TRYAGAIN', 'its cluster is moving the keys between nodes: try again'],
  ['ASK', 'its cluster is moving the keys between nodes: try again'],
]);

const UNTRUSTED = 'name the authority that signed it with GATEWAY_REDIS_CA_FILE';

/** What is behind failures to connect most often, by their codes. */
const CONNECTION_HINTS: ReadonlyMap<string, string> = new Map([
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'give a client certificate with GATEWAY_REDIS_CERT_FILE'],
  ['ECONNRESET', 'perhaps it wants TLS (rediss://) or a client certificate (GATEWAY_REDIS_CERT_FILE)'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'say which name its certificate is for: ?serverName='],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', UNTRUSTED],
  ['SELF_SIGNED_CERT_IN_CHAIN', UNTRUSTED],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', UNTRUSTED],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', UNTRUSTED],
]);

/** How the library begins what it says where no sentinel named a server. */
const NO_SENTINEL = /^All sentinels are unreachable and retry is disabled\.(?: Last error: )?/;

/** Redis 7.0 gives no code of its own where it is a script that may not run a command. */
const SCRIPT_WITHOUT_PERMISSION = /^ERR The user executing the script can't/;

export function isReplyError(error: unknown): error is Error {
  return error instanceof ReplyError;
}

/** The first word of an error reply, which says what it is about; null for other errors. */
export function replyCodeOf(error: unknown): string | null {
  if (isReplyError(error) && SCRIPT_WITHOUT_PERMISSION.test(error.message)) return 'NOPERM';
  return isReplyError(error) ? (/^[A-Z]+/.exec(error.message)?.[0] ?? null) : null;
}

/** True where Redis refuses writes only. A user without permission counts: reading may be allowed. */
export function isWriteRefusal(error: unknown): boolean {
  const code = replyCodeOf(error);
  return code !== null && (WRITE_REFUSALS.has(code) || code === 'NOPERM');
}

/** True where the connection on which this came should be given up. */
export function isUnusable(error: unknown): boolean {
  const code = replyCodeOf(error);
  return code !== null && UNUSABLE.has(code);
}

/** The node that has the keys, where a reply says so: `MOVED 866 127.0.0.1:7001`. An empty host is the same one. */
export function movedTo(error: unknown): { readonly host: string; readonly port: number } | null {
  const match = isReplyError(error) ? /^MOVED \d+ (.*):(\d+)/.exec(error.message) : null;
  return match === null ? null : { host: match[1] ?? '', port: Number(match[2]) };
}

/** Says which store it is and what went wrong, without secrets. */
export function describeError(error: unknown, settings: RedisSettings): string {
  return `Redis at ${settings.description}: ${explainError(error, settings)}`;
}

/** Says what went wrong, without secrets. */
export function explainError(error: unknown, settings: RedisSettings): string {
  return hideSecrets(explain(error), settings);
}

function explain(error: unknown): string {
  if (error instanceof TimeLimitError) return error.message;
  const { message } = error as Error;
  const code = replyCodeOf(error);
  if (code === null) return explainConnectionError(error as Error);
  if (code === 'NOPERM') {
    return `its user may not do what is needed (${shorten(message)}): see the rules in docs/redis-protocol.md`;
  }
  return WRITE_REFUSALS.get(code) ?? UNUSABLE.get(code) ?? PASSING.get(code) ?? shorten(message);
}

function explainConnectionError(error: Error): string {
  if (error.message === 'Connection is closed.') return 'the connection was closed';
  if (NO_SENTINEL.test(error.message)) return explainSentinels(error.message.replace(NO_SENTINEL, ''));
  // Where a name has several addresses, Node collects what became of each.
  const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
  return errors.map((one) => explainNetworkError(one as NetworkError)).join('; ');
}

interface NetworkError extends NodeJS.ErrnoException {
  /** What OpenSSL says in short; its message has more than a line. */
  readonly reason?: string;
}

function explainNetworkError({ code, message, reason = message }: NetworkError): string {
  const hint = CONNECTION_HINTS.get(code ?? '');
  return hint === undefined ? shorten(reason) : `${shorten(reason)}: ${hint}`;
}

/** @param lastError of the sentinels that failed; empty where all have answered */
function explainSentinels(lastError: string): string {
  if (lastError === '') return 'no sentinel knows a server of this name: check the name behind the sentinels';
  const isPassword = /^(WRONGPASS|NOAUTH)/.test(lastError);
  const hint = isPassword ? ': check GATEWAY_REDIS_SENTINEL_PASSWORD' : '';
  return `no sentinel names a server: ${shorten(lastError)}${hint}`;
}

/** Arguments of commands, which Redis quotes where it does not know the command, are nobody's business. */
function shorten(message: string): string {
  const [text = ''] = message.split(/, with args beginning with| script: [0-9a-f]{40}/);
  return text.slice(0, MAX_REPLY_CHARACTERS);
}

function hideSecrets(text: string, settings: RedisSettings): string {
  const secrets = [settings.password, settings.sentinelPassword].filter((secret) => secret !== null);
  return secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), text);
}

/**
 * The error that users of the store are to see. The one of the client library is not handed on, not even
 * as a cause: it carries the arguments of its command.
 */
export function translateError(error: unknown, settings: RedisSettings): Error {
  if (!(error instanceof Error) || isOurs(error)) return error as Error;
  const message = describeError(error, settings);
  switch (replyCodeOf(error)) {
    case null:
      return new StoreUnavailableError(message, { notWritten: false });
    case 'UNREADABLE':
    case 'WRONGTYPE':
      return new UnreadableStoreError(message, [{ pointer: '', message: textAfterCode(error) }]);
    case 'MALFORMED':
      return new MalformedChangeError([{ pointer: '', message: textAfterCode(error) }]);
    default:
      return new StoreUnavailableError(message, { notWritten: !stoppedScript(error) });
  }
}

/** True where a script was stopped within: unless writes are refused, it may have written something before. */
function stoppedScript(error: Error): boolean {
  const code = replyCodeOf(error);
  const isRefusal = code !== null && (WRITE_REFUSALS.has(code) || PASSING.has(code));
  return (
    !isRefusal && / script: [0-9a-f]{40}|^(ERR|NOPERM) The user executing the script/.test(error.message)
  );
}

function isOurs(error: Error): boolean {
  return (
    error instanceof StoreUnavailableError ||
    error instanceof UnreadableStoreError ||
    error instanceof MalformedChangeError
  );
}

function textAfterCode(error: Error): string {
  return shorten(error.message).replace(/^(UNREADABLE|MALFORMED) /, '');
}
