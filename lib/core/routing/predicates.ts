/** What a route asks of a request besides its host and path: methods, headers and query parameters. */
import type { RouteMatch, RoutePredicate } from '../config/model.ts';
import { quoteText } from '../config/quote-text.ts';
import type { RequestFacts } from './request-facts.ts';

/** What is wrong with one header or query predicate, and how to mend it; null where it is fine. */
export function findPredicateProblem(predicate: RoutePredicate): string | null {
  const mode = predicate.mode ?? 'exact';
  const isAboutPresence = mode === 'exists' || mode === 'notExists';
  if (isAboutPresence && predicate.values !== undefined) {
    return `${quoteText(predicate.name)} has values, which mode ${mode} does not look at: remove them or change the mode`;
  }
  if (!isAboutPresence && predicate.values === undefined) {
    return `${quoteText(predicate.name)} has no values to compare in mode ${mode}: give some, or use mode exists`;
  }
  return null;
}

/** The predicates of one route, ready to be asked. */
export class RoutePredicates {
  /** How specific they make a route: the methods count as one, each other predicate as one. */
  readonly count: number;
  readonly methods: readonly string[] | null;
  readonly headers: readonly FieldPredicate[] | null;
  readonly query: readonly FieldPredicate[] | null;

  constructor(match: RouteMatch) {
    this.methods = match.methods ?? null;
    this.headers = match.headers?.map((predicate) => compileField(predicate, true)) ?? null;
    this.query = match.query?.map((predicate) => compileField(predicate, false)) ?? null;
    this.count = (this.methods === null ? 0 : 1) + (this.headers?.length ?? 0) + (this.query?.length ?? 0);
  }

  /** Whether method and headers are as the route asks. Methods are case-sensitive (RFC 9110 §9.1). */
  acceptHead(facts: RequestFacts): boolean {
    return (
      (this.methods === null || this.methods.includes(facts.method)) &&
      (this.headers === null || acceptAll(this.headers, facts.rawHeaders))
    );
  }

  /** Whether the query is as the route asks; `pairs` are its decoded names and values. */
  acceptQuery(pairs: readonly string[]): boolean {
    return this.query === null || acceptAll(this.query, pairs);
  }
}

/**
 * Compiles the predicates of a route; null where it has none.
 * @throws Error where `findPredicateProblem` finds something.
 */
export function compilePredicates(match: RouteMatch): RoutePredicates | null {
  const hasAny = match.methods !== undefined || match.headers !== undefined || match.query !== undefined;
  return hasAny ? new RoutePredicates(match) : null;
}

function compileField(predicate: RoutePredicate, ignoreNameCase: boolean): FieldPredicate {
  const problem = findPredicateProblem(predicate);
  if (problem !== null) {
    throw new Error(problem);
  }
  return new FieldPredicate(predicate, ignoreNameCase);
}

function acceptAll(predicates: readonly FieldPredicate[], pairs: readonly string[]): boolean {
  for (const predicate of predicates) {
    if (!predicate.accept(pairs)) {
      return false;
    }
  }
  return true;
}

/** A predicate over named values that may occur several times: any occurrence is enough. */
class FieldPredicate {
  readonly name: string;
  readonly ignoreNameCase: boolean;
  readonly mode: NonNullable<RoutePredicate['mode']>;
  readonly values: readonly string[];

  constructor(predicate: RoutePredicate, ignoreNameCase: boolean) {
    this.name = ignoreNameCase ? predicate.name.toLowerCase() : predicate.name;
    this.ignoreNameCase = ignoreNameCase;
    this.mode = predicate.mode ?? 'exact';
    this.values = predicate.values ?? [];
  }

  /** Takes name, value, name, value … */
  accept(pairs: readonly string[]): boolean {
    for (let index = 0; index + 1 < pairs.length; index += 2) {
      if (this.#isNamed(pairs[index] as string) && this.#acceptValue(pairs[index + 1] as string)) {
        return this.mode !== 'notExists';
      }
    }
    return this.mode === 'notExists';
  }

  #isNamed(name: string): boolean {
    if (name.length !== this.name.length) {
      return false;
    }
    return (this.ignoreNameCase ? name.toLowerCase() : name) === this.name;
  }

  #acceptValue(value: string): boolean {
    if (this.mode === 'exists' || this.mode === 'notExists') {
      return true;
    }
    for (const wanted of this.values) {
      if (isAsWanted(value, wanted, this.mode)) {
        return true;
      }
    }
    return false;
  }
}

function isAsWanted(value: string, wanted: string, mode: 'exact' | 'prefix' | 'contains'): boolean {
  switch (mode) {
    case 'exact':
      return value === wanted;
    case 'prefix':
      return value.startsWith(wanted);
    case 'contains':
      return value.includes(wanted);
  }
}
