/** Operations that lead from what a store holds to what is held here. */
import type { Head, Operation } from '../core/config/change.ts';
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

/**
 * The operations that undo what was written to the store since `held` and is refused here, and where the
 * store stands: only there do they lead to what is held.
 * @throws UnreadableStoreError where neither the log nor the content can be read
 */
export async function repairOperations(
  store: WritableConfigStore,
  held: Head,
  configuration: Configuration,
): Promise<{
  readonly operations: readonly Operation[];
  readonly revision: number;
  readonly id: string | null;
}> {
  const changes = await store.changesSince(held.revision);
  const last = changes?.at(-1);
  if (changes !== null && last !== undefined && changes[0]?.parent === held.id) {
    return { operations: undoOperations(changes), revision: last.revision, id: last.id };
  }
  const stored = await readRemains(store);
  const removed = listStoredIds(stored?.document).filter(
    ({ kind, id }) => !configuration[COLLECTIONS[kind]].has(id),
  );
  return {
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
