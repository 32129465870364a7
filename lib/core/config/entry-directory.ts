import { COLLECTIONS, type Route } from './model.ts';
import { findNearestName } from './nearest-name.ts';
import { childPointer } from './problem.ts';
import type { ProblemList } from './problem-list.ts';
import { type NamedKind, type RouteReference, referencesOf } from './route-references.ts';

/** Looking through all ids costs time, and after this many misses nobody reads the hints. */
const MAX_SEARCHES = 20;
/** Letters compared in one search, some milliseconds' worth: among more ids no near one is looked for. */
const MAX_COMPARED_LETTERS = 1_000_000;

/** The ids of one kind that routes may name. */
export interface EntryIds {
  readonly size: number;
  has(id: string): boolean;
  keys(): Iterable<string>;
}

/** The entries that are there, for what routes name to be checked against. */
export class EntryDirectory {
  readonly #ids: Readonly<Record<NamedKind, EntryIds>>;
  readonly #maxSearches: number;
  /** One renamed cluster is missed by many routes: each name is looked for once. */
  readonly #nearestIds = new Map<string, string | null>();

  constructor(ids: Readonly<Record<NamedKind, EntryIds>>, maxSearches = MAX_SEARCHES) {
    this.#ids = ids;
    this.#maxSearches = maxSearches;
  }

  /** Adds a problem for each entry that the route names and that is missing. Returns whether all are there. */
  check(routeId: string, route: Route, problems: ProblemList): boolean {
    let areThere = true;
    for (const reference of referencesOf(route)) {
      if (this.#ids[reference.kind].has(reference.id)) continue;
      areThere = false;
      this.#report(routeId, reference, problems);
    }
    return areThere;
  }

  #report(routeId: string, { kind, id, pointer }: RouteReference, problems: ProblemList): void {
    const nearest = this.#findNearest(kind, id);
    const hint =
      nearest === null ? `add it under ${COLLECTIONS[kind]}, or name another` : `did you mean ${nearest}?`;
    problems.add(childPointer('/routes', routeId) + pointer, `there is no ${kind} "${id}"`, hint);
  }

  #findNearest(kind: NamedKind, id: string): string | null {
    const known = this.#nearestIds.get(`${kind} ${id}`);
    if (known !== undefined || this.#nearestIds.size === this.#maxSearches) {
      return known ?? null;
    }
    const ids = this.#ids[kind];
    const comparedLetters = ids.size * id.length ** 2;
    const nearest = comparedLetters > MAX_COMPARED_LETTERS ? null : findNearestName(id, ids.keys());
    this.#nearestIds.set(`${kind} ${id}`, nearest);
    return nearest;
  }
}
