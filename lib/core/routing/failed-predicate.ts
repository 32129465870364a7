/** Why a request is not as the predicates of a route want it, for people. */
import { quoteText } from '../config/quote-text.ts';
import type { RoutePredicates } from './predicates.ts';
import { parseQueryPairs } from './query-pairs.ts';
import type { RequestFacts } from './request-facts.ts';

type FieldPredicate = NonNullable<RoutePredicates['headers']>[number];

/** What they hold lets its owner in: it is compared, and not shown. */
const CREDENTIAL_FIELDS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization']);

/** So many of the texts that would do are named. */
const MOST_NAMED = 5;

/**
 * Describes the first predicate that does not hold, in the order in which they are asked; null where all hold.
 */
export function describeFailedPredicate(predicates: RoutePredicates, facts: RequestFacts): string | null {
  const { methods, headers, query } = predicates;
  if (methods !== null && !methods.includes(facts.method)) {
    return `method ${quotePlain(facts.method)} is not ${oneOf(methods.map(quotePlain))}`;
  }
  return (
    describeFailedField('header', headers, facts.rawHeaders) ??
    (query === null ? null : describeFailedField('query parameter', query, parseQueryPairs(facts.query)))
  );
}

/** Methods read better without quotes, which only odd ones need. */
function quotePlain(text: string): string {
  return /^[A-Za-z-]{1,32}$/.test(text) ? text : quoteText(text);
}

function describeFailedField(
  what: string,
  predicates: readonly FieldPredicate[] | null,
  pairs: readonly string[],
): string | null {
  const failed = predicates?.find((predicate) => !predicate.accept(pairs));
  if (failed === undefined) {
    return null;
  }
  const subject = `${what} ${failed.name}`;
  const values = valuesOf(failed, pairs);
  if (failed.mode === 'notExists') {
    return `${subject} is present`;
  }
  if (values.length > 0 && CREDENTIAL_FIELDS.has(failed.name)) {
    return `${subject} is another`;
  }
  return values.length === 0
    ? `${subject} is absent`
    : `${subject} is ${listTexts(values, ' and ')}, which ${describeComparison(failed)}`;
}

function valuesOf(predicate: FieldPredicate, pairs: readonly string[]): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < pairs.length; index += 2) {
    const name = pairs[index] as string;
    if ((predicate.ignoreNameCase ? name.toLowerCase() : name) === predicate.name) {
      values.push(pairs[index + 1] as string);
    }
  }
  return values;
}

function describeComparison(predicate: FieldPredicate): string {
  const wanted = listTexts(predicate.values, ' or ');
  switch (predicate.mode) {
    case 'prefix':
      return `does not start with ${wanted}`;
    case 'contains':
      return `does not contain ${wanted}`;
    default:
      return `is not ${oneOf(predicate.values.map(quoteText))}`;
  }
}

function oneOf(texts: readonly string[]): string {
  return texts.length === 1 ? (texts[0] as string) : `one of ${cutList(texts).join(', ')}`;
}

function listTexts(texts: readonly string[], separator: string): string {
  return cutList(texts.map(quoteText)).join(separator);
}

function cutList(texts: readonly string[]): readonly string[] {
  return texts.length > MOST_NAMED
    ? [...texts.slice(0, MOST_NAMED), `${texts.length - MOST_NAMED} more`]
    : texts;
}
