/** What changes do, for people: which entries, and at which places within them. */
import type { Operation } from './change.ts';
import { equalValues } from './equal-values.ts';
import { COLLECTIONS, type Configuration, type Kind } from './model.ts';
import { inSafeOrder } from './pending-operations.ts';
import { isPlainObject } from './plain-data.ts';
import { childPointer } from './problem.ts';

/** A place that differs. `before` is missing where nothing was there, `after` where nothing is any more. */
interface ValueChange {
  /** JSON Pointer (RFC 6901) within the value of the entry; empty for the whole value. */
  readonly pointer: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

export interface EntryDifference {
  readonly kind: Kind;
  readonly id: string;
  readonly action: 'add' | 'change' | 'remove';
  /** The deepest places that differ; for `add` and `remove` the whole value alone. */
  readonly changes: readonly ValueChange[];
}

/**
 * Says what operations do to a configuration, entry by entry, in an order that is safe to apply. Entries
 * that stay as they are do not appear.
 */
export function describeDifference(
  before: Configuration,
  operations: readonly Operation[],
): EntryDifference[] {
  return describeEntries(operations, ({ kind, id }) => before[COLLECTIONS[kind]].get(id));
}

/** Says the same of a logged change, whose `undo` operations hold the values that were there before. */
export function describeChange(
  operations: readonly Operation[],
  undo: readonly Operation[],
): EntryDifference[] {
  const before = new Map<string, unknown>();
  for (const operation of undo) {
    if (operation.op === 'put') {
      before.set(`${operation.kind} ${operation.id}`, operation.value);
    }
  }
  return describeEntries(operations, ({ kind, id }) => before.get(`${kind} ${id}`));
}

function describeEntries(
  operations: readonly Operation[],
  valueBefore: (operation: Operation) => unknown,
): EntryDifference[] {
  // Of several operations on one entry the last counts.
  const last = new Map(operations.map((operation) => [`${operation.kind} ${operation.id}`, operation]));
  return inSafeOrder([...last.values()]).flatMap((operation) =>
    describeEntry(operation, valueBefore(operation)),
  );
}

/** One description, or none where the operation changes nothing. */
function describeEntry(operation: Operation, before: unknown): EntryDifference[] {
  const { kind, id } = operation;
  if (operation.op === 'delete') {
    return before === undefined ? [] : [{ kind, id, action: 'remove', changes: [{ pointer: '', before }] }];
  }
  const after = operation.value;
  if (before === undefined) {
    return [{ kind, id, action: 'add', changes: [{ pointer: '', after }] }];
  }
  const changes: ValueChange[] = [];
  addChanges('', before, after, changes);
  return changes.length === 0 ? [] : [{ kind, id, action: 'change', changes }];
}

function addChanges(pointer: string, before: unknown, after: unknown, changes: ValueChange[]): void {
  if (isPlainObject(before) && isPlainObject(after)) {
    addPropertyChanges(pointer, before, after, changes);
  } else if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    for (const [index, item] of before.entries()) {
      addChanges(childPointer(pointer, index), item, after[index], changes);
    }
  } else if (!equalValues(before, after)) {
    changes.push({ pointer, before, after });
  }
}

function addPropertyChanges(
  pointer: string,
  before: Record<string, unknown>,
  after: Record<string, unknown>,
  changes: ValueChange[],
): void {
  for (const key of Object.keys(before)) {
    const keyPointer = childPointer(pointer, key);
    if (Object.hasOwn(after, key)) {
      addChanges(keyPointer, before[key], after[key], changes);
    } else {
      changes.push({ pointer: keyPointer, before: before[key] });
    }
  }
  for (const key of Object.keys(after)) {
    if (!Object.hasOwn(before, key)) {
      changes.push({ pointer: childPointer(pointer, key), after: after[key] });
    }
  }
}
