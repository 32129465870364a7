/**
 * What the number of routes does to the configuration: single changes, all routes at once, memory.
 *
 *   node benchmarks/configuration-scale.ts [deltas] [gateway] [--routes N]
 *
 * Times of the first are CPU time in this process; the second is a gateway of two workers with a Redis server.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { type Figure, figure, formatTable } from './support/figures.ts';
import { measureDeltas } from './support/scale-deltas.ts';
import { measureGateway } from './support/scale-gateway.ts';
import { withScope } from './support/scope.ts';

const DELTA_SIZES = [10, 1_000, 100_000];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { routes: { type: 'string', default: '100000' } },
});
const routes = Number(values.routes);

const PARTS: Record<string, () => Promise<Figure[]>> = {
  deltas: async () => DELTA_SIZES.filter((size) => size <= routes).flatMap(measureDeltas),
  gateway: () => withScope((scope) => measureGateway(scope, routes)),
};

let failed = false;
for (const part of positionals.length === 0 ? Object.keys(PARTS) : positionals) {
  const measure = PARTS[part];
  if (measure === undefined) throw new Error(`there is no part ${part}: ${Object.keys(PARTS).join(', ')}`);
  const figures = await measure();
  console.log(formatTable(part, [...figures, figure('load average of the machine', loadavg()[0] ?? 0)]));
  failed ||= figures.some(({ isCheck, met }) => isCheck === true && met === false);
}
// Times depend on the machine; what must not happen on any makes the run fail.
process.exit(failed ? 1 : 0);
