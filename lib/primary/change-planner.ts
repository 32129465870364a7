/** Works out what a change does to the configuration held. It writes nothing. */
import { type ChangeOrder, ControlError } from '../admin/control-plane.ts';
import type { Operation } from '../core/config/change.ts';
import { applyOperations, diffInSlices } from '../core/config/difference.ts';
import { documentOf } from '../core/config/document.ts';
import { loadDocument } from '../core/config/load-document.ts';
import { COLLECTIONS, type Configuration } from '../core/config/model.ts';
import type { Problem } from '../core/config/problem.ts';
import { ProblemList } from '../core/config/problem-list.ts';
import { readOperations } from '../core/config/read-operations.ts';
import { ERRORS } from '../core/errors.ts';
import type { WritableConfigStore } from '../store/config-store.ts';
import type { ConfigKeeper } from './config-keeper.ts';
import { invalid } from './control-errors.ts';
import { runInSlices } from './run-in-slices.ts';
import { undoOperations } from './store-repair.ts';

/** More operations than this are checked as a whole document, which goes in slices. */
const MAX_CHECKED_OPERATIONS = 1_000;

/** A change against what is held. */
export interface PlannedChange {
  readonly operations: readonly Operation[];
  readonly warnings: readonly Problem[];
}

/**
 * @param kept operations that go before those of the order, where it does not replace everything
 * @throws ControlError where the result would not be valid
 */
export function planChange(
  { content }: Pick<ChangeOrder, 'content'>,
  kept: readonly Operation[],
  keeper: ConfigKeeper,
): Promise<PlannedChange> {
  const held = keeper.table.configuration;
  if ('document' in content) return planDocument(content.document, held);
  if ('operations' in content) return planOperations(content.operations, kept, keeper);
  const base = documentOf(applyOperations(held, kept));
  return planDocument({ ...base, [COLLECTIONS[content.kind]]: content.entries }, held);
}

/** Makes the configuration what it was at a revision. @throws ControlError where that is not in the history */
export async function planRollback(
  revision: number,
  store: WritableConfigStore,
  keeper: ConfigKeeper,
): Promise<PlannedChange> {
  const { head } = keeper;
  const changes = revision <= head.revision ? await store.changesSince(revision) : null;
  const ours = changes?.filter((change) => change.revision <= head.revision) ?? [];
  // A first change without a parent filled an empty store: what was before is not in this history.
  const isCut = revision > 0 && ours[0]?.parent === null;
  if (isCut || (revision !== head.revision && ours.at(-1)?.id !== head.id)) {
    throw new ControlError(ERRORS.notFound, `revision ${revision} is not in the history that is kept`, {
      currentRevision: head.revision,
    });
  }
  return planOperations(undoOperations(ours), [], keeper);
}

function planOperations(
  operations: readonly unknown[],
  kept: readonly Operation[],
  { table }: ConfigKeeper,
): Promise<PlannedChange> {
  if (operations.length + kept.length > MAX_CHECKED_OPERATIONS) {
    return planManyOperations(operations, kept, table.configuration);
  }
  // The pointers of problems count the operations of the order, so those come first, and win.
  const touched = new Set(operations.map(keyOf));
  const others = kept.filter((operation) => !touched.has(keyOf(operation)));
  return Promise.resolve(accepted(table.check([...operations, ...others])));
}

async function planManyOperations(
  operations: readonly unknown[],
  kept: readonly Operation[],
  held: Configuration,
): Promise<PlannedChange> {
  const problems = new ProblemList();
  const read = readOperations(operations, problems);
  if (!problems.isEmpty) throw invalid(problems.toArray(), []);
  return planDocument(documentOf(applyOperations(held, [...kept, ...read])), held);
}

async function planDocument(document: unknown, held: Configuration): Promise<PlannedChange> {
  const { table, problems, warnings } = await runInSlices(loadDocument(document));
  if (table === null) throw invalid(problems, warnings);
  return { operations: await runInSlices(diffInSlices(held, table.configuration)), warnings };
}

function accepted({
  operations,
  problems,
  warnings,
}: PlannedChange & { readonly problems: readonly Problem[] }): PlannedChange {
  if (problems.length > 0) throw invalid(problems, warnings);
  return { operations, warnings };
}

/** What an operation is about; it need not be one that makes sense. */
function keyOf(operation: unknown): string {
  const { kind, id } = (operation ?? {}) as Partial<Operation>;
  return `${String(kind)} ${String(id)}`;
}
