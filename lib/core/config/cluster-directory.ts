import { findNearestName } from './nearest-name.ts';

/** Looking through all ids costs time, and after this many misses nobody reads the hints. */
const MAX_SEARCHES = 20;

/** The ids of the clusters of a document, for routes to be checked against. */
export class ClusterDirectory {
  readonly #ids: ReadonlySet<string>;
  /** One renamed cluster is missed by many routes: each name is looked for once. */
  readonly #nearestIds = new Map<string, string | null>();

  constructor(ids: Iterable<string>) {
    this.#ids = new Set(ids);
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** What to do about a missing cluster. */
  hintFor(missingId: string): string {
    const nearest = this.#findNearest(missingId);
    return nearest === null ? 'add it under clusters, or name another' : `did you mean ${nearest}?`;
  }

  #findNearest(id: string): string | null {
    const known = this.#nearestIds.get(id);
    if (known !== undefined || this.#nearestIds.size === MAX_SEARCHES) {
      return known ?? null;
    }
    const nearest = findNearestName(id, this.#ids);
    this.#nearestIds.set(id, nearest);
    return nearest;
  }
}
