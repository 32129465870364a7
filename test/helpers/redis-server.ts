/** A real Redis server for one test, with its own port and directory. */
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRedisUrl, type RedisSecrets, type RedisSettings } from '../../lib/store/redis/redis-url.ts';
import type { TestCertificate } from './certificate.ts';
import { type DaemonOptions, RedisDaemon, startDaemon } from './redis-daemon.ts';
import { createTemporaryDirectory } from './temporary-directory.ts';
import type { TestOwner } from './test-owner.ts';

export interface RedisOptions {
  /** Keeps data over `kill`: every write is on disk before it is answered. Off unless given. */
  readonly appendOnly?: boolean;
  /** Of the user `default`. */
  readonly password?: string;
  /** More users, each as `ACL SETUSER` takes it: `gateway on >secret ~{gateway}:* +get`. */
  readonly aclUsers?: readonly string[];
  /** Encrypted connections only. */
  readonly tls?: TestCertificate;
  /** Refuses clients without a certificate of the same authority. */
  readonly clientCertificates?: boolean;
  /** Such as `2mb`; writes beyond it are refused. */
  readonly maxMemory?: string;
  /** More lines of its configuration file. */
  readonly configuration?: readonly string[];
}

/** What a restarted server starts with; what it had where it is kept on disk, unless given. */
export interface RestartOptions {
  readonly keepData?: boolean;
  /** What `saveCopy` gave. */
  readonly from?: string;
}

/** For an open server. */
export const NO_SECRETS: RedisSecrets = {
  username: null,
  password: null,
  sentinelUsername: null,
  sentinelPassword: null,
  ca: null,
  cert: null,
  key: null,
  prefix: null,
};

export class RedisProcess extends RedisDaemon {
  readonly #owner: TestOwner;
  readonly #options: RedisOptions;

  constructor(port: number, directory: string, owner: TestOwner, options: RedisOptions) {
    super(port, directory, daemonOptions(options));
    this.#owner = owner;
    this.#options = options;
  }

  /** Without a password. */
  get url(): string {
    return `${this.#options.tls === undefined ? 'redis' : 'rediss'}://127.0.0.1:${this.port}/0`;
  }

  /** To connect as the user `default`, or as `secrets` say. */
  settings(prefix?: string, secrets: Partial<RedisSecrets> = {}): RedisSettings {
    const { password = null, tls, clientCertificates = false } = this.#options;
    const client = clientCertificates && tls !== undefined ? { cert: tls.cert, key: tls.key } : {};
    const own = { ...NO_SECRETS, password, ca: tls?.ca ?? null, ...client };
    return parseRedisUrl(this.url, { ...own, prefix: prefix ?? null, ...secrets });
  }

  /** Kills it where it runs, and starts it again on the same port. */
  async restart({ keepData = this.#options.appendOnly === true, from }: RestartOptions = {}): Promise<void> {
    if (keepData && this.#options.appendOnly !== true) throw new Error('only appendOnly keeps data');
    await this.kill();
    if (from !== undefined || !keepData) await this.#removeData();
    if (from !== undefined) await cp(from, this.#dataDirectory, { recursive: true });
    await this.start();
  }

  /** Copies what it holds now to a directory that goes with the test; gives its path. */
  async saveCopy(): Promise<string> {
    if (this.#options.appendOnly !== true) await this.command('SAVE');
    const copy = await createTemporaryDirectory(this.#owner);
    await cp(this.#dataDirectory, copy, { recursive: true });
    return copy;
  }

  /** Makes it follow the server on another port, and waits until it has its data. */
  async makeReplicaOf(port: number): Promise<void> {
    const logStart = this.log.length;
    await this.command('REPLICAOF', '127.0.0.1', String(port));
    await this.waitForLog(/MASTER <-> REPLICA sync: (Finished|Master accepted)/, logStart);
  }

  /** Makes a replica a master of its own. */
  async promote(): Promise<void> {
    await this.command('REPLICAOF', 'NO', 'ONE');
  }

  /** Cuts the connections of all clients of one type; gives how many there were. */
  async killClients(type: 'normal' | 'pubsub'): Promise<number> {
    return Number(await this.command('CLIENT', 'KILL', 'TYPE', type));
  }

  get #dataDirectory(): string {
    return join(this.directory, 'data');
  }

  /** All but what a node knows of its cluster. */
  async #removeData(): Promise<void> {
    for (const name of ['dump.rdb', 'appendonlydir']) {
      await rm(join(this.#dataDirectory, name), { recursive: true, force: true });
    }
  }
}

/** Starts a server that ends with the test. */
export async function startRedis(owner: TestOwner, options: RedisOptions = {}): Promise<RedisProcess> {
  return startDaemon(owner, daemonOptions(options), async (port, directory) => {
    await mkdir(join(directory, 'data'), { recursive: true });
    return new RedisProcess(port, directory, owner, options);
  });
}

function daemonOptions(options: RedisOptions): DaemonOptions {
  return {
    configuration: (port, directory) => listConfiguration(port, directory, options),
    ...(options.password === undefined ? {} : { password: options.password }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
  };
}

function listConfiguration(port: number, directory: string, options: RedisOptions): string[] {
  const { appendOnly = false, password, aclUsers = [], maxMemory } = options;
  return [
    'bind 127.0.0.1',
    `dir ${join(directory, 'data')}`,
    'save ""',
    `appendonly ${appendOnly ? 'yes' : 'no'}`,
    'appendfsync always',
    'repl-diskless-sync-delay 0',
    'enable-debug-command local',
    ...listPort(port, options),
    ...(password === undefined
      ? []
      : [`requirepass ${JSON.stringify(password)}`, `masterauth ${JSON.stringify(password)}`]),
    ...aclUsers.map((user) => `user ${user}`),
    ...(maxMemory === undefined ? [] : [`maxmemory ${maxMemory}`, 'maxmemory-policy noeviction']),
    ...(options.configuration ?? []),
  ];
}

/** The lines that say on which port connections come, and whether they are encrypted. */
export function listPort(port: number, { tls, clientCertificates = false }: RedisOptions): string[] {
  if (tls === undefined) return [`port ${port}`];
  return [
    'port 0',
    `tls-port ${port}`,
    `tls-ca-cert-file ${tls.caFile}`,
    `tls-cert-file ${tls.certFile}`,
    `tls-key-file ${tls.keyFile}`,
    `tls-auth-clients ${clientCertificates ? 'yes' : 'no'}`,
    'tls-replication yes',
  ];
}
