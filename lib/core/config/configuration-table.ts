import type { Operation } from './change.ts';
import { type CheckedChange, checkChange } from './check-change.ts';
import { hashEntry } from './fingerprint.ts';
import { COLLECTIONS, type Configuration, type Kind, type Route } from './model.ts';
import { scopeOf } from './route-scope.ts';
import { emptyTableParts, type TableParts } from './table-parts.ts';

/**
 * A valid configuration that changes in place, at the price of what a change touches, not of what the table
 * holds. The values of entries are shared with whoever gave them: nobody may change them.
 */
export class ConfigurationTable {
  /** A live view: always the same Maps, which `apply` changes. The order of their keys means nothing. */
  readonly configuration: Configuration;
  readonly #parts: TableParts;

  /** Makes a table of parts that fit together, as `loadDocument` makes them; an empty one without. */
  constructor(parts: TableParts = emptyTableParts()) {
    this.#parts = parts;
    const { clusters, issuers, consumers, certificates, routes } = parts;
    this.configuration = { clusters, issuers, consumers, certificates, routes };
  }

  /** Of the content: equal in any two tables that hold the same, however they came to it. */
  get fingerprint(): string {
    return this.#parts.fingerprint.toString();
  }

  /**
   * Checks operations from outside, whose form is not known: what would make the configuration invalid, and
   * what hardly anybody means. There are no problems exactly where the resulting document would be valid;
   * of several operations on one entry the last counts. Changes nothing. Never throws.
   *
   * The pointers of problems are those of the document (`/routes/orders/match/path`); an operation of bad
   * form has one such as `/operations/3/id`. The warnings are those about the entries that change, and about
   * routes that never win because of the change; for those see `reportChangeConflicts`. Operations that
   * would change nothing are left out of the result.
   */
  check(operations: readonly unknown[]): CheckedChange {
    return checkChange(this.#parts, operations);
  }

  /** Applies operations that `check` returned, with no other change since. */
  apply(operations: readonly Operation[]): void {
    for (const operation of operations) {
      this.#remove(operation.kind, operation.id);
      if (operation.op === 'put') {
        this.#add(operation);
      }
    }
  }

  #add(operation: Operation & { op: 'put' }): void {
    const { kind, id, value } = operation;
    this.#parts.fingerprint.add(hashEntry(kind, id, value));
    // An operation's value is one of its kind, which the type of the union cannot say.
    (this.#parts[COLLECTIONS[kind]] as Map<string, unknown>).set(id, value);
    if (operation.kind === 'route') {
      this.#addToIndexes(id, operation.value);
    }
  }

  #addToIndexes(id: string, route: Route): void {
    this.#parts.users.add(id, route);
    const scope = scopeOf(id, route);
    if (scope !== null) {
      this.#parts.conflicts.add(scope);
    }
  }

  #remove(kind: Kind, id: string): void {
    const value = this.#parts[COLLECTIONS[kind]].get(id);
    if (value === undefined) {
      return;
    }
    this.#parts.fingerprint.remove(hashEntry(kind, id, value));
    if (kind === 'route') {
      this.#removeFromIndexes(id, value as Route);
    }
    this.#parts[COLLECTIONS[kind]].delete(id);
  }

  #removeFromIndexes(id: string, route: Route): void {
    this.#parts.users.remove(id, route);
    const scope = scopeOf(id, route);
    if (scope !== null) {
      this.#parts.conflicts.remove(scope);
    }
  }
}
