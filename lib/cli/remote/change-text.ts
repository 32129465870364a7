/** Changes as people read them. */
import type { ChangeReceipt } from '../../admin/control-plane.ts';
import type { EntryDifference } from '../../core/config/describe-difference.ts';
import { formatProblem } from '../../core/config/problem.ts';
import { EXIT } from '../exit-codes.ts';
import { formatTable } from '../table.ts';

const SIGNS = { add: '+', change: '~', remove: '-' } as const;
const MAX_VALUE_LENGTH = 120;

/** One line an entry, and below it one line each place that differs. */
export function formatDifference(difference: readonly EntryDifference[]): string {
  return difference.map(formatEntry).join('');
}

function formatEntry({ kind, id, action, changes }: EntryDifference): string {
  const lines = [`${SIGNS[action]} ${kind} ${id}`];
  if (action === 'change') {
    for (const change of changes) {
      lines.push(
        `    ${change.pointer || '/'}: ${formatValue(change.before)} → ${formatValue(change.after)}`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

function formatValue(value: unknown): string {
  if (value === undefined) return '(absent)';
  const text = JSON.stringify(value);
  return text.length <= MAX_VALUE_LENGTH ? text : `${text.slice(0, MAX_VALUE_LENGTH)}…`;
}

/** Says what became of a change. @returns the exit code */
export function printReceipt({ revision, changed, applied, complete, warnings }: ChangeReceipt): number {
  for (const warning of warnings) process.stdout.write(`warning  ${formatProblem(warning)}\n`);
  if (!changed) {
    process.stdout.write(`nothing to change: revision ${revision}\n`);
    return EXIT.ok;
  }
  const confirmed = applied.filter(({ ok }) => ok).length;
  const count = applied.length === 0 ? '' : `, served by ${confirmed} of ${applied.length} workers`;
  process.stdout.write(`revision ${revision} is written${count}\n`);
  if (complete) return EXIT.ok;
  const missing = applied.filter(({ ok }) => !ok);
  process.stdout.write(
    formatTable(
      ['INSTANCE', 'WORKER', 'REVISION', 'PROBLEM'],
      missing.map((receipt) => [
        receipt.instance,
        String(receipt.worker),
        String(receipt.revision),
        receipt.problem ?? '',
      ]),
    ),
  );
  return EXIT.unconfirmed;
}
