/** One connection to one server, by the client library; what becomes of it is decided elsewhere. */
import { Redis, type RedisOptions } from 'ioredis';
import { withinLimit } from '../time-limit.ts';
import type { RedisSettings } from './redis-url.ts';
import type { RedisNode } from './url-parts.ts';

const CONNECT_LIMIT_MS = 2_000;
const SENTINEL_LIMIT_MS = 1_000;
/** A server that hangs does not answer to the end of a connection either. */
const CLOSE_LIMIT_MS = 100;
const CLIENT_NAME = 'fengling-gateway';

/**
 * Makes a client that is not connected yet. It lives for one connection: it never reconnects, keeps nothing
 * for later and sends nothing twice.
 * @param nodes the server, or the sentinels to ask for it
 */
export function createClient(settings: RedisSettings, nodes: readonly RedisNode[]): Redis {
  const client = new Redis({
    ...(settings.mode === 'sentinel' ? sentinelOptions(settings, nodes) : nodes[0]),
    ...(settings.tls === null ? {} : { tls: tlsOptions(settings.tls) }),
    username: settings.username ?? undefined,
    password: settings.password ?? undefined,
    db: settings.database,
    connectionName: CLIENT_NAME,
    disableClientInfo: true,
    lazyConnect: true,
    retryStrategy: null,
    maxRetriesPerRequest: null,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    connectTimeout: settings.mode === 'sentinel' ? SENTINEL_LIMIT_MS : CONNECT_LIMIT_MS,
    disconnectTimeout: CLOSE_LIMIT_MS,
    replyMapping: 'legacy',
  });
  // Without a listener the library writes to the console; what happens is told by `openClient` and by the end.
  client.on('error', () => {});
  return client;
}

function sentinelOptions(settings: RedisSettings, sentinels: readonly RedisNode[]): RedisOptions {
  const tls = settings.tls === null ? {} : { sentinelTLS: tlsOptions(settings.tls) };
  return {
    ...tls,
    sentinels: [...sentinels],
    name: settings.sentinelName ?? '',
    sentinelUsername: settings.sentinelUsername ?? undefined,
    sentinelPassword: settings.sentinelPassword ?? undefined,
    sentinelRetryStrategy: () => null,
    sentinelCommandTimeout: SENTINEL_LIMIT_MS,
    enableTLSForSentinelMode: settings.tls !== null,
    updateSentinels: false,
  };
}

function tlsOptions({ ca, cert, key, serverName }: NonNullable<RedisSettings['tls']>) {
  return {
    ...(ca === null ? {} : { ca }),
    ...(cert === null ? {} : { cert }),
    ...(key === null ? {} : { key }),
    ...(serverName === null ? {} : { servername: serverName }),
  };
}

/** Connects. @throws what the network or the server said, or a TimeLimitError, or the reason of `signal` */
export async function openClient(client: Redis, settings: RedisSettings, signal: AbortSignal): Promise<void> {
  let firstError: unknown = null;
  client.on('error', (error: unknown) => {
    firstError ??= error;
  });
  const sentinelsMs = settings.mode === 'sentinel' ? settings.nodes.length * SENTINEL_LIMIT_MS : 0;
  const connected = new Promise<void>((resolve) => client.once('connect', () => resolve()));
  try {
    const ready = client.connect();
    await withinLimit(Promise.race([connected, ready]), CONNECT_LIMIT_MS + sentinelsMs, signal);
    // A server that hangs takes connections nevertheless.
    await withinLimit(ready, CONNECT_LIMIT_MS, signal);
  } catch (error) {
    throw firstError ?? error;
  }
  // The library would go on with another database where the one of the settings was refused.
  if (firstError !== null) throw firstError;
}

/** Ends a connection at once, whatever is under way on it. */
export function destroyClient(client: Redis): void {
  if (client.status === 'end') return;
  client.disconnect();
  (client.stream as typeof client.stream | undefined)?.destroy();
}
