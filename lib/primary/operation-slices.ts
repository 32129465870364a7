/** Cuts configurations and changes into slices for messages to workers. */
import type { Operation, PutOperation } from '../core/config/change.ts';
import { COLLECTIONS, type Configuration, KINDS, type Kind } from '../core/config/model.ts';

/** What a message may weigh: writing and reading it then takes a fraction of a ms. */
const SLICE_WEIGHT = 400;

/** How much there is to write, read and apply, in small entries. */
export function weightOf(operation: Operation): number {
  if (operation.op === 'delete') return 1;
  if (operation.kind === 'cluster') return 1 + Object.keys(operation.value.destinations).length;
  return operation.kind === 'route' ? 1 + (operation.value.match.hosts?.length ?? 0) : 1;
}

/** The given operations in slices, in their order. */
export function* sliceOperations(operations: Iterable<Operation>): Generator<Operation[], void> {
  let slice: Operation[] = [];
  let weight = 0;
  for (const operation of operations) {
    slice.push(operation);
    weight += weightOf(operation);
    if (weight >= SLICE_WEIGHT) {
      yield slice;
      slice = [];
      weight = 0;
    }
  }
  if (slice.length > 0) yield slice;
}

/**
 * All of a configuration as operations, routes last. It is what the configuration holds now, whatever
 * changes before the last of them is read.
 */
export function copyAsPuts(configuration: Configuration): Iterable<PutOperation> {
  // Ids and values in lists of their own: a pair each, or an operation, would take ten times as long.
  const copies = KINDS.map((kind) => {
    const entries: ReadonlyMap<string, unknown> = configuration[COLLECTIONS[kind]];
    return { kind, ids: [...entries.keys()], values: [...entries.values()] };
  });
  return putsOf(copies);
}

interface EntryCopies {
  readonly kind: Kind;
  readonly ids: readonly string[];
  readonly values: readonly unknown[];
}

function* putsOf(copies: readonly EntryCopies[]): Generator<PutOperation, void> {
  for (const { kind, ids, values } of copies) {
    for (const [index, id] of ids.entries()) {
      // The values of a kind came out of its collection, which the type of the union cannot say.
      yield { op: 'put', kind, id, value: values[index] } as PutOperation;
    }
  }
}
