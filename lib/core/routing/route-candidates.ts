/** The routes that come into question for a request by host and path, for an explanation of the choice. */
import type { RouteEntry } from './route-entry.ts';

/** A route that matches by host and path. */
export interface FoundRoute<T> {
  readonly entry: RouteEntry<T>;
  /** The most specific of its hosts that matches; null where it takes any. */
  readonly host: string | null;
}

/**
 * Keeps the first `limit` of the routes that are offered, in the order in which they come into question.
 * Like a search, it is offered the more specific ones first, so that only a lower order goes before what is
 * there. It keeps one more than it shows: that one tells that there are more.
 */
export class RouteCandidates<T> {
  readonly path: string;
  /** The host whose routes are offered now; null for any host. */
  host: string | null = null;
  readonly #limit: number;
  readonly #found: FoundRoute<T>[] = [];

  constructor(path: string, limit: number) {
    this.path = path;
    this.#limit = limit;
  }

  get found(): readonly FoundRoute<T>[] {
    return this.#found.slice(0, this.#limit);
  }

  /** Whether there are more than `found`. */
  get cut(): boolean {
    return this.#found.length > this.#limit;
  }

  /** Whether a route of this order would be kept if it were offered next. */
  hasRoomFor(order: number): boolean {
    const last = this.#found[this.#limit];
    return last === undefined || order < last.entry.order;
  }

  /** Offers routes of one host and path, sorted by rank; null where there are none. */
  offerRanked(entries: readonly RouteEntry<T>[] | null): void {
    for (const entry of entries ?? []) {
      if (!this.hasRoomFor(entry.order)) {
        return;
      }
      this.offer(entry);
    }
  }

  offer(entry: RouteEntry<T>): void {
    // One with several hosts that match was there already, under the more specific one.
    if (!this.hasRoomFor(entry.order) || this.#found.some((one) => one.entry === entry)) {
      return;
    }
    const behind = this.#found.findIndex((one) => one.entry.order > entry.order);
    this.#found.splice(behind === -1 ? this.#found.length : behind, 0, { entry, host: this.host });
    this.#found.length = Math.min(this.#found.length, this.#limit + 1);
  }
}
