import { findNearestName } from './nearest-name.ts';
import { childPointer } from './problem.ts';
import type { ProblemList } from './problem-list.ts';

/** Looking through all ids costs time, and after this many misses nobody reads the hints. */
const MAX_SEARCHES = 20;
/** Letters compared in one search, some milliseconds' worth: among more ids no near one is looked for. */
const MAX_COMPARED_LETTERS = 1_000_000;

/** The ids that routes may name as their cluster. */
export interface ClusterIds {
  readonly size: number;
  has(id: string): boolean;
  keys(): Iterable<string>;
}

/** The clusters of a document, for routes to be checked against. */
export class ClusterDirectory {
  readonly #ids: ClusterIds;
  readonly #maxSearches: number;
  /** One renamed cluster is missed by many routes: each name is looked for once. */
  readonly #nearestIds = new Map<string, string | null>();

  constructor(ids: ClusterIds, maxSearches = MAX_SEARCHES) {
    this.#ids = ids;
    this.#maxSearches = maxSearches;
  }

  /** Adds a problem where the cluster of a route is missing. Returns whether it is there. */
  check(routeId: string, clusterId: string, problems: ProblemList): boolean {
    if (this.#ids.has(clusterId)) {
      return true;
    }
    const pointer = `${childPointer('/routes', routeId)}/cluster`;
    problems.add(pointer, `there is no cluster "${clusterId}"`, this.#hintFor(clusterId));
    return false;
  }

  /** What to do about a missing cluster. */
  #hintFor(missingId: string): string {
    const nearest = this.#findNearest(missingId);
    return nearest === null ? 'add it under clusters, or name another' : `did you mean ${nearest}?`;
  }

  #findNearest(id: string): string | null {
    const known = this.#nearestIds.get(id);
    if (known !== undefined || this.#nearestIds.size === this.#maxSearches) {
      return known ?? null;
    }
    const comparedLetters = this.#ids.size * id.length ** 2;
    const nearest = comparedLetters > MAX_COMPARED_LETTERS ? null : findNearestName(id, this.#ids.keys());
    this.#nearestIds.set(id, nearest);
    return nearest;
  }
}
