/** Finds the routes that get in each other's way, while routes come and go. */
import { coversConditions } from './route-conditions.ts';
import { compareRank, coversHost, isTwin, listCoveringHosts, type RouteScope } from './route-scope.ts';
import type { ScopeGroup } from './scope-group.ts';
import type { ScopePlace } from './scope-node.ts';
import { ScopeTree } from './scope-tree.ts';
import type { SearchEffort } from './search-effort.ts';

export class ConflictIndex {
  readonly #tree = new ScopeTree();

  /** Adds a route whose id is not there. Cheapest from the best rank to the worst. */
  add(scope: RouteScope): void {
    this.#tree.add(scope);
  }

  /** Takes a route out that was added. One that is equal to it, not the same object, will do. */
  remove(scope: RouteScope): void {
    this.#tree.remove(scope);
  }

  /** The routes that only the id tells from this one on one of its hosts: for each host the best ranked. */
  findTwins(scope: RouteScope): ReadonlySet<RouteScope> {
    const place = this.#tree.placeOf(scope.segments);
    const twins = new Set<RouteScope>();
    for (const host of scope.hosts) {
      const twin = place?.get(host)?.findTwin(scope) ?? null;
      if (twin !== null) {
        twins.add(twin);
      }
    }
    return twins;
  }

  /** The routes that together always beat `scope`, one for each of its hosts; none where it can win. */
  findWinners(scope: RouteScope): readonly RouteScope[] {
    const ownPlace = this.#tree.placeOf(scope.segments);
    const places = this.#tree.listCoveringPlaces(scope.segments);
    const winners = new Set<RouteScope>();
    for (const host of scope.hosts) {
      const winner = findWinnerOnHost(scope, host, places, ownPlace);
      if (winner === null) {
        return [];
      }
      winners.add(winner);
    }
    return [...winners];
  }

  /**
   * The routes that `scope` always beats on at least one of their hosts, as far as the effort goes; some of
   * them more than once.
   */
  *findBeaten(scope: RouteScope, effort: SearchEffort): Generator<RouteScope, void> {
    const ownPlace = this.#tree.placeOf(scope.segments);
    for (const host of scope.hosts) {
      yield* beatenInGroup(scope, ownPlace?.get(host), beatsOnSameMatch, effort);
    }
    for (const place of this.#tree.coveredPlaces(scope.segments, scope.order, effort)) {
      for (const host of scope.hosts) {
        for (const group of coveredGroups(place, host, effort)) {
          yield* beatenInGroup(scope, group, beatsByOrder, effort);
        }
      }
    }
  }
}

type Beats = (candidate: RouteScope, scope: RouteScope) => boolean;

function findWinnerOnHost(
  scope: RouteScope,
  host: string,
  places: readonly ScopePlace[],
  ownPlace: ScopePlace | null,
): RouteScope | null {
  const { key } = scope.conditions;
  for (const coveringHost of listCoveringHosts(host)) {
    for (const place of places) {
      const isSameMatch = coveringHost === host && place === ownPlace;
      const beats = isSameMatch ? beatsOnSameMatch : beatsByOrder;
      const accept = (candidate: RouteScope) => beats(candidate, scope) && covers(candidate, scope);
      const winner = place.get(coveringHost)?.find(key, accept) ?? null;
      if (winner !== null) {
        return winner;
      }
    }
  }
  return null;
}

/** The groups of hosts that take nothing but what `host` takes. */
function* coveredGroups(place: ScopePlace, host: string, effort: SearchEffort): Generator<ScopeGroup, void> {
  const ownGroup = place.get(host);
  if (ownGroup !== undefined) {
    yield ownGroup;
  }
  if (!host.startsWith('*')) {
    return;
  }
  for (const [otherHost, group] of place) {
    if (!effort.spend()) {
      return;
    }
    if (otherHost !== host && coversHost(host, otherHost)) {
      yield group;
    }
  }
}

/**
 * Those of a group that `scope` covers and beats. The beaten ones are the last in rank; of very many only
 * the worst are looked at.
 */
function* beatenInGroup(
  scope: RouteScope,
  group: ScopeGroup | undefined,
  beats: Beats,
  effort: SearchEffort,
): Generator<RouteScope, void> {
  for (const candidate of group?.listWorst() ?? []) {
    if (!beats(scope, candidate) || !effort.spend()) {
      return;
    }
    if (covers(scope, candidate)) {
      yield candidate;
    }
  }
}

/** Where the other route matches more, it is the less specific one and wins by its order alone. */
function beatsByOrder(candidate: RouteScope, scope: RouteScope): boolean {
  return candidate.order < scope.order;
}

function beatsOnSameMatch(candidate: RouteScope, scope: RouteScope): boolean {
  return !isTwin(candidate, scope) && compareRank(candidate, scope) < 0;
}

/** Host and path are known to be covered. */
function covers(candidate: RouteScope, scope: RouteScope): boolean {
  // How a slash in a segment is taken is a matter of each route, so they do not quite match the same paths.
  const coversSlashes = candidate.allowEncodedSlash || !scope.allowEncodedSlash;
  return coversSlashes && coversConditions(candidate.conditions, scope.conditions);
}
