/** Routes that get in each other's way, in words. */
import { ConflictIndex } from './conflict-index.ts';
import type { Route } from './model.ts';
import { childPointer } from './problem.ts';
import type { Findings } from './problem-list.ts';
import { compareRank, type RouteScope, scopeOf } from './route-scope.ts';
import { SliceMeter, sortInSlices } from './slices.ts';

const MAX_NAMED_WINNERS = 3;

/**
 * Adds a problem for each route that cannot be told apart from another one, and a warning for each route
 * that can never win because others beat it and match all that it matches. Returns the index of the routes.
 *
 * A warning is never false, but some are missed: a route that only several others together cover on one
 * host, predicates that follow from each other in roundabout ways, more than 32 routes with different
 * predicates on one host and path, and paths with very many alternatives of parameters. In return the
 * time is near to linear in the number of hosts and segments. Routes whose hosts or path do not parse are
 * passed over.
 */
export function* reportRouteConflicts(
  routes: ReadonlyMap<string, Route>,
  findings: Findings,
): Generator<void, ConflictIndex> {
  const scopes = yield* listScopes(routes);
  const index = yield* indexScopes(scopes);
  const conflicting = yield* findConflicting(scopes, index);
  const meter = new SliceMeter();
  for (const scope of yield* sortInSlices(conflicting, compareRank)) {
    for (const twin of index.findTwins(scope)) {
      if (compareRank(twin, scope) < 0) {
        reportTwins(scope, twin, findings);
      }
    }
    reportWinners(index.findWinners(scope), scope, findings);
    if (meter.isFullAfter(scope.hosts.length)) {
      yield;
    }
  }
  return index;
}

/** The scopes that there is something to say of: nearly always none, so that all the others need no order. */
function* findConflicting(
  scopes: readonly RouteScope[],
  index: ConflictIndex,
): Generator<void, RouteScope[]> {
  const conflicting: RouteScope[] = [];
  const meter = new SliceMeter();
  for (const scope of scopes) {
    if (index.findTwins(scope).size > 0 || index.findWinners(scope).length > 0) {
      conflicting.push(scope);
    }
    if (meter.isFullAfter(scope.hosts.length)) {
      yield;
    }
  }
  return conflicting;
}

function* listScopes(routes: ReadonlyMap<string, Route>): Generator<void, RouteScope[]> {
  const scopes: RouteScope[] = [];
  const meter = new SliceMeter();
  for (const [id, route] of routes) {
    const scope = scopeOf(id, route);
    if (scope !== null) {
      scopes.push(scope);
    }
    if (meter.isFullAfter(scope?.hosts.length ?? 1)) {
      yield;
    }
  }
  return scopes;
}

function* indexScopes(scopes: readonly RouteScope[]): Generator<void, ConflictIndex> {
  const index = new ConflictIndex();
  const meter = new SliceMeter();
  for (const scope of scopes) {
    index.add(scope);
    if (meter.isFullAfter(scope.hosts.length)) {
      yield;
    }
  }
  return index;
}

/** Adds the problem that two routes cannot be told apart, with the place of the first. */
export function reportTwins(scope: RouteScope, twin: RouteScope, { problems }: Findings): void {
  problems.add(
    `${childPointer('/routes', scope.id)}/match`,
    `route "${scope.id}" cannot be told apart from route "${twin.id}": ` +
      'they share order, host, path, methods and predicates',
    'make one more specific, give one a lower order, or remove one',
  );
}

/** Adds the warning that a route never wins, where there are winners. */
export function reportWinners(
  winners: readonly RouteScope[],
  scope: RouteScope,
  { warnings }: Findings,
): void {
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
