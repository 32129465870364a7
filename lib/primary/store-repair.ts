/** Operations that lead from what a store holds to what is held here. */
import type { Head, Operation } from '../core/config/change.ts';
import type { ConfigurationTable } from '../core/config/configuration-table.ts';
import { COLLECTIONS, type Configuration, KINDS } from '../core/config/model.ts';
import { PendingOperations } from '../core/config/pending-operations.ts';
import {
  type LoggedChange,
  type StoredConfiguration,
  UnreadableStoreError,
  type WritableConfigStore,
} from '../store/config-store.ts';

/** All entries of a configuration, in an order in which they can be applied. */
export function contentOperations(configuration: Configuration): Operation[] {
  return KINDS.flatMap((kind) =>
    // The collection of a kind holds the values of that kind, which the type of the union cannot say.
    [...configuration[COLLECTIONS[kind]]].map(([id, value]) => ({ op: 'put', kind, id, value }) as Operation),
  );
}

/** What makes changes, given oldest first, undone: of several on one entry, the oldest value counts. */
export function undoOperations(changes: readonly LoggedChange[]): readonly Operation[] {
  const pending = new PendingOperations();
  for (const change of changes.toReversed()) pending.add(change.undo);
  return pending.take();
}

/** How to lead a store back to what is held, before a change is made on it. */
export interface Repair {
  /** They make of what the store holds what is held. */
  readonly operations: readonly Operation[];
  /** What of the refused changes is valid by itself: to be done again on what is held. */
  readonly kept: readonly Operation[];
  /** Where the store stands: only there do the operations lead to what is held. */
  readonly revision: number;
  readonly id: string | null;
  /** The changes that are refused, and those of them that are not kept. */
  readonly refused: readonly LoggedChange[];
  readonly undone: readonly LoggedChange[];
}

export const NO_REPAIR: Repair = { operations: [], kept: [], revision: 0, id: null, refused: [], undone: [] };

/** Of more refused changes, or longer ones, none is looked at by itself. */
const MAX_WEIGHED_CHANGES = 100;
const MAX_WEIGHED_OPERATIONS = 1_000;

/**
 * Plans to undo what was written to the store since `held` and is refused here. What others wrote beside
 * it, and is valid without it, is not lost: it comes back as `kept`.
 * @throws UnreadableStoreError where neither the log nor the content can be read
 */
export async function planRepair(
  store: WritableConfigStore,
  held: Head,
  table: ConfigurationTable,
): Promise<Repair> {
  const changes = await store.changesSince(held.revision);
  const last = changes?.at(-1);
  if (changes !== null && last !== undefined && changes[0]?.parent === held.id) {
    const { revision, id } = last;
    return { operations: undoOperations(changes), revision, id, refused: changes, ...weigh(changes, table) };
  }
  return replaceContent(await readRemains(store), table.configuration);
}

function weigh(changes: readonly LoggedChange[], table: ConfigurationTable): Pick<Repair, 'kept' | 'undone'> {
  const size = changes.reduce((sum, { operations }) => sum + operations.length, 0);
  if (changes.length > MAX_WEIGHED_CHANGES || size > MAX_WEIGHED_OPERATIONS) {
    return { kept: [], undone: changes };
  }
  let kept: readonly Operation[] = [];
  const undone: LoggedChange[] = [];
  for (const change of changes) {
    const candidate = [...kept, ...change.operations];
    if (table.check(candidate).problems.length === 0) kept = candidate;
    else undone.push(change);
  }
  return { kept, undone };
}

function replaceContent(stored: StoredConfiguration | null, configuration: Configuration): Repair {
  const removed = listStoredIds(stored?.document).filter(
    ({ kind, id }) => !configuration[COLLECTIONS[kind]].has(id),
  );
  return {
    ...NO_REPAIR,
    operations: [
      ...contentOperations(configuration),
      ...removed.map(({ kind, id }) => ({ op: 'delete', kind, id }) as const),
    ],
    revision: stored?.head?.revision ?? 0,
    id: stored?.head?.id ?? null,
  };
}

/** All that the store holds, for its ids: also where some of the entries are no JSON. @throws UnreadableStoreError */
async function readRemains(store: WritableConfigStore): Promise<StoredConfiguration | null> {
  try {
    return await store.read();
  } catch (error) {
    if (error instanceof UnreadableStoreError && error.remains !== null) return error.remains;
    throw error;
  }
}

function listStoredIds(document: unknown): { kind: (typeof KINDS)[number]; id: string }[] {
  const sections = (document ?? {}) as Record<string, object | undefined>;
  return KINDS.flatMap((kind) => Object.keys(sections[COLLECTIONS[kind]] ?? {}).map((id) => ({ kind, id })));
}
