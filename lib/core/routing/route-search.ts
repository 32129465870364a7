/** The state of one search for a route. */
import { parseQueryPairs } from './query-pairs.ts';
import type { RequestFacts } from './request-facts.ts';
import type { RouteEntry } from './route-entry.ts';

const NO_REQUEST: RequestFacts = { host: '', path: '', query: '', method: '', rawHeaders: [] };

/**
 * Keeps the best route found so far. Routes are offered from the most to the least specific, so that a
 * later one wins by a lower order alone. One search serves request after request: `begin` resets it.
 */
export class RouteSearch<T> {
  facts: RequestFacts = NO_REQUEST;
  best: RouteEntry<T> | null = null;
  /** Only a route with a lower order than this can still win. */
  orderToBeat = Number.POSITIVE_INFINITY;
  #queryPairs: string[] | null = null;

  begin(facts: RequestFacts): void {
    this.facts = facts;
    this.best = null;
    this.orderToBeat = Number.POSITIVE_INFINITY;
    this.#queryPairs = null;
  }

  /** Returns the winner, null where there is none, and forgets the request. */
  end(): RouteEntry<T> | null {
    const winner = this.best;
    this.begin(NO_REQUEST);
    return winner;
  }

  /** Offers a route that matches by host and path. */
  offer(entry: RouteEntry<T>): void {
    if (entry.order < this.orderToBeat && this.#accept(entry)) {
      this.best = entry;
      this.orderToBeat = entry.order;
    }
  }

  /** Offers routes of one host and path, sorted by rank; null where there are none. */
  offerRanked(entries: readonly RouteEntry<T>[] | null): void {
    if (entries === null) {
      return;
    }
    for (let index = 0; index < entries.length; index += 1) {
      const entry = entries[index] as RouteEntry<T>;
      if (entry.order >= this.orderToBeat) {
        return;
      }
      this.offer(entry);
    }
  }

  #accept(entry: RouteEntry<T>): boolean {
    const { predicates } = entry;
    if (predicates === null) {
      return true;
    }
    return predicates.acceptHead(this.facts) && (predicates.query === null || this.#acceptQuery(predicates));
  }

  #acceptQuery(predicates: NonNullable<RouteEntry<T>['predicates']>): boolean {
    this.#queryPairs ??= parseQueryPairs(this.facts.query);
    return predicates.acceptQuery(this.#queryPairs);
  }
}
