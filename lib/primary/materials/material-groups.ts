import type { Operation } from '../../core/config/change.ts';
import { type MaterialGroup, materialGroupsOf } from '../../core/config/material-names.ts';

const NO_GROUPS: readonly MaterialGroup[] = [];

interface UsedGroup {
  readonly group: MaterialGroup;
  /** How many entries need it. */
  users: number;
}

/** Which materials must fit together, as the entries say it. A change costs what it touches. */
export class MaterialGroups {
  /** By kind and id of the entry. */
  readonly #groupsByEntry = new Map<string, readonly MaterialGroup[]>();
  readonly #used = new Map<string, UsedGroup>();
  readonly #groupsByName = new Map<string, Set<MaterialGroup>>();

  /** @returns the names of the materials in groups that were or are those of a changed entry */
  change(operations: Iterable<Operation>): ReadonlySet<string> {
    const touched = new Set<string>();
    for (const operation of operations) {
      // Most entries of a large table; they never need any.
      if (operation.kind === 'route' || operation.kind === 'consumer') continue;
      const entry = `${operation.kind} ${operation.id}`;
      const before = this.#groupsByEntry.get(entry) ?? NO_GROUPS;
      const after = operation.op === 'put' ? materialGroupsOf(operation.kind, operation.value) : NO_GROUPS;
      for (const group of after) this.#add(group);
      for (const group of before) this.#remove(group);
      if (after.length === 0) this.#groupsByEntry.delete(entry);
      else this.#groupsByEntry.set(entry, after);
      for (const { names } of [...before, ...after]) for (const name of names) touched.add(name);
    }
    return touched;
  }

  /** The groups that these materials are in, and those that share a material with one of them, and so on. */
  around(names: Iterable<string>): readonly MaterialGroup[] {
    const found = new Set<MaterialGroup>();
    const reached = [...names];
    // It grows while it is gone through.
    for (const name of reached) {
      for (const group of this.#groupsByName.get(name) ?? NO_GROUPS) {
        if (found.has(group)) continue;
        found.add(group);
        reached.push(...group.names);
      }
    }
    return [...found];
  }

  #add(group: MaterialGroup): void {
    const key = keyOf(group);
    const used = this.#used.get(key);
    if (used !== undefined) {
      used.users += 1;
      return;
    }
    this.#used.set(key, { group, users: 1 });
    for (const name of group.names) {
      const groups = this.#groupsByName.get(name) ?? new Set<MaterialGroup>();
      this.#groupsByName.set(name, groups.add(group));
    }
  }

  #remove(group: MaterialGroup): void {
    const key = keyOf(group);
    const used = this.#used.get(key);
    if (used === undefined) return;
    used.users -= 1;
    if (used.users > 0) return;
    this.#used.delete(key);
    for (const name of group.names) {
      const groups = this.#groupsByName.get(name);
      groups?.delete(used.group);
      if (groups?.size === 0) this.#groupsByName.delete(name);
    }
  }
}

function keyOf({ kind, names }: MaterialGroup): string {
  return `${kind}\n${names.join('\n')}`;
}
