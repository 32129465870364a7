/** One change after the other: how long until every worker of every instance serves it. */
import { bounded, check, type Figure, figure, percentile, spread } from './figures.ts';
import { consoleChange, fingerprintsOf, GatewayFleet, INSTANCES, WORKERS } from './gateway-fleet.ts';
import { ManyRoutes } from './many-routes.ts';
import { ROUTES_A_CLUSTER, type Sizes } from './propagation-sizes.ts';
import type { Scope } from './scope.ts';
import { wallMs } from './stalls.ts';

const TARGET_P99_MS = 50;
/** Not counted: the first changes meet code that no compiler has seen yet. */
const WARM_UP = 20;

interface ChangeTimes {
  readonly revision: number;
  readonly writtenMs: number;
  readonly takenMs: number;
  readonly appliedMs: number;
}

export async function measureChanges(scope: Scope, { routes, changes }: Sizes): Promise<Figure[]> {
  const fleet = await GatewayFleet.create(scope);
  const store = await fleet.openStore();
  const config = new ManyRoutes(Math.ceil(routes / ROUTES_A_CLUSTER), fleet.originPort);
  await store.publish(consoleChange(config.operations(routes)));
  await fleet.startAll();

  const change = async (turn: number): Promise<ChangeTimes> => {
    const startMs = performance.now();
    const { revision } = await store.publish(
      consoleChange([config.putRoute((turn * 37) % routes, turn + 1)]),
    );
    const writtenMs = performance.now() - startMs;
    const appliedMs = (await fleet.watch.waitForAll(revision)) - startMs;
    return { revision, writtenMs, takenMs: fleet.watch.timeTaken(revision) - startMs, appliedMs };
  };
  for (let turn = 0; turn < WARM_UP; turn += 1) await change(turn);
  const sinceMs = wallMs();
  const times: ChangeTimes[] = [];
  for (let turn = 0; turn < changes; turn += 1) times.push(await change(WARM_UP + turn));
  const stall = fleet.longestStall([...fleet.primaryPids, ...(await fleet.workerPids())], sinceMs);

  const applied = times.map(({ appliedMs }) => appliedMs);
  return [
    figure('changes from the console, one after the other', changes),
    bounded('ms until all workers serve one, p99', percentile(applied, 99), TARGET_P99_MS),
    figure('the same, p50 / p99 / max', spread(applied)),
    figure('of that until Redis has it, p50 / p99 / max', spread(times.map(({ writtenMs }) => writtenMs))),
    figure('until both primaries have it', spread(times.map(({ takenMs }) => takenMs))),
    figure('longest stall of any process, ms (ms of its own work)', `${stall.ms} (${stall.cpuMs})`),
    check(
      'changes that a worker did not report',
      fleet.watch.missing(times.map(({ revision }) => revision)),
      0,
    ),
    check('reports out of order', fleet.watch.outOfOrder, 0),
    ...(await measureWrites(fleet, config, routes, Math.ceil(changes / 2))),
    check('different fingerprints at the end', fingerprintsOf(await fleet.statuses()).length, 1),
  ];
}

/** The same through the management API, until it says that all have it. */
async function measureWrites(
  fleet: GatewayFleet,
  config: ManyRoutes,
  routes: number,
  changes: number,
): Promise<Figure[]> {
  const { admin } = fleet.get('one');
  const answered: number[] = [];
  let incomplete = 0;
  for (let turn = -WARM_UP; turn < changes; turn += 1) {
    const index = (turn + WARM_UP) % routes;
    const body = JSON.stringify(config.route(index, 1_000_000 + turn));
    const startMs = performance.now();
    const answer = await admin.send('PUT', `/routes/r${index}?wait=all`, body);
    if (turn >= 0) answered.push(performance.now() - startMs);
    const receipt = answer.body as { complete?: boolean; applied?: unknown[] };
    const isComplete = receipt.complete === true && receipt.applied?.length === INSTANCES.length * WORKERS;
    if (answer.status !== 200 || !isComplete) incomplete += 1;
  }
  return [
    figure('PUT …/routes/:id?wait=all, one after the other', changes),
    bounded('ms until the answer, p99', percentile(answered, 99), TARGET_P99_MS),
    figure('the same, p50 / p99 / max', spread(answered)),
    check('answers that do not name all workers as done', incomplete, 0),
  ];
}
