/** Settings of `gateway start` that bound what clients may do. */
import { type Command, Option } from 'commander';
import {
  DEFAULT_LISTENER_LIMITS,
  type ListenerLimits,
  MOST_HEADER_BYTES,
  MOST_HEADER_COUNT,
} from '../ipc/protocol.ts';
import type { ConnectionLimits } from '../primary/gateway-settings.ts';
import { integerFrom } from './option-parsers.ts';

/** By the long names of the flags. */
export interface LimitOptions {
  headersTimeoutMs: number;
  keepAliveTimeoutMs: number;
  maxHeaderBytes: number;
  maxHeaderCount: number;
  maxTargetBytes: number;
  maxRequestsPerConnection: number;
  minBytesPerSecond: number;
  maxEventLoopLagMs: number;
  maxConnections: number;
  maxConnectionsPerAddress: number;
}

const DEFAULT_MAX_CONNECTIONS = 65_536;
const LONGEST_MS = 3_600_000;

interface LimitFlag {
  readonly flag: string;
  readonly description: string;
  readonly variable: string;
  readonly range: readonly [minimum: number, maximum: number];
  readonly standard: number;
}

const FLAGS: readonly LimitFlag[] = [
  {
    flag: '--headers-timeout-ms <n>',
    description: 'until the head of a request is complete',
    variable: 'GATEWAY_HEADERS_TIMEOUT_MS',
    range: [100, LONGEST_MS],
    standard: DEFAULT_LISTENER_LIMITS.headersTimeoutMs,
  },
  {
    flag: '--keep-alive-timeout-ms <n>',
    description: 'how long an idle connection of a client is kept',
    variable: 'GATEWAY_KEEP_ALIVE_TIMEOUT_MS',
    range: [100, LONGEST_MS],
    standard: DEFAULT_LISTENER_LIMITS.keepAliveTimeoutMs,
  },
  {
    flag: '--max-header-bytes <n>',
    description: 'largest head of a request; larger ones get 431',
    variable: 'GATEWAY_MAX_HEADER_BYTES',
    range: [1_024, MOST_HEADER_BYTES],
    standard: DEFAULT_LISTENER_LIMITS.maxHeaderBytes,
  },
  {
    flag: '--max-header-count <n>',
    description: 'most fields of a head; more get 431',
    variable: 'GATEWAY_MAX_HEADER_COUNT',
    range: [8, MOST_HEADER_COUNT],
    standard: DEFAULT_LISTENER_LIMITS.maxHeaderCount,
  },
  {
    flag: '--max-target-bytes <n>',
    description: 'longest path and query; longer ones get 414',
    variable: 'GATEWAY_MAX_TARGET_BYTES',
    range: [64, MOST_HEADER_BYTES],
    standard: DEFAULT_LISTENER_LIMITS.maxTargetBytes,
  },
  {
    flag: '--max-requests-per-connection <n>',
    description: 'then the connection is closed; 0: any number',
    variable: 'GATEWAY_MAX_REQUESTS_PER_CONNECTION',
    range: [0, 1_000_000_000],
    standard: DEFAULT_LISTENER_LIMITS.maxRequestsPerConnection,
  },
  {
    flag: '--min-bytes-per-second <n>',
    description: 'what a client has to send over five seconds, or to read over a minute; 0: any pace',
    variable: 'GATEWAY_MIN_BYTES_PER_SECOND',
    range: [0, 1_000_000_000],
    standard: DEFAULT_LISTENER_LIMITS.minBytesPerSecond,
  },
  {
    flag: '--max-event-loop-lag-ms <n>',
    description: 'a worker that lags so far behind answers new requests with 503; 0: never',
    variable: 'GATEWAY_MAX_EVENT_LOOP_LAG_MS',
    range: [0, 60_000],
    standard: DEFAULT_LISTENER_LIMITS.maxEventLoopLagMs,
  },
  {
    flag: '--max-connections <n>',
    description: 'connections of clients in all; 0: any number',
    variable: 'GATEWAY_MAX_CONNECTIONS',
    range: [0, 10_000_000],
    standard: DEFAULT_MAX_CONNECTIONS,
  },
  {
    flag: '--max-connections-per-address <n>',
    description: 'connections of one address (IPv6: of one /64), trusted proxies excepted; 0: any number',
    variable: 'GATEWAY_MAX_CONNECTIONS_PER_ADDRESS',
    range: [0, 10_000_000],
    standard: 0,
  },
];

/** Adds the flags to a command. */
export function addLimitOptions(command: Command): Command {
  for (const { flag, description, variable, range, standard } of FLAGS) {
    const option = new Option(flag, description).env(variable).argParser(integerFrom(...range));
    command.addOption(option.default(standard));
  }
  return command;
}

export function listenerLimitsOf(options: LimitOptions): ListenerLimits {
  const { headersTimeoutMs, keepAliveTimeoutMs, maxHeaderBytes, maxHeaderCount, maxTargetBytes } = options;
  const { maxRequestsPerConnection, minBytesPerSecond, maxEventLoopLagMs } = options;
  return {
    headersTimeoutMs,
    keepAliveTimeoutMs,
    maxHeaderBytes,
    maxHeaderCount,
    maxTargetBytes,
    maxRequestsPerConnection,
    minBytesPerSecond,
    maxEventLoopLagMs,
  };
}

export function connectionLimitsOf({
  maxConnections,
  maxConnectionsPerAddress,
}: LimitOptions): ConnectionLimits {
  return { total: maxConnections, perAddress: maxConnectionsPerAddress };
}
