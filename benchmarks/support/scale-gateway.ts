/** One gateway of two workers with very many routes: how long until they serve them, and what they weigh. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Operation } from '../../lib/core/config/change.ts';
import { RedisStore } from '../../lib/store/redis/redis-store.ts';
import { startGateway } from '../../test/helpers/gateway-process.ts';
import { startRedis } from '../../test/helpers/redis-server.ts';
import { createTemporaryDirectory } from '../../test/helpers/temporary-directory.ts';
import { AdminClient } from './admin-client.ts';
import { AppliedWatch } from './applied-watch.ts';
import { bounded, check, type Figure, figure, spread } from './figures.ts';
import { consoleChange, fingerprintsOf } from './gateway-fleet.ts';
import { ManyRoutes } from './many-routes.ts';
import { longestPauseMs, recordsEnvironment, usedHeapBytes } from './process-records.ts';
import { cpuMeter } from './process-usage.ts';
import { ROUTES_A_CLUSTER, sleep } from './propagation-sizes.ts';
import type { Scope } from './scope.ts';
import { longest, readStalls, wallMs } from './stalls.ts';

const WORKERS = 2;
/** Nobody listens there: no request is sent. */
const ORIGIN_PORT = 9;
const SETTLE_MS = 3_000;
const SINGLE_CHANGES = 50;

/** All routes at once, then single changes among them. */
export async function measureGateway(scope: Scope, routeCount: number): Promise<Figure[]> {
  const config = new ManyRoutes(Math.ceil(routeCount / ROUTES_A_CLUSTER), ORIGIN_PORT);
  const redis = await startRedis(scope);
  const store = await RedisStore.open(redis.settings());
  scope.teardown(() => store.close());
  await store.publish(consoleChange([config.putCluster(0), config.putRoute(0)]));
  const gateway = await RecordedGateway.start(scope, redis.url);
  /** In ms since the console began: Redis had it, the primary had checked it, all workers served it. */
  const publish = async (operations: readonly Operation[]) => {
    const startMs = performance.now();
    const { revision } = await store.publish(consoleChange(operations));
    const stored = performance.now() - startMs;
    const applied = (await gateway.watch.waitForAll(revision)) - startMs;
    return { stored, taken: gateway.watch.timeTaken(revision) - startMs, applied };
  };

  const heapsBefore = await gateway.heaps();
  await sleep(SETTLE_MS);
  const operations = config.operations(routeCount);
  const snapshot = await gateway.measure(() => publish(operations));
  const heaps = await gateway.heaps();
  const single: number[] = [];
  for (let turn = 0; turn < SINGLE_CHANGES; turn += 1) {
    single.push((await publish([config.putRoute(turn, turn + 1)])).applied);
  }
  const { stored, taken, applied } = snapshot.result;
  const bytes = heaps.map((heap, index) => (heap - heapsBefore[index]!) / routeCount);
  return [
    bounded(
      `s from ${routeCount} routes in Redis until both workers serve them`,
      (applied - stored) / 1_000,
      2,
    ),
    figure('… of that until the primary has checked them', (taken - stored) / 1_000),
    figure('s for the console and Redis before that', stored / 1_000),
    figure('CPU s: primary; workers', snapshot.cpuSeconds.map((used) => used.toFixed(2)).join('; ')),
    ...snapshot.stalls,
    bounded('bytes of heap a route, larger worker', Math.max(...bytes.slice(1)), 1_536),
    figure('bytes of heap a route, primary', bytes[0]!),
    figure('ms for one change then, p50 / p99 / max', spread(single)),
    check('different fingerprints at the end', await gateway.countFingerprints(), 1),
  ];
}

/** A gateway whose processes record how they are. */
class RecordedGateway {
  readonly watch = new AppliedWatch(WORKERS);
  readonly #directory: string;
  readonly #admin: AdminClient;
  /** The primary's, then those of the workers. */
  readonly #pids: readonly number[];

  private constructor(directory: string, admin: AdminClient, pids: readonly number[]) {
    this.#directory = directory;
    this.#admin = admin;
    this.#pids = pids;
  }

  static async start(scope: Scope, redisUrl: string): Promise<RecordedGateway> {
    const directory = await createTemporaryDirectory(scope);
    const gateway = await startGateway(scope, {
      workers: WORKERS,
      accessLog: 'off',
      flags: ['--redis', redisUrl, '--instance', 'one'],
      environment: recordsEnvironment(directory),
    });
    const token = (await readFile(join(gateway.stateDirectory, 'admin.token'), 'utf8')).trim();
    const admin = new AdminClient(gateway.adminPort, token);
    const { workers } = await admin.status();
    const recorded = new RecordedGateway(directory, admin, [gateway.pid, ...workers.map(({ pid }) => pid)]);
    scope.teardown(await admin.streamEvents((event) => recorded.watch.onEvent('one', event)));
    return recorded;
  }

  async countFingerprints(): Promise<number> {
    return fingerprintsOf([await this.#admin.status()]).length;
  }

  /** One process after the other: they share the cores. */
  async heaps(): Promise<number[]> {
    const heaps: number[] = [];
    for (const pid of this.#pids) heaps.push(await usedHeapBytes(this.#directory, pid));
    return heaps;
  }

  /** Runs something, and tells what it cost each process. What follows a change belongs to its stalls. */
  async measure<T>(work: () => Promise<T>): Promise<{ result: T; cpuSeconds: number[]; stalls: Figure[] }> {
    const sinceMs = wallMs();
    const cpu = cpuMeter(this.#pids);
    const result = await work();
    const cpuSeconds = cpu();
    await sleep(SETTLE_MS);
    const [primary = 0, ...workers] = this.#pids;
    const stalls = [
      ...this.#stalls('primary', [primary], sinceMs),
      ...this.#stalls('worker', workers, sinceMs),
    ];
    return { result, cpuSeconds, stalls };
  }

  #stalls(role: string, pids: readonly number[], sinceMs: number): Figure[] {
    const { ms, cpuMs } = longest(pids.flatMap((pid) => readStalls(this.#directory, pid, sinceMs)));
    const pauses = pids.map((pid) => longestPauseMs(this.#directory, pid, sinceMs));
    return [
      bounded(`longest stall of a ${role} by its own work, ms`, cpuMs, 50),
      figure(
        '… waiting for a core included; longest garbage collection',
        `${ms.toFixed(0)}; ${Math.max(...pauses).toFixed(0)}`,
      ),
    ];
  }
}
