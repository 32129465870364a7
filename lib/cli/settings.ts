/** Settings of `gateway start`: flags, then environment, then defaults. */
import { availableParallelism, hostname } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { isLoopbackHost } from '../core/config/destination-url.ts';
import { AddressSet } from '../core/policy/address-ranges.ts';
import type { Address, GatewaySettings } from '../primary/gateway-settings.ts';
import { TrustedProxies } from '../proxy/trusted-proxies.ts';
import type { RedisSettings } from '../store/redis/redis-url.ts';
import { type AdminTlsOptions, addAdminTlsOptions, adminTlsOf } from './admin-tls-settings.ts';
import { authenticationSettingsFrom } from './authentication-settings.ts';
import {
  addLimitOptions,
  connectionLimitsOf,
  type LimitOptions,
  listenerLimitsOf,
} from './limit-settings.ts';
import { integerFrom, switchFrom } from './option-parsers.ts';
import { packageVersion } from './package-version.ts';
import { redisSettingsFrom, redisUrlFrom } from './redis-settings.ts';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** What commander hands over, by the long names of the flags. */
export interface StartOptions extends LimitOptions, AdminTlsOptions {
  config?: string;
  redis?: string;
  listen: Address;
  listenTls?: Address;
  admin: Address;
  allowRemoteAdmin?: boolean;
  workers: number;
  state: string;
  instance: string;
  logLevel: string;
  accessLog: number;
  trustedProxies: readonly string[];
  allowAddresses: readonly string[];
  drainTimeoutMs: number;
}

/** Adds the flags that configure a gateway to a command. */
export function addStartOptions(command: Command): Command {
  return addLimitOptions(addAdminTlsOptions(addMainOptions(command)));
}

function addMainOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--config <file>',
        'configuration file (YAML or JSON); saving it applies the difference; with --redis it seeds an empty store',
      ).env('GATEWAY_CONFIG'),
    )
    .addOption(
      new Option(
        '--redis <url>',
        'store for many instances: redis://, rediss://, redis+sentinel://, redis+cluster://; secrets by environment (env: GATEWAY_REDIS_URL)',
      ),
    )
    .addOption(
      new Option('--listen <host:port>', 'where clients connect')
        .env('GATEWAY_LISTEN')
        .argParser(parseAddress)
        .default({ host: '0.0.0.0', port: 8080 }, '0.0.0.0:8080'),
    )
    .addOption(
      new Option(
        '--listen-tls <host:port>',
        'where clients connect with TLS; its certificates are in the configuration (default: nowhere)',
      )
        .env('GATEWAY_LISTEN_TLS')
        .argParser(parseAddress),
    )
    .addOption(
      new Option('--admin <host:port>', 'management API, health, readiness and metrics')
        .env('GATEWAY_ADMIN')
        .argParser(parseAddress)
        .default({ host: '127.0.0.1', port: 9901 }, '127.0.0.1:9901'),
    )
    .addOption(
      new Option(
        '--allow-remote-admin',
        'let --admin be an address that others can reach, without TLS',
      ).default(undefined, 'refused; also GATEWAY_ALLOW_REMOTE_ADMIN=true'),
    )
    .addOption(
      new Option('--workers <n>', 'worker processes')
        .env('GATEWAY_WORKERS')
        .argParser(integerFrom(1, 1024))
        .default(availableParallelism(), 'one a core'),
    )
    .addOption(
      new Option('--state <dir>', 'where the embedded store and the last good configuration live')
        .env('GATEWAY_STATE')
        .default('./.gateway'),
    )
    .addOption(
      new Option('--instance <id>', 'name of this instance')
        .env('GATEWAY_INSTANCE')
        .default(hostname(), 'the host name'),
    )
    .addOption(
      new Option('--log-level <level>', 'least level that is logged')
        .env('GATEWAY_LOG_LEVEL')
        .choices(LOG_LEVELS)
        .default('info'),
    )
    .addOption(
      new Option(
        '--access-log <on|off|rate>',
        'a line a request, none, or a share such as 0.01 (failures always)',
      )
        .env('GATEWAY_ACCESS_LOG')
        .argParser(parseAccessLog)
        .default(1, 'on'),
    )
    .addOption(
      new Option(
        '--trusted-proxies <list>',
        'addresses and CIDR ranges whose X-Forwarded-* and X-Request-Id are believed',
      )
        .env('GATEWAY_TRUSTED_PROXIES')
        .argParser(parseTrustedProxies)
        .default([], 'none'),
    )
    .addOption(
      new Option(
        '--allow-addresses <list>',
        'link-local and metadata addresses, or CIDR ranges, that are connected to all the same',
      )
        .env('GATEWAY_ALLOW_ADDRESSES')
        .argParser(parseAddressRanges)
        .default([], 'none'),
    )
    .addOption(
      new Option('--drain-timeout-ms <n>', 'how long requests under way may take when a worker leaves')
        .env('GATEWAY_DRAIN_TIMEOUT_MS')
        .argParser(integerFrom(0, 3_600_000))
        .default(30_000),
    );
}

/** @throws InvalidArgumentError where the settings contradict each other */
export function settingsOf(options: StartOptions): GatewaySettings {
  const adminTls = adminTlsOf(options);
  if (!isLoopbackHost(options.admin.host) && adminTls === null && !allowsRemoteAdmin(options)) {
    throw new InvalidArgumentError(
      `--admin ${options.admin.host} can be reached from other hosts: use 127.0.0.1, add --admin-tls-cert and --admin-tls-key, or --allow-remote-admin`,
    );
  }
  return {
    version: packageVersion(),
    redis: fromEnvironment(() => redisOf(options)),
    // An empty variable is one that is not set.
    configFile: options.config || null,
    authentication: fromEnvironment(() => authenticationSettingsFrom(process.env)),
    listen: options.listen,
    listenTls: options.listenTls ?? null,
    admin: options.admin,
    adminTls,
    workers: options.workers,
    stateDirectory: options.state,
    instance: options.instance,
    drainTimeoutMs: options.drainTimeoutMs,
    accessLogRate: options.accessLog,
    trustedProxies: options.trustedProxies,
    limits: listenerLimitsOf(options),
    connectionLimits: connectionLimitsOf(options),
    allowedAddresses: options.allowAddresses,
    logLevel: options.logLevel,
    prettyLog: process.stdout.isTTY === true,
  };
}

function redisOf(options: StartOptions): RedisSettings | null {
  const url = redisUrlFrom(options.redis, process.env);
  return url === null ? null : redisSettingsFrom(url.url, url.fromFlag, process.env);
}

/** What is wrong with a variable is said as what is wrong with a flag. */
function fromEnvironment<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function allowsRemoteAdmin(options: StartOptions): boolean {
  const byVariable = switchFrom('GATEWAY_ALLOW_REMOTE_ADMIN');
  return options.allowRemoteAdmin ?? byVariable;
}

/** Reads HOST:PORT, [IPv6]:PORT or :PORT. */
function parseAddress(text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new InvalidArgumentError(
      'give HOST:PORT, such as 0.0.0.0:8080 or [::1]:8080; port 0 takes any free one.',
    );
  }
  return { host: match[1] ?? (match[2] || '0.0.0.0'), port };
}

function parseAccessLog(text: string): number {
  if (text === 'on') return 1;
  if (text === 'off') return 0;
  const rate = Number(text);
  if (text.trim() === '' || !(rate >= 0 && rate <= 1))
    throw new InvalidArgumentError('give on, off, or a share from 0 to 1.');
  return rate;
}

function parseAddressRanges(text: string): readonly string[] {
  const ranges = splitList(text);
  try {
    new AddressSet(ranges);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
  return ranges;
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((range) => range.trim())
    .filter((range) => range !== '');
}

function parseTrustedProxies(text: string): readonly string[] {
  const ranges = splitList(text);
  try {
    new TrustedProxies(ranges);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
  return ranges;
}
