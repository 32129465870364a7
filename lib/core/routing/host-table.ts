/** The routes of all hosts: one path tree for each host pattern that occurs. */
import { type HostPattern, MAXIMUM_HOST_LENGTH } from './host-pattern.ts';
import { LoneRoute, type PathBranch } from './path-tree.ts';
import type { RouteCandidates } from './route-candidates.ts';
import type { RouteEntry } from './route-entry.ts';
import type { RouteSearch } from './route-search.ts';

/** Canonical paths and templates start with a slash, and their first segment follows it. */
const FIRST_SEGMENT_START = 1;

export class HostTable<T> {
  readonly #exactHosts = new Map<string, PathBranch<T>>();
  /** By what follows `*.`. */
  readonly #wildcards = new Map<string, PathBranch<T>>();
  #anyHost: PathBranch<T> | null = null;

  /** Adds a route under one host; null stands for any host. */
  insert(host: HostPattern | null, entry: RouteEntry<T>): void {
    const tree =
      this.#findTree(host)?.insert(FIRST_SEGMENT_START, entry) ?? new LoneRoute(FIRST_SEGMENT_START, entry);
    this.#setTree(host, tree);
  }

  /** Removes a route that was inserted under the same host, and the host with its last route. */
  remove(host: HostPattern | null, entry: RouteEntry<T>): void {
    this.#setTree(host, this.#findTree(host)?.remove(FIRST_SEGMENT_START, entry) ?? null);
  }

  /** Offers the routes that match host and path of the request, from the most specific one. */
  search(search: RouteSearch<T>): void {
    const { host } = search.facts;
    // No pattern is longer, and a host made of dots alone would cost a look-up for each of them.
    if (host.length <= MAXIMUM_HOST_LENGTH) {
      this.#searchTree(search, this.#exactHosts.get(host));
      if (this.#wildcards.size > 0) {
        this.#searchWildcards(search, host);
      }
    }
    this.#searchTree(search, this.#anyHost ?? undefined);
  }

  /** Offers the same routes as `search`, each with the host that it was found under. */
  collect(candidates: RouteCandidates<T>, host: string): void {
    if (host.length <= MAXIMUM_HOST_LENGTH) {
      this.#collectTree(candidates, host, this.#exactHosts.get(host));
      for (let dot = host.indexOf('.', 1); dot !== -1; dot = host.indexOf('.', dot + 1)) {
        const name = host.slice(dot + 1);
        this.#collectTree(candidates, `*.${name}`, this.#wildcards.get(name));
      }
    }
    this.#collectTree(candidates, null, this.#anyHost ?? undefined);
  }

  /** How many hosts and nodes of paths there are: what the routes cost in memory. */
  countParts(): { readonly hosts: number; readonly nodes: number } {
    const trees = [...this.#exactHosts.values(), ...this.#wildcards.values()];
    if (this.#anyHost !== null) {
      trees.push(this.#anyHost);
    }
    return { hosts: trees.length, nodes: trees.reduce((sum, tree) => sum + tree.countNodes(), 0) };
  }

  #searchWildcards(search: RouteSearch<T>, host: string): void {
    // From index 1: a wildcard stands for one label or more, and a label is never empty.
    let dot = host.indexOf('.', 1);
    while (dot !== -1) {
      this.#searchTree(search, this.#wildcards.get(host.slice(dot + 1)));
      dot = host.indexOf('.', dot + 1);
    }
  }

  #collectTree(candidates: RouteCandidates<T>, host: string | null, tree: PathBranch<T> | undefined): void {
    if (tree !== undefined && candidates.hasRoomFor(tree.minimumOrder)) {
      candidates.host = host;
      tree.collect(candidates, FIRST_SEGMENT_START);
    }
  }

  #searchTree(search: RouteSearch<T>, tree: PathBranch<T> | undefined): void {
    if (tree !== undefined && tree.minimumOrder < search.orderToBeat) {
      tree.search(search, FIRST_SEGMENT_START);
    }
  }

  #treesOf(host: HostPattern): Map<string, PathBranch<T>> {
    return host.kind === 'exact' ? this.#exactHosts : this.#wildcards;
  }

  #findTree(host: HostPattern | null): PathBranch<T> | null {
    return host === null ? this.#anyHost : (this.#treesOf(host).get(host.name) ?? null);
  }

  #setTree(host: HostPattern | null, tree: PathBranch<T> | null): void {
    if (host === null) {
      this.#anyHost = tree;
    } else if (tree === null) {
      this.#treesOf(host).delete(host.name);
    } else {
      this.#treesOf(host).set(host.name, tree);
    }
  }
}
