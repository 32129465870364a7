/** Changes as people read them. */
import type { ChangeReceipt, WorkerReceipt } from '../../admin/control-plane.ts';
import type { EntryDifference } from '../../core/config/describe-difference.ts';
import { formatProblem } from '../../core/config/problem.ts';
import { EXIT } from '../exit-codes.ts';
import { counted, printLines } from '../output.ts';
import { formatTable } from '../table.ts';

const SIGNS = { add: '+', change: '~', remove: '-' } as const;
const MAX_VALUE_LENGTH = 120;
/** The gateway describes no more. */
const MAX_DESCRIBED = 1_000;

export type Comparison = Pick<ChangeReceipt, 'revision' | 'difference' | 'warnings'>;

/** One line an entry, and below it one line each place that differs. */
export function formatDifference(difference: readonly EntryDifference[]): string[] {
  const lines = difference.flatMap(formatEntry);
  return difference.length === MAX_DESCRIBED ? [...lines, '… perhaps more'] : lines;
}

function formatEntry({ kind, id, action, changes }: EntryDifference): string[] {
  const head = `${SIGNS[action]} ${kind} ${id}`;
  if (action !== 'change') return [head];
  return [
    head,
    ...changes.map(
      ({ pointer, before, after }) => `    ${pointer || '/'}: ${formatValue(before)} → ${formatValue(after)}`,
    ),
  ];
}

function formatValue(value: unknown): string {
  if (value === undefined) return '(absent)';
  const text = JSON.stringify(value);
  return text.length <= MAX_VALUE_LENGTH ? text : `${text.slice(0, MAX_VALUE_LENGTH)}…`;
}

/** Says what a change would do. */
export function printComparison({ difference, warnings, revision }: Comparison): void {
  const verdict =
    difference.length === 0
      ? `no difference from revision ${revision}`
      : `${counted(difference.length, 'difference')} from revision ${revision}`;
  printLines([
    ...formatDifference(difference),
    ...warnings.map((warning) => `warning  ${formatProblem(warning)}`),
    verdict,
  ]);
}

/** Says what became of a change. */
export function printReceipt(
  { revision, changed, applied, complete }: ChangeReceipt,
  timeoutMs: number,
): void {
  const confirmed = applied.filter(({ ok }) => ok).length;
  const count = `served by ${confirmed} of ${counted(applied.length, 'worker')}`;
  if (changed) printLines([`revision ${revision} is written${applied.length === 0 ? '' : `, ${count}`}`]);
  else if (applied.length > 0) printLines([`revision ${revision} is ${count}`]);
  if (complete) return;
  printLines([`not confirmed within ${timeoutMs} ms; it goes on, and the same command again waits again:`]);
  printMissing(applied.filter(({ ok }) => !ok));
}

function printMissing(missing: readonly WorkerReceipt[]): void {
  process.stdout.write(
    formatTable(
      ['INSTANCE', 'WORKER', 'REVISION', 'PROBLEM'],
      missing.map(({ instance, worker, revision, problem }) => [
        instance,
        String(worker),
        String(revision),
        problem ?? '',
      ]),
    ),
  );
}

export function exitCodeOf({ complete }: ChangeReceipt): number {
  return complete ? EXIT.ok : EXIT.unconfirmed;
}
