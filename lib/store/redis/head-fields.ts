import type { Head } from '../../core/config/change.ts';
import type { Problem } from '../../core/config/problem.ts';
import { UnreadableStoreError } from '../config-store.ts';

/** The fields of the head, in the order in which they are asked for. */
export const HEAD_FIELDS = ['epoch', 'revision', 'id', 'parent', 'at'] as const;

/**
 * The head that the fields of `HEAD_FIELDS` make; null where there is none.
 * @throws UnreadableStoreError that names each field which is not valid
 */
export function parseHead(key: string, fields: readonly (string | null)[]): Head | null {
  const [epoch = null, revision = null, id = null, parent = null, at = null] = fields;
  // As the script sees it that writes.
  if (epoch === null && revision === null && id === null) return null;
  const problems: Problem[] = [];
  const check = (isValid: boolean, field: string, should: string) => {
    if (isValid) return;
    const hint = `restore Redis from a backup, or delete ${key} to start a new history`;
    problems.push({ pointer: '', message: `the field ${field} of ${key} ${should}`, hint });
  };
  const count = revision !== null && /^[1-9]\d{0,15}$/.test(revision) ? Number(revision) : Number.NaN;
  check(epoch !== null && epoch !== '', 'epoch', 'is missing');
  check(Number.isSafeInteger(count), 'revision', 'is not a whole number from 1');
  check(id !== null && id !== '', 'id', 'is missing');
  check(parent !== null, 'parent', 'is missing (an empty text stands for none)');
  check(at !== null && !Number.isNaN(Date.parse(at)), 'at', 'is not a time');
  if (problems.length > 0) {
    throw new UnreadableStoreError(problems.map(({ message }) => message).join('; '), problems);
  }
  return { revision: count, id: id ?? '', parent: parent === '' ? null : parent, at: at ?? '' };
}
