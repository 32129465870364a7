/** Very many routes at once: how long until they are served, and whether requests meanwhile notice. */
import { bounded, check, type Figure, figure, percentile, spread } from './figures.ts';
import { consoleChange, fingerprintsOf, GatewayFleet } from './gateway-fleet.ts';
import { ManyRoutes } from './many-routes.ts';
import { loadFigures, type PacedLoad, startLoad } from './paced-load.ts';
import { cpuMeter, residentMegabytes } from './process-usage.ts';
import { ROUTES_A_CLUSTER, type Sizes, sleep } from './propagation-sizes.ts';
import type { Scope } from './scope.ts';
import { wallMs } from './stalls.ts';

const REQUESTS_PER_SECOND = 300;
const TARGET_STALL_MS = 50;
/** What follows a change, such as saving the last good configuration, belongs to it. */
const SETTLE_MS = 4_000;
const SINGLE_CHANGES = 20;
const WRITE_LIMIT_MS = 60_000;

export async function measureSnapshot(
  scope: Scope,
  { snapshotRoutes, changedRoutes }: Sizes,
): Promise<Figure[]> {
  const fleet = await GatewayFleet.create(scope);
  const store = await fleet.openStore();
  const config = new ManyRoutes(Math.ceil(snapshotRoutes / ROUTES_A_CLUSTER), fleet.originPort);
  await store.publish(consoleChange([config.putCluster(0), config.putRoute(0)]));
  await fleet.startAll();
  const load = startLoad(scope, { ports: fleet.ports, routes: [0], requestsPerSecond: REQUESTS_PER_SECOND });
  await sleep(SETTLE_MS);
  await load.take();

  const publish = async (): Promise<number> => {
    const startMs = performance.now();
    const { revision } = await store.publish(consoleChange(config.operations(snapshotRoutes)));
    return ((await fleet.watch.waitForAll(revision)) - startMs) / 1_000;
  };
  const changeOne = async (turn: number): Promise<number> => {
    const startMs = performance.now();
    const { revision } = await store.publish(consoleChange([config.putRoute(turn, turn + 1)]));
    return (await fleet.watch.waitForAll(revision)) - startMs;
  };
  const single: number[] = [];
  const phase = new PhaseMeter(fleet, load);
  const figures = [
    ...(await phase.measure(`${snapshotRoutes} routes come`, async () => [
      figure(`s from publishing ${snapshotRoutes} routes until all workers serve them`, await publish()),
    ])),
    ...(await memoryFigures(fleet)),
    ...(await phase.measure('single changes', async () => {
      for (let turn = 0; turn < SINGLE_CHANGES; turn += 1) single.push(await changeOne(turn));
      return [
        bounded(`ms for one more change at that size, p99 of ${SINGLE_CHANGES}`, percentile(single, 99), 50),
        figure('the same, p50 / p99 / max', spread(single)),
      ];
    })),
    ...(await phase.measure(`PUT config changes ${changedRoutes}`, () =>
      replaceDocument(
        fleet,
        JSON.stringify(config.document(snapshotRoutes, changedRoutes, 99)),
        changedRoutes,
      ),
    )),
    ...(await phase.measure('a worker is replaced', () => killWorker(fleet), 'a worker was killed')),
  ];
  return [
    ...figures,
    check('different fingerprints at the end', fingerprintsOf(await fleet.statuses()).length, 1),
  ];
}

/** Runs one thing after the other under traffic, each with what it did to requests and event loops. */
class PhaseMeter {
  readonly #fleet: GatewayFleet;
  readonly #load: PacedLoad;

  constructor(fleet: GatewayFleet, load: PacedLoad) {
    this.#fleet = fleet;
    this.#load = load;
  }

  /** @param loss why requests may fail meanwhile */
  async measure(name: string, work: () => Promise<Figure[]>, loss?: string): Promise<Figure[]> {
    const workers = await this.#fleet.workerPids();
    const sinceMs = wallMs();
    const primaryCpu = cpuMeter(this.#fleet.primaryPids);
    const workerCpu = cpuMeter(workers);
    const figures = await work();
    // Those that were there and still are: a worker that was killed cannot be asked.
    const cpu = loss === undefined ? [...primaryCpu(), ...workerCpu()] : primaryCpu();
    await sleep(SETTLE_MS);
    const count = loadFigures(await this.#load.take(), `while ${name}`);
    return [
      ...figures,
      figure(
        'CPU seconds of each primary, then of each worker',
        cpu.map((used) => used.toFixed(1)).join(', '),
      ),
      ...stallFigures(this.#fleet, 'worker', workers, sinceMs, name),
      ...stallFigures(this.#fleet, 'primary', this.#fleet.primaryPids, sinceMs, name),
      // What a process that was killed had under way is lost with it.
      ...(loss === undefined
        ? count
        : count.map(({ name: what, value }) => ({ name: `${what} (${loss})`, value }))),
    ];
  }
}

function stallFigures(
  fleet: GatewayFleet,
  role: string,
  pids: readonly number[],
  sinceMs: number,
  name: string,
): Figure[] {
  const stalls = pids.map((pid) => fleet.longestStall([pid], sinceMs));
  // More processes than cores want to work here: what they wait for each other is told, not judged.
  const own = Math.max(...stalls.map(({ cpuMs }) => cpuMs));
  return [
    bounded(`longest stall of a ${role} by its own work while ${name}, ms`, own, TARGET_STALL_MS),
    figure(`each ${role}: ms it worked (ms it stood still)`, stalls.map(formatStall).join(', ')),
  ];
}

function formatStall({ ms, cpuMs }: { readonly ms: number; readonly cpuMs: number }): string {
  return `${cpuMs.toFixed(0)} (${ms.toFixed(0)})`;
}

async function memoryFigures(fleet: GatewayFleet): Promise<Figure[]> {
  const describe = (pids: readonly number[]): string =>
    pids
      .map(residentMegabytes)
      .map(({ now, peak }) => `${now.toFixed(0)} (${peak.toFixed(0)})`)
      .join(', ');
  return [
    figure('resident memory of each worker, MB (peak)', describe(await fleet.workerPids())),
    figure('of each primary', describe(fleet.primaryPids)),
  ];
}

async function replaceDocument(fleet: GatewayFleet, document: string, changed: number): Promise<Figure[]> {
  const startMs = performance.now();
  const path = `/config?wait=all&timeoutMs=${WRITE_LIMIT_MS}`;
  const { status, body } = await fleet.get('one').admin.send('PUT', path, document);
  const answeredMs = performance.now() - startMs;
  const { revision = 0, complete } = body as { revision?: number; complete?: boolean };
  const appliedMs = status === 200 ? (await fleet.watch.waitForAll(revision)) - startMs : Number.NaN;
  return [
    figure(
      `s for PUT config with ${changed} of the routes changed, until all workers serve it`,
      appliedMs / 1_000,
    ),
    figure('until the answer to wait=all', answeredMs / 1_000),
    check('that answer', `${status}, complete: ${complete}`, '200, complete: true'),
  ];
}

async function killWorker(fleet: GatewayFleet): Promise<Figure[]> {
  const { admin, name } = fleet.get('one');
  const [worker] = (await admin.status()).workers;
  const startMs = performance.now();
  process.kill(worker!.pid, 'SIGKILL');
  const servingMs = (await fleet.watch.waitForServing(name, startMs)) - startMs;
  return [figure('s from the kill of a worker until its successor serves', servingMs / 1_000)];
}
