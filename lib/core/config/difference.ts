/** Changes between configurations: what leads from one to another, and what a change makes of one. */
import type { Operation, PutOperation } from './change.ts';
import { equalValues } from './equal-values.ts';
import { COLLECTIONS, type Configuration, KINDS, type Kind } from './model.ts';
import { finishSlices, SliceMeter } from './slices.ts';

/**
 * The operations that lead from one configuration to another, none where they hold the same. Their order
 * is safe to apply one by one: a route never names a cluster that is not there yet or not there any more.
 */
export function diffConfigurations(from: Configuration, to: Configuration): Operation[] {
  return finishSlices(diffInSlices(from, to));
}

/** The same as `diffConfigurations`, in slices. Neither configuration may change until it has ended. */
export function* diffInSlices(from: Configuration, to: Configuration): Generator<void, Operation[]> {
  const operations: Operation[] = [];
  for (const kind of KINDS) {
    yield* addPuts(kind, from, to, operations);
  }
  for (const kind of KINDS.toReversed()) {
    yield* addDeletes(kind, from, to, operations);
  }
  return operations;
}

function* addPuts(
  kind: Kind,
  from: Configuration,
  to: Configuration,
  operations: Operation[],
): Generator<void, void> {
  const before: ReadonlyMap<string, unknown> = from[COLLECTIONS[kind]];
  const meter = new SliceMeter();
  for (const [id, value] of to[COLLECTIONS[kind]]) {
    if (!before.has(id) || !equalValues(before.get(id), value)) {
      // The collection of a kind holds the values of that kind, which the type of the union cannot say.
      operations.push({ op: 'put', kind, id, value } as PutOperation);
    }
    if (meter.isFullAfter(1)) {
      yield;
    }
  }
}

function* addDeletes(
  kind: Kind,
  from: Configuration,
  to: Configuration,
  operations: Operation[],
): Generator<void, void> {
  const after: ReadonlyMap<string, unknown> = to[COLLECTIONS[kind]];
  const meter = new SliceMeter();
  for (const id of from[COLLECTIONS[kind]].keys()) {
    if (!after.has(id)) {
      operations.push({ op: 'delete', kind, id });
    }
    if (meter.isFullAfter(1)) {
      yield;
    }
  }
}

/**
 * The configuration that the operations make of this one, in new Maps; the one given stays as it is. To
 * delete what is not there changes nothing. The result is not validated.
 * @throws RangeError where an operation names a kind that there is none of.
 */
export function applyOperations(
  configuration: Configuration,
  operations: readonly Operation[],
): Configuration {
  const result = {
    clusters: new Map(configuration.clusters),
    issuers: new Map(configuration.issuers),
    consumers: new Map(configuration.consumers),
    certificates: new Map(configuration.certificates),
    routes: new Map(configuration.routes),
  };
  for (const operation of operations) {
    const entries: Map<string, unknown> | undefined = result[COLLECTIONS[operation.kind]];
    if (entries === undefined) {
      throw new RangeError(`an operation has the unknown kind ${JSON.stringify(operation)}`);
    }
    if (operation.op === 'put') {
      entries.set(operation.id, operation.value);
    } else {
      entries.delete(operation.id);
    }
  }
  return result;
}

/**
 * The document that operations make of a configuration, in slices: the same as of `applyOperations`, for a result
 * that is to be validated. The configuration must not change until it has ended.
 */
export function* changedDocument(
  configuration: Configuration,
  operations: Iterable<Operation>,
): Generator<void, Record<string, unknown>> {
  const document = {} as Record<(typeof COLLECTIONS)[Kind], Record<string, unknown>>;
  const meter = new SliceMeter();
  for (const kind of KINDS) {
    // Without a prototype, no id can mean anything but an entry.
    const section = Object.create(null) as Record<string, unknown>;
    for (const [id, value] of configuration[COLLECTIONS[kind]]) {
      section[id] = value;
      if (meter.isFullAfter(1)) {
        yield;
      }
    }
    document[COLLECTIONS[kind]] = section;
  }
  for (const operation of operations) {
    const section = document[COLLECTIONS[operation.kind]];
    if (operation.op === 'put') {
      section[operation.id] = operation.value;
    } else {
      delete section[operation.id];
    }
    if (meter.isFullAfter(1)) {
      yield;
    }
  }
  return document;
}
