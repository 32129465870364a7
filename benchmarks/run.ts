/**
 * The gateway beside nginx, HAProxy and proxies on Node.js, in one interleaved run: `npm run bench -- --help`.
 * Single parts are measured more closely by the other scripts of this folder.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Bench } from './suite/bench.ts';
import { divideCores } from './suite/cores.ts';
import { describeMachine } from './suite/machine.ts';
import { HELP, type Options, parseOptions } from './suite/options.ts';
import { drawPlot } from './suite/plot.ts';
import {
  formatReport,
  formatTable,
  formatVerdicts,
  type Report,
  replaceGenerated,
  type WorkloadResult,
} from './suite/report.ts';
import { runWorkload } from './suite/run-workload.ts';
import { withScope } from './support/scope.ts';
import { WORKLOADS } from './workloads/all.ts';

const PAGE = new URL('../docs/benchmarks.md', import.meta.url);
const PLOT = new URL('../docs/benchmarks.svg', import.meta.url);

function readOptions(names: readonly string[]): Options {
  try {
    return parseOptions(process.argv.slice(2), names);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}  ${names.join('\n  ')}`);
    process.exit(1);
  }
}

/** Progress goes to standard error: what is found can be kept by a pipe. */
function tell(line: string): void {
  console.error(line);
}

async function measure(options: Options): Promise<Report> {
  const cores = divideCores();
  tell(cores.division);
  const chosen = WORKLOADS.filter(
    ({ name, isSecondOpinion }) => options.only?.includes(name) ?? !(options.quick && isSecondOpinion),
  );
  const workloads: WorkloadResult[] = [];
  await withScope(async (scope) => {
    const bench = new Bench(scope, cores, options.contenders);
    for (const [index, workload] of chosen.entries()) {
      const place = `[${index + 1}/${chosen.length}] ${workload.name}`;
      const result = await runWorkload(workload, bench, options, (line) => tell(`${place}: ${line}`));
      workloads.push(result);
      show(result);
    }
  });
  return {
    date: new Date().toISOString(),
    machine: describeMachine(cores.division),
    secondsPerBurst: options.seconds,
    workloads,
  };
}

function show(result: WorkloadResult): void {
  console.log(`\n## ${result.title}\n`);
  if (result.entrants.length > 0) console.log(formatTable(result));
  for (const line of result.leftOut) console.log(`left out: ${line}`);
  console.log();
}

function keep(report: Report, { jsonFile, writeDocs }: Options): void {
  mkdirSync(dirname(resolve(jsonFile)), { recursive: true });
  writeFileSync(jsonFile, `${JSON.stringify(report, null, 2)}\n`);
  tell(`figures: ${jsonFile}`);
  if (!writeDocs) return;
  writeFileSync(PAGE, replaceGenerated(readFileSync(PAGE, 'utf8'), formatReport(report, 'benchmarks.svg')));
  writeFileSync(PLOT, drawPlot(report.workloads));
  tell('written: docs/benchmarks.md, docs/benchmarks.svg');
}

const names = WORKLOADS.map(({ name }) => name);
const options = readOptions(names);
if (options.help) {
  console.log(`${HELP}  ${names.join('\n  ')}`);
} else {
  const report = await measure(options);
  if (report.workloads.some(({ verdicts }) => verdicts.length > 0)) {
    console.log(`## Targets\n\n${formatVerdicts(report.workloads)}\n`);
  }
  keep(report, options);
  // A workload without any figures is a failure of the run, whatever the others gave; wrk may be missing.
  const isEmpty = ({ entrants, name }: WorkloadResult) => entrants.length === 0 && name !== 'small-get-wrk';
  process.exitCode = report.workloads.some(isEmpty) ? 1 : 0;
}
