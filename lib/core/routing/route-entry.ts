/** One route as the cache holds it, and how routes of the same host and path rank. */
import type { RouteMatch } from '../config/model.ts';
import { parsePathTemplate, type TemplateSegment } from './path-template.ts';
import { compilePredicates, type RoutePredicates } from './predicates.ts';

/** A route without a path takes any, and ranks as a template of a rest alone. */
const ANY_PATH = '/{**rest}';

export class RouteEntry<T> {
  readonly id: string;
  readonly order: number;
  readonly value: T;
  readonly predicates: RoutePredicates | null;
  /** The path template. Its text is all that is kept: segments would take as much memory as the rest. */
  readonly template: string;
  readonly hosts: readonly string[] | undefined;

  /** @throws Error where the path or a predicate of `match` does not make sense. */
  constructor(id: string, match: RouteMatch, order: number, value: T) {
    this.id = id;
    this.order = order;
    this.value = value;
    this.predicates = compilePredicates(match);
    this.template = match.path ?? ANY_PATH;
    // Parsed for its problems alone.
    parseSegments(this.template);
    this.hosts = match.hosts;
  }

  /** Of the path template; taken apart at each call. */
  get segments(): readonly TemplateSegment[] {
    return parseSegments(this.template);
  }
}

function parseSegments(text: string): readonly TemplateSegment[] {
  const { template, problem } = parsePathTemplate(text);
  if (template === null) {
    throw new Error(problem);
  }
  return template.segments;
}

/** Negative where `left` wins over `right` on the same host and path; never 0 for two ids. */
function compareEntries<T>(left: RouteEntry<T>, right: RouteEntry<T>): number {
  if (left.order !== right.order) {
    return left.order - right.order;
  }
  const predicates = (right.predicates?.count ?? 0) - (left.predicates?.count ?? 0);
  if (predicates !== 0) {
    return predicates;
  }
  return left.id < right.id ? -1 : Number(left.id > right.id);
}

/** Inserts `entry` into entries sorted by rank. Returns the list, a new one where there was none. */
export function insertEntry<T>(entries: RouteEntry<T>[] | null, entry: RouteEntry<T>): RouteEntry<T>[] {
  if (entries === null) {
    return [entry];
  }
  entries.splice(findEntry(entries, entry), 0, entry);
  return entries;
}

/** Removes `entry`, which must be there. Returns the list, or null where it became empty. */
export function removeEntry<T>(
  entries: RouteEntry<T>[] | null,
  entry: RouteEntry<T>,
): RouteEntry<T>[] | null {
  if (entries === null || entries.length === 1) {
    return null;
  }
  entries.splice(findEntry(entries, entry), 1);
  return entries;
}

/** Where `entry` is, or where it belongs. */
function findEntry<T>(entries: readonly RouteEntry<T>[], entry: RouteEntry<T>): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareEntries(entries[middle] as RouteEntry<T>, entry) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
