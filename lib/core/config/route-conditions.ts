/** What a route asks of a request besides host and path, in a form that two routes can be compared by. */
import type { RouteMatch, RoutePredicate } from './model.ts';

interface Condition {
  /** Header names are in lower case, those of query parameters as they are. */
  readonly name: string;
  readonly mode: NonNullable<RoutePredicate['mode']>;
  readonly values: readonly string[];
}

export interface RouteConditions {
  /** Equal for two routes that ask the same, in whatever order; empty where nothing is asked. */
  readonly key: string;
  /** How many predicates the route ranks with: the methods are one, each header and query predicate one. */
  readonly count: number;
  /** Sorted, each once. */
  readonly methods: readonly string[] | null;
  readonly headers: readonly Condition[];
  readonly query: readonly Condition[];
}

const NONE: readonly Condition[] = [];
const NO_CONDITIONS: RouteConditions = { key: '', count: 0, methods: null, headers: NONE, query: NONE };

export function conditionsOf(match: RouteMatch): RouteConditions {
  if (match.methods === undefined && match.headers === undefined && match.query === undefined) {
    return NO_CONDITIONS;
  }
  const methods = match.methods === undefined ? null : sortUnique(match.methods);
  const headers =
    match.headers?.map((predicate) => conditionOf(predicate, predicate.name.toLowerCase())) ?? NONE;
  const query = match.query?.map((predicate) => conditionOf(predicate, predicate.name)) ?? NONE;
  return {
    key: JSON.stringify([methods, listKeys(headers), listKeys(query)]),
    count: (methods === null ? 0 : 1) + headers.length + query.length,
    methods,
    headers,
    query,
  };
}

function conditionOf(predicate: RoutePredicate, name: string): Condition {
  return { name, mode: predicate.mode ?? 'exact', values: sortUnique(predicate.values ?? []) };
}

function sortUnique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].sort();
}

/** Equal predicates are kept apart by their number: it counts when routes are ranked. */
function listKeys(conditions: readonly Condition[]): readonly string[] {
  return conditions.map(({ name, mode, values }) => JSON.stringify([name, mode, values])).sort();
}

/** Whether every request that meets `special` meets `general` as well. May say no where it is so. */
export function coversConditions(general: RouteConditions, special: RouteConditions): boolean {
  return (
    coversMethods(general.methods, special.methods) &&
    coversAll(general.headers, special.headers) &&
    coversAll(general.query, special.query)
  );
}

function coversMethods(general: readonly string[] | null, special: readonly string[] | null): boolean {
  if (general === null || special === null) {
    return general === null;
  }
  return special.every((method) => general.includes(method));
}

function coversAll(general: readonly Condition[], special: readonly Condition[]): boolean {
  return general.every((wanted) => special.some((given) => follows(wanted, given)));
}

/** Whether `wanted` holds wherever `given` does. */
function follows(wanted: Condition, given: Condition): boolean {
  if (wanted.name !== given.name) {
    return false;
  }
  switch (wanted.mode) {
    case 'notExists':
      return given.mode === 'notExists';
    case 'exists':
      return given.mode !== 'notExists';
    case 'exact':
      return given.mode === 'exact' && given.values.every((value) => wanted.values.includes(value));
    case 'prefix':
      return (
        (given.mode === 'exact' || given.mode === 'prefix') &&
        given.values.every((value) => wanted.values.some((prefix) => value.startsWith(prefix)))
      );
    case 'contains':
      return (
        given.mode !== 'exists' &&
        given.mode !== 'notExists' &&
        given.values.every((value) => wanted.values.some((part) => value.includes(part)))
      );
  }
}
