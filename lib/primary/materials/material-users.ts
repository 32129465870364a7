import type { Operation } from '../../core/config/change.ts';
import { materialsOf } from '../../core/config/material-names.ts';

/** What `keyGraceSec` of an issuer is where it is not given. */
const DEFAULT_KEY_GRACE_SEC = 86_400;
const NO_NAMES: readonly string[] = [];

/** What a change of the configuration means for the materials. */
export interface NeedChange {
  /** Needed by some entry now, and by none before. */
  readonly added: readonly string[];
  /** Needed by none any more. */
  readonly dropped: readonly string[];
}

/** Which entries need which materials. A change costs what it touches. */
export class MaterialUsers {
  /** By kind and id of the entry; only those that need some. */
  readonly #namesByEntry = {
    issuer: new Map<string, readonly string[]>(),
    certificate: new Map<string, readonly string[]>(),
    cluster: new Map<string, readonly string[]>(),
  };
  /** The entries that need a material, each with the grace that it gives to fetched keys. */
  readonly #usersByName = new Map<string, Map<string, number>>();

  change(operations: Iterable<Operation>): NeedChange {
    /** Whether each material that is touched was needed before. */
    const wasNeeded = new Map<string, boolean>();
    for (const operation of operations) {
      // Most entries of a large table; they never need any.
      if (operation.kind === 'route' || operation.kind === 'consumer') continue;
      this.#replace(operation, this.#namesByEntry[operation.kind], wasNeeded);
    }
    const added: string[] = [];
    const dropped: string[] = [];
    for (const [name, before] of wasNeeded) {
      const now = this.#usersByName.has(name);
      if (now && !before) added.push(name);
      if (before && !now) dropped.push(name);
    }
    return { added, dropped };
  }

  #replace(
    operation: Operation,
    namesById: Map<string, readonly string[]>,
    wasNeeded: Map<string, boolean>,
  ): void {
    const names = namesIn(operation);
    const before = namesById.get(operation.id) ?? NO_NAMES;
    if (names.length === 0 && before.length === 0) return;
    const entry = `${operation.kind} ${operation.id}`;
    for (const name of [...before, ...names]) {
      if (!wasNeeded.has(name)) wasNeeded.set(name, this.#usersByName.has(name));
    }
    for (const name of before) this.#removeUser(name, entry);
    for (const name of names) this.#addUser(name, entry, graceOf(operation));
    if (names.length === 0) namesById.delete(operation.id);
    else namesById.set(operation.id, names);
  }

  #addUser(name: string, entry: string, graceSec: number): void {
    const users = this.#usersByName.get(name) ?? new Map<string, number>();
    users.set(entry, graceSec);
    this.#usersByName.set(name, users);
  }

  #removeUser(name: string, entry: string): void {
    const users = this.#usersByName.get(name);
    users?.delete(entry);
    if (users?.size === 0) this.#usersByName.delete(name);
  }

  /** The longest grace that an issuer gives to these keys; the default where none names them. */
  graceSec(name: string): number {
    const users = this.#usersByName.get(name);
    if (users === undefined) return DEFAULT_KEY_GRACE_SEC;
    let longest = 0;
    for (const graceSec of users.values()) longest = Math.max(longest, graceSec);
    return longest;
  }
}

function namesIn(operation: Operation): readonly string[] {
  if (operation.op === 'delete') return NO_NAMES;
  if (operation.kind === 'cluster' && operation.value.tls === undefined) return NO_NAMES;
  return materialsOf(operation.kind, operation.value);
}

function graceOf(operation: Operation): number {
  if (operation.op === 'delete' || operation.kind !== 'issuer') return DEFAULT_KEY_GRACE_SEC;
  return operation.value.keyGraceSec ?? DEFAULT_KEY_GRACE_SEC;
}
