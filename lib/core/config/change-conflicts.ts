/** The conflicts that a change would bring about. */
import type { ConflictIndex } from './conflict-index.ts';
import { reportTwins, reportWinners } from './conflicts.ts';
import type { Findings } from './problem-list.ts';
import { compareRank, type RouteScope } from './route-scope.ts';
import { SearchEffort } from './search-effort.ts';

/** Nodes, groups and routes that are looked at to find what a change shadows. */
const MAX_STEPS = 1_000;
/** Routes whose winners are looked for, of those that may be shadowed: more than anyone reads. */
const MAX_SUSPECTS = 50;

export interface ScopeChange {
  /** The routes that go, and those that change, as they are now. */
  readonly removed: readonly RouteScope[];
  /** The routes that come, and those that change, as they will be. */
  readonly added: readonly RouteScope[];
}

/**
 * Adds a problem for each added route that cannot be told apart from another one, a warning for each that
 * never wins, and a warning for each other route that never wins because of the change. Leaves the index
 * as it was.
 *
 * Of those other routes some are missed: beyond 1,000 steps of search that the whole change shares, beyond
 * 32 on one host and path, beyond the first 50 that a change may shadow, where a route that goes makes room
 * for another one to be compared, and all that the conflicts of a whole document miss.
 */
export function reportChangeConflicts(index: ConflictIndex, change: ScopeChange, findings: Findings): void {
  let shadowed: readonly Shadowed[];
  replaceScopes(index, change.removed, change.added);
  try {
    reportAdded(index, change.added, findings);
    shadowed = findShadowed(index, change.added);
  } finally {
    replaceScopes(index, change.added, change.removed);
  }
  for (const { scope, winners } of shadowed) {
    const isNew = index.findWinners(scope).length === 0;
    if (isNew) {
      reportWinners(winners, scope, findings);
    }
  }
}

function replaceScopes(
  index: ConflictIndex,
  removed: readonly RouteScope[],
  added: readonly RouteScope[],
): void {
  for (const scope of removed) {
    index.remove(scope);
  }
  for (const scope of added) {
    index.add(scope);
  }
}

function reportAdded(index: ConflictIndex, added: readonly RouteScope[], findings: Findings): void {
  const addedIds = new Set(added.map(({ id }) => id));
  for (const scope of added) {
    for (const twin of index.findTwins(scope)) {
      // Two added routes are one problem, at the one that would lose.
      if (compareRank(twin, scope) < 0 || !addedIds.has(twin.id)) {
        reportTwins(scope, twin, findings);
      }
    }
    reportWinners(index.findWinners(scope), scope, findings);
  }
}

interface Shadowed {
  readonly scope: RouteScope;
  readonly winners: readonly RouteScope[];
}

/** The other routes that the added ones beat and that never win, by rank. */
function findShadowed(index: ConflictIndex, added: readonly RouteScope[]): readonly Shadowed[] {
  return [...findSuspects(index, added)]
    .map((scope) => ({ scope, winners: index.findWinners(scope) }))
    .filter(({ winners }) => winners.length > 0)
    .sort((left, right) => compareRank(left.scope, right.scope));
}

function findSuspects(index: ConflictIndex, added: readonly RouteScope[]): ReadonlySet<RouteScope> {
  const effort = new SearchEffort(MAX_STEPS);
  const addedScopes = new Set(added);
  const suspects = new Set<RouteScope>();
  for (const scope of added) {
    for (const suspect of index.findBeaten(scope, effort)) {
      if (suspects.size === MAX_SUSPECTS) {
        return suspects;
      }
      if (!addedScopes.has(suspect)) {
        suspects.add(suspect);
      }
    }
  }
  return suspects;
}
