/** Routes that get in each other's way. */
import type { Route } from './model.ts';
import { childPointer } from './problem.ts';
import type { Findings } from './problem-list.ts';
import { coversConditions } from './route-conditions.ts';
import { compareRank, isTwin, listCoveringHosts, type RouteScope, scopeOf } from './route-scope.ts';
import { ScopeGroup, type ScopePlace, ScopeTree } from './scope-tree.ts';

const MAX_NAMED_WINNERS = 3;
const NO_SCOPES: ReadonlySet<RouteScope> = new Set();

/**
 * Adds a problem for each route that cannot be told apart from another one, and a warning for each route
 * that can never win because others beat it and match all that it matches.
 *
 * A warning is never false, but some are missed: a route that only several others together cover on one
 * host, predicates that follow from each other in roundabout ways, more than 32 routes with different
 * predicates on one host and path, and paths with very many alternatives of parameters. In return the
 * time is near to linear in the number of hosts and segments. Routes whose hosts or path do not parse are
 * passed over.
 */
export function reportRouteConflicts(routes: ReadonlyMap<string, Route>, findings: Findings): void {
  const scopes: RouteScope[] = [];
  for (const [id, route] of routes) {
    const scope = scopeOf(id, route);
    if (scope !== null) {
      scopes.push(scope);
    }
  }
  const index = new ConflictIndex(scopes.sort(compareRank));
  for (const scope of scopes) {
    reportTwins(index.twinsOf(scope), scope, findings);
    reportWinners(index.findWinners(scope), scope, findings);
  }
}

function reportTwins(twins: Iterable<RouteScope>, scope: RouteScope, { problems }: Findings): void {
  for (const twin of twins) {
    problems.add(
      `${childPointer('/routes', scope.id)}/match`,
      `route "${scope.id}" cannot be told apart from route "${twin.id}": ` +
        'they share order, host, path, methods and predicates',
      'make one more specific, give one a lower order, or remove one',
    );
  }
}

function reportWinners(winners: readonly RouteScope[], scope: RouteScope, { warnings }: Findings): void {
  if (winners.length > 0) {
    const named = winners.slice(0, MAX_NAMED_WINNERS).map(({ id }) => `"${id}"`);
    const omitted = winners.length - named.length;
    const names = omitted === 0 ? named.join(', ') : `${named.join(', ')} and ${omitted} more`;
    warnings.add(
      childPointer('/routes', scope.id),
      `route "${scope.id}" never wins: it is beaten on all that it matches by ${names}`,
      'give it a lower order, or remove it',
    );
  }
}

class ConflictIndex {
  readonly #tree = new ScopeTree();
  readonly #twins = new Map<RouteScope, ReadonlySet<RouteScope>>();

  /** Takes the routes from the best rank to the worst. */
  constructor(scopes: readonly RouteScope[]) {
    for (const scope of scopes) {
      const twins = addToGroups(this.#tree.placeOf(scope.segments), scope);
      if (twins.size > 0) {
        this.#twins.set(scope, twins);
      }
    }
  }

  /** The better ranked routes that only the id tells from this one. */
  twinsOf(scope: RouteScope): Iterable<RouteScope> {
    return this.#twins.get(scope) ?? [];
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
}

/** Adds a route under each of its hosts. Returns the routes that only the id tells from it, each once. */
function addToGroups(place: ScopePlace, scope: RouteScope): ReadonlySet<RouteScope> {
  let twins: Set<RouteScope> | null = null;
  for (const host of scope.hosts) {
    let group = place.get(host);
    if (group === undefined) {
      group = new ScopeGroup();
      place.set(host, group);
    }
    const twin = group.add(scope);
    if (twin !== null) {
      twins ??= new Set();
      twins.add(twin);
    }
  }
  return twins ?? NO_SCOPES;
}

function findWinnerOnHost(
  scope: RouteScope,
  host: string,
  places: readonly ScopePlace[],
  ownPlace: ScopePlace,
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
