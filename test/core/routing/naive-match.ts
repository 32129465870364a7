/**
 * The rules for which route wins, written down as plainly as they read: every route is compared with the
 * request, and the winner is found with one comparator over all that match. Slow, and independent of lib.
 */
import type { RouteMatch, RoutePredicate } from '../../../lib/core/config/model.ts';
import type { RequestFacts } from '../../../lib/core/routing/request-facts.ts';

export interface NaiveRoute {
  readonly id: string;
  readonly match: RouteMatch;
  readonly order: number;
}

/** Smaller ranks are more specific; compared item by item, missing items counting as 0. */
type Rank = readonly number[];

export function matchNaively(routes: readonly NaiveRoute[], facts: RequestFacts): string | null {
  const candidates: { id: string; rank: Rank }[] = [];
  for (const { id, match, order } of routes) {
    const hostRank = rankHost(match.hosts, facts.host);
    const pathRank = rankPath(match.path, facts.path);
    if (hostRank !== null && pathRank !== null && acceptPredicates(match, facts)) {
      candidates.push({ id, rank: [order, hostRank, ...pathRank, -countPredicates(match)] });
    }
  }
  candidates.sort((left, right) => compareRanks(left.rank, right.rank) || (left.id < right.id ? -1 : 1));
  return candidates[0]?.id ?? null;
}

function compareRanks(left: Rank, right: Rank): number {
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) {
      return difference;
    }
  }
  return 0;
}

/** An exact host is -1000, a wildcard the more negative the longer it is, any host 0. */
function rankHost(hosts: readonly string[] | undefined, host: string): number | null {
  if (hosts === undefined) {
    return 0;
  }
  const ranks = hosts
    .map((text) => text.toLowerCase())
    .flatMap((text) => {
      if (text === host) {
        return [-1_000];
      }
      return text.startsWith('*.') && host.endsWith(text.slice(1)) && host.length >= text.length
        ? [-text.length]
        : [];
    });
  return ranks.length === 0 ? null : Math.min(...ranks);
}

const SEGMENT_RANKS = 300;

/** For each segment literal 0, parameter 1, rest 2 and the end 0; always as many items, so that all compare. */
function rankPath(template: string | undefined, path: string): Rank | null {
  const wanted = (template ?? '/{**any}').split('/').slice(1);
  const given = path.split('/').slice(1);
  const ranks: number[] = new Array(SEGMENT_RANKS).fill(0);
  for (const [index, part] of wanted.entries()) {
    if (part.startsWith('{**')) {
      ranks[index] = 2;
      return ranks;
    }
    const segment = given[index];
    if (segment === undefined || (part.startsWith('{') ? segment === '' : segment !== part)) {
      return null;
    }
    ranks[index] = part.startsWith('{') ? 1 : 0;
  }
  return wanted.length === given.length ? ranks : null;
}

function countPredicates(match: RouteMatch): number {
  return (match.methods ? 1 : 0) + (match.headers ?? []).length + (match.query ?? []).length;
}

function acceptPredicates(match: RouteMatch, facts: RequestFacts): boolean {
  const headers = facts.rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [[name.toLowerCase(), facts.rawHeaders[index + 1] ?? ''] as const] : [],
  );
  const query = [...new URLSearchParams(facts.query)];
  return (
    (match.methods?.includes(facts.method) ?? true) &&
    (match.headers ?? []).every((one) =>
      acceptPredicate({ ...one, name: one.name.toLowerCase() }, headers),
    ) &&
    (match.query ?? []).every((one) => acceptPredicate(one, query))
  );
}

function acceptPredicate(predicate: RoutePredicate, pairs: readonly (readonly [string, string])[]): boolean {
  const found = pairs.filter(([name]) => name === predicate.name).map(([, value]) => value);
  const values = predicate.values ?? [];
  switch (predicate.mode) {
    case 'exists':
      return found.length > 0;
    case 'notExists':
      return found.length === 0;
    case 'prefix':
      return found.some((value) => values.some((wanted) => value.startsWith(wanted)));
    case 'contains':
      return found.some((value) => values.some((wanted) => value.includes(wanted)));
    default:
      return found.some((value) => values.includes(value));
  }
}
