/** Routes and what they name, as a change would leave them. */
import type { Operation } from './change.ts';
import { EntryDirectory, type EntryIds } from './entry-directory.ts';
import { entryPointer } from './entry-schema.ts';
import { COLLECTIONS } from './model.ts';
import type { ProblemList } from './problem-list.ts';
import { NAMED_KINDS, type NamedKind, referencesOf } from './route-references.ts';
import type { TableParts } from './table-parts.ts';

/** A change is checked in one go, so it gets fewer hints than a document. */
const MAX_SEARCHES = 3;
const MAX_NAMED_USERS = 3;

/**
 * Adds a problem for each entry that a route of the change names and that would be missing, and for each
 * entry that it deletes while other routes use it. `fitting` are those of the operations whose values fit the schema.
 */
export function reportReferences(
  parts: TableParts,
  operations: readonly Operation[],
  fitting: readonly Operation[],
  problems: ProblemList,
): void {
  const after = {
    cluster: new EntriesAfter('cluster', parts, operations),
    issuer: new EntriesAfter('issuer', parts, operations),
    consumer: new EntriesAfter('consumer', parts, operations),
  };
  const directory = new EntryDirectory(after, MAX_SEARCHES);
  for (const operation of fitting) {
    if (operation.op === 'put' && operation.kind === 'route') {
      directory.check(operation.id, operation.value, problems);
    }
  }
  const touched = new Set(operations.filter(({ kind }) => kind === 'route').map(({ id }) => id));
  for (const kind of NAMED_KINDS) {
    reportUsed(kind, parts, touched, after[kind].deleted, problems);
  }
}

/** The ids of one kind as they will be, without a copy of all. */
class EntriesAfter implements EntryIds {
  readonly deleted = new Set<string>();
  readonly #put = new Set<string>();
  readonly #before: ReadonlyMap<string, unknown>;

  constructor(kind: NamedKind, parts: TableParts, operations: readonly Operation[]) {
    this.#before = parts[COLLECTIONS[kind]];
    for (const operation of operations) {
      if (operation.kind === kind) {
        (operation.op === 'put' ? this.#put : this.deleted).add(operation.id);
      }
    }
  }

  /** An upper bound. */
  get size(): number {
    return this.#before.size + this.#put.size;
  }

  has(id: string): boolean {
    return this.#put.has(id) || (this.#before.has(id) && !this.deleted.has(id));
  }

  *keys(): Generator<string, void> {
    yield* this.#put;
    for (const id of this.#before.keys()) {
      if (!this.deleted.has(id)) {
        yield id;
      }
    }
  }
}

function reportUsed(
  kind: NamedKind,
  parts: TableParts,
  touched: ReadonlySet<string>,
  deleted: ReadonlySet<string>,
  problems: ProblemList,
): void {
  if (deleted.size === 0) {
    return;
  }
  const touchedUsers = countTouchedUsers(kind, parts, touched);
  for (const id of deleted) {
    const routes = parts.users.routesOf(kind, id);
    const userCount = routes.size - (touchedUsers.get(id) ?? 0);
    if (userCount > 0) {
      const users = routes.values().filter((routeId) => !touched.has(routeId));
      problems.add(
        entryPointer(kind, id),
        `is still used by ${describeUsers([...users.take(MAX_NAMED_USERS)], userCount)}`,
        'change or delete what uses it in the same change',
      );
    }
  }
}

function describeUsers(named: readonly string[], userCount: number): string {
  const noun = userCount === 1 ? 'route' : 'routes';
  const names = named.map((id) => `"${id}"`).join(', ');
  const omitted = userCount - named.length;
  return omitted === 0 ? `${noun} ${names}` : `${noun} ${names} and ${omitted} more`;
}

/** How many of the touched routes name which entry of the kind before the change. */
function countTouchedUsers(
  kind: NamedKind,
  parts: TableParts,
  touched: ReadonlySet<string>,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const routeId of touched) {
    const route = parts.routes.get(routeId);
    const named = route === undefined ? [] : referencesOf(route).filter((one) => one.kind === kind);
    for (const id of new Set(named.map((one) => one.id))) {
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
  }
  return counts;
}
