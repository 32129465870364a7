/**
 * How fast and how safely changes reach every worker: two instances of two workers each, a Redis server of
 * their own, an origin and steady traffic, all on this machine.
 *
 *   node benchmarks/propagation.ts [changes] [snapshot] [churn] [faults] [--json FILE] [--routes N] …
 */
import { writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { type Figure, figure, formatTable } from './support/figures.ts';
import { measureChanges } from './support/propagation-changes.ts';
import { measureChurn } from './support/propagation-churn.ts';
import { measureFaults } from './support/propagation-faults.ts';
import type { Sizes } from './support/propagation-sizes.ts';
import { measureSnapshot } from './support/propagation-snapshot.ts';
import { type Scope, withScope } from './support/scope.ts';

const PARTS: Record<string, (scope: Scope, sizes: Sizes) => Promise<Figure[]>> = {
  changes: measureChanges,
  snapshot: measureSnapshot,
  churn: measureChurn,
  faults: measureFaults,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    routes: { type: 'string', default: '10000' },
    changes: { type: 'string', default: '1000' },
    'snapshot-routes': { type: 'string', default: '100000' },
    'changed-routes': { type: 'string', default: '20000' },
    seconds: { type: 'string', default: '60' },
    'changes-per-second': { type: 'string', default: '200' },
    'pause-seconds': { type: 'string', default: '10' },
  },
});
const sizes: Sizes = {
  routes: Number(values.routes),
  changes: Number(values.changes),
  snapshotRoutes: Number(values['snapshot-routes']),
  changedRoutes: Number(values['changed-routes']),
  churnSeconds: Number(values.seconds),
  changesPerSecond: Number(values['changes-per-second']),
  pauseSeconds: Number(values['pause-seconds']),
};

const results: Record<string, readonly Figure[]> = {};
for (const part of positionals.length === 0 ? Object.keys(PARTS) : positionals) {
  const measure = PARTS[part];
  if (measure === undefined) throw new Error(`there is no part ${part}: ${Object.keys(PARTS).join(', ')}`);
  const before = loadavg()[0];
  const measured = await withScope((scope) => measure(scope, sizes));
  const load = [before, loadavg()[0]].map((value) => value?.toFixed(1)).join(', ');
  const figures = [...measured, figure('load average of the machine before, after', load)];
  results[part] = figures;
  console.log(formatTable(part, figures));
}

if (values.json !== undefined) {
  const machine = { cores: cpus().length, memoryBytes: totalmem(), node: process.version };
  const record = { at: new Date().toISOString(), machine, sizes, parts: results };
  writeFileSync(values.json, `${JSON.stringify(record, null, 2)}\n`);
}
// Times depend on the machine; what must not happen on any makes the run fail.
const failed = Object.values(results)
  .flat()
  .some(({ isCheck, met }) => isCheck === true && met === false);
process.exit(failed ? 1 : 0);
