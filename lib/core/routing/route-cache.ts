/** The routes of a gateway, arranged so that a request finds its route quickly and a change costs little. */
import type { RouteMatch } from '../config/model.ts';
import { type HostPattern, parseHostPattern } from './host-pattern.ts';
import { HostTable } from './host-table.ts';
import type { RequestFacts } from './request-facts.ts';
import { RouteCandidates } from './route-candidates.ts';
import { RouteEntry } from './route-entry.ts';
import { explainCandidates, type RouteExplanation } from './route-explanation.ts';
import { RouteSearch } from './route-search.ts';

export type { RequestFacts } from './request-facts.ts';

const ANY_HOST: readonly null[] = [null];

/**
 * Finds the one route that wins for a request: lower order; then host exact, wildcard (longest), any; then
 * path, segment by segment, literal over parameter over rest; then more predicates; then the smaller id in
 * code-unit order. A change costs what its route touches (its hosts times its segments), not what the
 * cache holds; its answers depend on the routes in it alone, not on how they came.
 */
export class RouteCache<T> {
  readonly #entries = new Map<string, RouteEntry<T>>();
  readonly #hosts = new HostTable<T>();
  readonly #search = new RouteSearch<T>();

  get size(): number {
    return this.#entries.size;
  }

  get(id: string): T | undefined {
    return this.#entries.get(id)?.value;
  }

  /**
   * Adds a route, or replaces the one with this id. `match` must not change afterwards.
   * @throws Error where `match` does not parse; the cache is then as before.
   */
  put(id: string, match: RouteMatch, order: number, value: T): void {
    this.insert(new RouteEntry(id, match, order, value));
  }

  /**
   * Adds an entry, or replaces the one with its id. Entries never change, so caches may share them.
   * @throws Error where a host does not parse; the cache is then as before.
   */
  insert(entry: RouteEntry<T>): void {
    const hosts = parseHosts(entry.hosts);
    this.delete(entry.id);
    this.#entries.set(entry.id, entry);
    for (const host of hosts) {
      this.#hosts.insert(host, entry);
    }
  }

  /** All entries, each once, in an order that means nothing. */
  entries(): MapIterator<RouteEntry<T>> {
    return this.#entries.values();
  }

  /** Returns whether there was a route with this id. */
  delete(id: string): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      return false;
    }
    this.#entries.delete(id);
    for (const host of parseHosts(entry.hosts)) {
      this.#hosts.remove(host, entry);
    }
    return true;
  }

  /** The value of the route that wins for a request; null where no route matches. */
  match(facts: RequestFacts): T | null {
    this.#search.begin(facts);
    this.#hosts.search(this.#search);
    const winner = this.#search.end();
    return winner === null ? null : winner.value;
  }

  /**
   * Why `match` chooses as it does: all routes that match by host and path, in the order in which they come
   * into question, each with the reason why it is taken or not. Changes nothing.
   *
   * @param limit how many candidates are listed, at least 1; the winner is listed in any case
   */
  explain(facts: RequestFacts, limit: number): RouteExplanation<T> {
    this.#search.begin(facts);
    this.#hosts.search(this.#search);
    const winner = this.#search.end();
    const candidates = new RouteCandidates<T>(facts.path, limit);
    this.#hosts.collect(candidates, facts.host);
    return explainCandidates(candidates, winner, facts);
  }

  /** How many hosts and nodes of paths there are: what the routes cost in memory. */
  countParts(): { readonly hosts: number; readonly nodes: number } {
    return this.#hosts.countParts();
  }
}

/** The distinct hosts of a route: two spellings of one host are one. */
function parseHosts(texts: readonly string[] | undefined): readonly (HostPattern | null)[] {
  if (texts === undefined) {
    return ANY_HOST;
  }
  const hosts = new Map<string, HostPattern>();
  for (const text of texts) {
    const { pattern, problem } = parseHostPattern(text);
    if (pattern === null) {
      throw new Error(problem);
    }
    hosts.set(pattern.kind === 'exact' ? pattern.name : `*.${pattern.name}`, pattern);
  }
  return [...hosts.values()];
}
