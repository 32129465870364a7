/** A Redis server, an origin and gateways between them, for one part of a benchmark. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { InstanceStatus } from '../../lib/admin/control-plane.ts';
import type { Operation } from '../../lib/core/config/change.ts';
import type { NewChange } from '../../lib/store/config-store.ts';
import { RedisStore } from '../../lib/store/redis/redis-store.ts';
import { type GatewayProcess, startGateway } from '../../test/helpers/gateway-process.ts';
import { type RedisOptions, type RedisProcess, startRedis } from '../../test/helpers/redis-server.ts';
import { createTemporaryDirectory } from '../../test/helpers/temporary-directory.ts';
import { AdminClient } from './admin-client.ts';
import { AppliedWatch } from './applied-watch.ts';
import { startScript } from './contender.ts';
import type { Scope } from './scope.ts';
import { longest, readStalls, recordingEnvironment, type Stall } from './stalls.ts';

export const INSTANCES = ['one', 'two'] as const;
export const WORKERS = 2;
const START_LIMIT_MS = 120_000;

export interface Instance {
  readonly name: string;
  readonly gateway: GatewayProcess;
  readonly admin: AdminClient;
}

export interface InstanceOptions {
  readonly redisUrl: string;
  /** To start again where another one was killed. */
  readonly stateDirectory?: string;
  readonly listen?: string;
}

export class GatewayFleet {
  readonly redis: RedisProcess;
  readonly originPort: number;
  /** By name; one that was started again is in the place of the one before. */
  readonly instances = new Map<string, Instance>();
  readonly watch = new AppliedWatch(INSTANCES.length * WORKERS);
  readonly #scope: Scope;
  readonly #stallDirectory: string;

  private constructor(scope: Scope, redis: RedisProcess, originPort: number, stallDirectory: string) {
    this.#scope = scope;
    this.redis = redis;
    this.originPort = originPort;
    this.#stallDirectory = stallDirectory;
  }

  /** A Redis server and an origin; gateways are started afterwards. */
  static async create(scope: Scope, redisOptions: RedisOptions = {}): Promise<GatewayFleet> {
    const redis = await startRedis(scope, redisOptions);
    const origin = await startScript('origin', 'support/origin.ts', 0);
    scope.teardown(() => origin.stop());
    return new GatewayFleet(scope, redis, origin.port, await createTemporaryDirectory(scope));
  }

  /** Connects to the store as a console does; the connection ends with the scope. */
  async openStore(): Promise<RedisStore> {
    const store = await RedisStore.open(this.redis.settings());
    this.#scope.teardown(() => store.close());
    return store;
  }

  async startAll(): Promise<void> {
    for (const name of INSTANCES) await this.start(name, { redisUrl: this.redis.url });
  }

  /** Starts an instance, waits until it is ready, and listens to its events. */
  async start(name: string, { redisUrl, ...options }: InstanceOptions): Promise<Instance> {
    const gateway = await startGateway(this.#scope, {
      ...options,
      workers: WORKERS,
      accessLog: 'off',
      flags: ['--redis', redisUrl, '--instance', name],
      environment: recordingEnvironment(this.#stallDirectory),
      startLimitMs: START_LIMIT_MS,
    });
    const token = (await readFile(join(gateway.stateDirectory, 'admin.token'), 'utf8')).trim();
    const admin = new AdminClient(gateway.adminPort, token);
    const instance = { name, gateway, admin };
    this.instances.set(name, instance);
    const endStream = await admin.streamEvents((event) => this.watch.onEvent(name, event));
    this.#scope.teardown(endStream);
    return instance;
  }

  get(name: string): Instance {
    const instance = this.instances.get(name);
    if (instance === undefined) throw new Error(`there is no instance ${name}`);
    return instance;
  }

  get ports(): number[] {
    return [...this.instances.values()].map(({ gateway }) => gateway.port);
  }

  get primaryPids(): number[] {
    return [...this.instances.values()].map(({ gateway }) => gateway.pid);
  }

  async workerPids(): Promise<number[]> {
    return (await this.statuses()).flatMap(({ workers }) => workers.map(({ pid }) => pid));
  }

  statuses(): Promise<InstanceStatus[]> {
    return Promise.all([...this.instances.values()].map(({ admin }) => admin.status()));
  }

  /** How long some processes stood still since a moment, all together. */
  longestStall(pids: readonly number[], sinceMs: number): { readonly ms: number; readonly cpuMs: number } {
    return longest(pids.flatMap((pid) => this.stalls(pid, sinceMs)));
  }

  stalls(pid: number, sinceMs: number): Stall[] {
    return readStalls(this.#stallDirectory, pid, sinceMs);
  }
}

/** A change as a console publishes it. */
export function consoleChange(operations: readonly Operation[]): NewChange {
  return { operations, actor: 'benchmark', message: '' };
}

/** The fingerprints of all workers and of what the primaries hold, each once: one where all agree. */
export function fingerprintsOf(statuses: readonly InstanceStatus[]): string[] {
  const all = statuses.flatMap(({ configuration, workers }) => [
    configuration.fingerprint,
    ...workers.map(({ fingerprint }) => fingerprint ?? 'none'),
  ]);
  return [...new Set(all)];
}

/** The revisions of all workers and of what the primaries hold, each once. */
export function revisionsOf(statuses: readonly InstanceStatus[]): number[] {
  const all = statuses.flatMap(({ configuration, workers }) => [
    configuration.revision,
    ...workers.map(({ revision }) => revision ?? 0),
  ]);
  return [...new Set(all)];
}
