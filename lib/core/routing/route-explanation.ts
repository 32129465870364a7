/** The choice of a route in words: which routes came into question, and why each was taken or not. */
import { describeFailedPredicate } from './failed-predicate.ts';
import type { TemplateSegment } from './path-template.ts';
import type { RequestFacts } from './request-facts.ts';
import type { FoundRoute, RouteCandidates } from './route-candidates.ts';
import type { RouteEntry } from './route-entry.ts';

/** One route that matches by host and path. */
interface RouteCandidate {
  readonly id: string;
  readonly order: number;
  /** Whether its predicates hold as well, so that it would take the request if no other did. */
  readonly matches: boolean;
  readonly won: boolean;
  /** Why it won or lost, for people. */
  readonly reason: string;
}

export interface RouteExplanation<T> {
  /** Exactly what `match` gives; null where no route matches. */
  readonly winner: { readonly id: string; readonly value: T } | null;
  /** From the first that comes into question to the last. */
  readonly candidates: readonly RouteCandidate[];
  /** True where there were more candidates than are listed. */
  readonly cut: boolean;
}

/** Puts into words what a walk over all candidates and the search for the winner have found. */
export function explainCandidates<T>(
  candidates: RouteCandidates<T>,
  winner: RouteEntry<T> | null,
  facts: RequestFacts,
): RouteExplanation<T> {
  const judged = candidates.found.map((found) => ({
    found,
    failure: found.entry.predicates === null ? null : describeFailedPredicate(found.entry.predicates, facts),
  }));
  const isOnly = judged.filter(({ failure }) => failure === null).length <= 1 && !candidates.cut;
  const best = judged.find(({ found }) => found.entry === winner)?.found ?? null;
  const listed = judged.map(({ found, failure }) =>
    found.entry === winner ? describeWinner(found.entry, isOnly) : describeLoser(found, failure, best),
  );
  if (winner !== null && best === null) {
    // All that are listed come before it, and none of them takes the request.
    listed.push(describeWinner(winner, false));
  }
  return {
    winner: winner === null ? null : { id: winner.id, value: winner.value },
    candidates: listed,
    cut: candidates.cut,
  };
}

function describeWinner<T>({ id, order }: RouteEntry<T>, isOnly: boolean): RouteCandidate {
  const reason = isOnly
    ? 'the only route that takes this request'
    : 'the first of the routes that take this request';
  return { id, order, matches: true, won: true, reason };
}

function describeLoser<T>(
  found: FoundRoute<T>,
  failure: string | null,
  winner: FoundRoute<T> | null,
): RouteCandidate {
  const { id, order } = found.entry;
  // A route whose predicates hold never loses to nobody.
  const reason = failure ?? (winner === null ? 'not chosen' : describeDefeat(found, winner));
  return { id, order, matches: failure === null, won: false, reason };
}

/** The first rule, in the order of the rules, by which the winner goes before a route that matches too. */
function describeDefeat<T>(loser: FoundRoute<T>, winner: FoundRoute<T>): string {
  const { id, order } = winner.entry;
  if (loser.entry.order !== order) {
    return `order ${loser.entry.order} is after order ${order} of route ${id}`;
  }
  if (loser.host !== winner.host) {
    const host = loser.host === null ? 'any host' : `its host ${loser.host}`;
    return `${host} is less specific than ${winner.host} of route ${id}`;
  }
  const conditionCount = loser.entry.predicates?.count ?? 0;
  const winnerCount = winner.entry.predicates?.count ?? 0;
  return (
    describePathDefeat(loser.entry, winner.entry) ??
    (conditionCount === winnerCount
      ? `all else equal, its id sorts after that of route ${id}`
      : `it has fewer conditions than route ${id}: ${conditionCount} to ${winnerCount}`)
  );
}

/** Both templates match the same path, so the first segments of different kinds make the difference. */
function describePathDefeat<T>(loser: RouteEntry<T>, winner: RouteEntry<T>): string | null {
  const [ownSegments, otherSegments] = [loser.segments, winner.segments];
  const length = Math.max(ownSegments.length, otherSegments.length);
  for (let index = 0; index < length; index += 1) {
    const own = ownSegments[index];
    const other = otherSegments[index];
    if (own?.kind !== other?.kind) {
      return `its path has ${describeSegment(own)} where route ${winner.id} has ${describeSegment(other)}`;
    }
  }
  return null;
}

function describeSegment(segment: TemplateSegment | undefined): string {
  switch (segment?.kind) {
    case undefined:
      return 'its end';
    case 'literal':
      return segment.text === '' ? 'a slash at its end' : `the literal ${segment.text}`;
    case 'parameter':
      return `the parameter {${segment.name}}`;
    case 'rest':
      return `the rest {**${segment.name}}`;
  }
}
