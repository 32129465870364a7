import type { Bench } from './bench.ts';
import type { Options } from './options.ts';
import type { WorkloadResult } from './report.ts';
import { runRounds } from './rounds.ts';
import { judge } from './targets.ts';
import type { Entry, Workload } from './workload.ts';

/** One that fails has no figures, and a line that says why: the others are run all the same. */
export async function runWorkload(
  workload: Workload,
  bench: Bench,
  options: Options,
  tell: (line: string) => void,
): Promise<WorkloadResult> {
  const rounds = options.quick ? options.rounds : options.rounds * (workload.weight ?? 1);
  const warmUpSeconds = options.warmUpSeconds * (workload.warmUps ?? 1);
  const finish = (entrants: WorkloadResult['entrants'], leftOut: readonly string[]): WorkloadResult => {
    const summaries = new Map(entrants.map(({ name, summary }) => [name, summary]));
    return {
      name: workload.name,
      title: workload.title,
      description: workload.description,
      unit: workload.unit ?? 'request',
      bytesPerRequest: workload.bytesPerRequest ?? null,
      rounds,
      entrants,
      leftOut,
      verdicts: workload.targets.map((target) => judge(target, summaries)),
    };
  };
  const scope = bench.openScope();
  let entry: Entry = { entrants: [], leftOut: [] };
  try {
    tell('starting');
    entry = await workload.enter(bench, scope);
    const { results, leftOut } = await runRounds(entry.entrants, { ...options, rounds, warmUpSeconds }, tell);
    return finish(results, [...entry.leftOut, ...leftOut]);
  } catch (error) {
    return finish([], [...entry.leftOut, (error as Error).message]);
  } finally {
    await scope.close();
  }
}
