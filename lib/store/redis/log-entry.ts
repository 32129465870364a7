import { Breather } from '../breather.ts';
import type { LoggedChange } from '../config-store.ts';
import { parseList } from './list-parser.ts';
import { isOperation } from './stored-operations.ts';

/** An entry of the stream, as it comes: its id, and field, value, field, value, … */
export type RawLogEntry = readonly [id: string, fields: readonly string[]];

/** The change that an entry of the log holds; null where somebody wrote something else there. */
export async function parseLogEntry([entryId, fields]: RawLogEntry): Promise<LoggedChange | null> {
  const field = (name: string): string | null => {
    for (let index = 0; index < fields.length; index += 2) {
      if (fields[index] === name) return fields[index + 1] ?? null;
    }
    return null;
  };
  const revision = revisionOf(entryId);
  const [id, parent, at, actor] = [field('id'), field('parent'), field('at'), field('actor')];
  const operations = await parseOperations(field('ops'));
  const undo = await parseOperations(field('undo'));
  if (revision === null || !id || parent === null || at === null || actor === null) return null;
  if (operations === null || undo === null) return null;
  const message = field('message') ?? '';
  return { revision, id, parent: parent === '' ? null : parent, at, actor, message, operations, undo };
}

function revisionOf(entryId: string): number | null {
  const revision = Number(/^(\d{1,16})-0$/.exec(entryId)?.[1]);
  return Number.isSafeInteger(revision) ? revision : null;
}

async function parseOperations(text: string | null): Promise<LoggedChange['operations'] | null> {
  try {
    const list = await parseList(text ?? '');
    const breather = new Breather();
    for (const operation of list) {
      if (!isOperation(operation)) return null;
      if (breather.isDue) await breather.breathe();
    }
    return list as LoggedChange['operations'];
  } catch {
    return null;
  }
}
