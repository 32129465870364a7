/** Real Redis sentinels over a master with a replica. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRedisUrl, type RedisSecrets, type RedisSettings } from '../../lib/store/redis/redis-url.ts';
import type { TestCertificate } from './certificate.ts';
import { type DaemonOptions, RedisDaemon, startDaemon } from './redis-daemon.ts';
import { listPort, NO_SECRETS, type RedisOptions, type RedisProcess, startRedis } from './redis-server.ts';
import type { TestOwner } from './test-owner.ts';

const MASTER_NAME = 'gateway';
const DISCOVERY_LIMIT_MS = 20_000;
const FAILOVER_LIMIT_MS = 30_000;

export interface SentinelOptions {
  /** 3 unless given; most of them must agree. */
  readonly count?: number;
  /** How long the master may be silent until it is down; 2,000 ms unless given: a busy machine may stand still. */
  readonly downAfterMs?: number;
  /** 10,000 ms unless given. */
  readonly failoverTimeoutMs?: number;
  /** Of the user `default` of the servers. */
  readonly password?: string;
  /** Of the user `default` of the sentinels. */
  readonly sentinelPassword?: string;
  /** Encrypted connections only, to the servers too. */
  readonly tls?: TestCertificate;
}

export class Sentinels {
  readonly daemons: readonly RedisDaemon[];
  readonly #options: SentinelOptions;

  constructor(daemons: readonly RedisDaemon[], options: SentinelOptions) {
    this.daemons = daemons;
    this.#options = options;
  }

  /** Without passwords. */
  get url(): string {
    const hosts = this.daemons.map(({ port }) => `127.0.0.1:${port}`).join(',');
    const scheme = this.#options.tls === undefined ? 'redis' : 'rediss';
    return `${scheme}+sentinel://${hosts}/${MASTER_NAME}/0`;
  }

  settings(prefix?: string, secrets: Partial<RedisSecrets> = {}): RedisSettings {
    const { password = null, sentinelPassword = null, tls } = this.#options;
    return parseRedisUrl(this.url, {
      ...NO_SECRETS,
      password,
      sentinelPassword,
      ca: tls?.ca ?? null,
      prefix: prefix ?? null,
      ...secrets,
    });
  }

  /** The port of the server that the first sentinel takes for the master. */
  async masterPort(): Promise<number> {
    const address = await this.daemons[0]?.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER_NAME);
    return Number(address?.split('\n')[1]);
  }

  /** Waits until all sentinels have made the server on `port` the master. */
  async waitForMaster(port: number, limitMs = FAILOVER_LIMIT_MS): Promise<void> {
    const isSwitch = new RegExp(`\\+switch-master .* ${port}$`);
    await Promise.all(this.daemons.map((daemon) => daemon.waitForLog(isSwitch, 0, limitMs)));
  }

  /** Waits until a sentinel has made the server on `port`, which was the master, a replica. */
  async waitForReplica(port: number, limitMs = FAILOVER_LIMIT_MS): Promise<void> {
    const isConversion = new RegExp(`\\+convert-to-slave slave 127\\.0\\.0\\.1:${port} `);
    await Promise.any(this.daemons.map((daemon) => daemon.waitForLog(isConversion, 0, limitMs)));
  }
}

/** Starts a server and one that follows it, both with the same options. */
export async function startReplicatedPair(
  owner: TestOwner,
  options: RedisOptions = {},
): Promise<{ master: RedisProcess; replica: RedisProcess }> {
  const [master, replica] = await Promise.all([startRedis(owner, options), startRedis(owner, options)]);
  await replica.makeReplicaOf(master.port);
  return { master, replica };
}

/** Starts sentinels that end with the test, and waits until they know each other and all replicas. */
export async function startSentinels(
  owner: TestOwner,
  master: RedisProcess,
  options: SentinelOptions = {},
): Promise<Sentinels> {
  const count = options.count ?? 3;
  const starting = Array.from({ length: count }, () => startSentinel(owner, master, count, options));
  const daemons = await Promise.all(starting);
  const ports = daemons.map(({ port }) => port);
  for (const daemon of daemons) {
    const others = ports.filter((port) => port !== daemon.port);
    await Promise.all(
      others.map((port) =>
        daemon.waitForLog(new RegExp(`\\+sentinel .* 127\\.0\\.0\\.1 ${port} `), 0, DISCOVERY_LIMIT_MS),
      ),
    );
    await daemon.waitForLog(/\+slave slave /, 0, DISCOVERY_LIMIT_MS);
  }
  return new Sentinels(daemons, options);
}

function startSentinel(
  owner: TestOwner,
  master: RedisProcess,
  count: number,
  options: SentinelOptions,
): Promise<RedisDaemon> {
  const { downAfterMs = 2_000, failoverTimeoutMs = 10_000, password, sentinelPassword, tls } = options;
  const daemonOptions: DaemonOptions = {
    flags: ['--sentinel'],
    ...(sentinelPassword === undefined ? {} : { password: sentinelPassword }),
    ...(tls === undefined ? {} : { tls }),
    configuration: (port, directory) => [
      'bind 127.0.0.1',
      ...listPort(port, tls === undefined ? {} : { tls }),
      `dir ${join(directory, 'data')}`,
      `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${master.port} ${Math.floor(count / 2) + 1}`,
      `sentinel down-after-milliseconds ${MASTER_NAME} ${downAfterMs}`,
      `sentinel failover-timeout ${MASTER_NAME} ${failoverTimeoutMs}`,
      ...(password === undefined ? [] : [`sentinel auth-pass ${MASTER_NAME} ${JSON.stringify(password)}`]),
      ...(sentinelPassword === undefined
        ? []
        : [
            `requirepass ${JSON.stringify(sentinelPassword)}`,
            `sentinel sentinel-pass ${JSON.stringify(sentinelPassword)}`,
          ]),
    ],
  };
  return startDaemon(owner, daemonOptions, async (port, directory) => {
    await mkdir(join(directory, 'data'), { recursive: true });
    return new RedisDaemon(port, directory, daemonOptions);
  });
}
