/** What one change of a route costs by the number of routes: checked by the primary, applied by a worker. */
import type { Operation } from '../../lib/core/config/change.ts';
import { ConfigurationTable } from '../../lib/core/config/configuration-table.ts';
import { StatsRegistry } from '../../lib/core/metrics/route-stats.ts';
import type { ToWorker } from '../../lib/ipc/protocol.ts';
import { sliceOperations } from '../../lib/primary/operation-slices.ts';
import { ConfigurationReceiver } from '../../lib/worker/configuration-receiver.ts';
import { RoutingTable } from '../../lib/worker/routing-table.ts';
import { WorkQueue } from '../../lib/worker/work-queue.ts';
import { routeServices } from '../../test/worker/route-services.ts';
import { bounded, type Figure } from './figures.ts';
import { ManyRoutes } from './many-routes.ts';
import { ROUTES_A_CLUSTER } from './propagation-sizes.ts';

const ORIGIN_PORT = 9;
const CHANGES_PER_ROUND = 2_000;
const ROUNDS = 5;
const TARGET_US = 100;

/** One route replaced, the mean of many: half of them at routes spread over the table come back as they were. */
export function measureDeltas(routeCount: number): Figure[] {
  const config = new ManyRoutes(Math.ceil(routeCount / ROUTES_A_CLUSTER), ORIGIN_PORT);
  const primary = fillPrimary(config, routeCount);
  const worker = new FilledWorker(config, routeCount);
  const scattered = (turn: number): number => (Math.imul(turn + 1, 2_654_435_761) >>> 0) % routeCount;
  const texts = (round: number): string[] =>
    Array.from({ length: CHANGES_PER_ROUND }, (_, turn) =>
      JSON.stringify([config.putRoute(scattered(turn), round * CHANGES_PER_ROUND + turn + 1)]),
    );
  const checkUs = measureUs(texts, (text) => {
    const { operations } = primary.check(JSON.parse(text) as unknown[]);
    primary.apply(operations);
  });
  const applyUs = measureUs(texts, (text) => worker.apply(text));
  return [
    bounded(
      `µs for one change among ${routeCount} routes: primary, read, checked, taken`,
      checkUs,
      TARGET_US,
    ),
    bounded('… worker, read, applied, answered', applyUs, TARGET_US),
  ];
}

/** The best of some rounds, in microseconds of CPU time a text. */
function measureUs(texts: (round: number) => string[], work: (text: string) => void): number {
  let bestUs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const batch = texts(round);
    const before = process.threadCpuUsage();
    for (const text of batch) work(text);
    const used = process.threadCpuUsage(before);
    bestUs = Math.min(bestUs, (used.user + used.system) / batch.length);
  }
  return bestUs;
}

function fillPrimary(config: ManyRoutes, routeCount: number): ConfigurationTable {
  const table = new ConfigurationTable();
  for (const operations of sliceOperations(config.operations(routeCount))) {
    table.apply(table.check(operations).operations);
  }
  return table;
}

/** The receiver and the table of a worker, without its process. */
class FilledWorker {
  readonly #receiver: ConfigurationReceiver;
  #id = 'filled';
  #changes = 0;
  #answers = 0;

  constructor(config: ManyRoutes, routeCount: number) {
    const stats = new StatsRegistry();
    this.#receiver = new ConfigurationReceiver(
      (unhealthy) => new RoutingTable(routeServices, stats, unhealthy),
      { serve: () => {} },
      () => {
        this.#answers += 1;
      },
      new WorkQueue(Number.POSITIVE_INFINITY),
    );
    this.#receive({ type: 'transferBegin', parent: null });
    for (const operations of sliceOperations(config.operations(routeCount))) {
      this.#receive({ type: 'transferPart', operations });
    }
    this.#receive({ type: 'transferEnd', revision: 0, id: this.#id });
  }

  /** @param text the operations as JSON, as they come over the channel */
  apply(text: string): void {
    this.#changes += 1;
    const parent = this.#id;
    this.#id = `change-${this.#changes}`;
    const operations = JSON.parse(text) as Operation[];
    this.#receive({ type: 'delta', revision: this.#changes, id: this.#id, parent, operations });
    if (this.#answers !== this.#changes + 1) throw new Error('a change was not answered at once');
  }

  #receive(message: ToWorker): void {
    this.#receiver.receive(message);
  }
}
