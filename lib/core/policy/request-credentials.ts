/**
 * The places of a request where credentials stand. What stands there twice is refused and never chosen from:
 * whoever is behind the gateway could choose the other one.
 */
import { isSeenAs } from '../http/plain-name.ts';
import { parseQueryPairs } from '../routing/query-pairs.ts';

/** In place of a value: there is more than one. */
export const REPEATED: unique symbol = Symbol('repeated');
/** Null where there is none. */
export type Found = string | null | typeof REPEATED;

/**
 * The value of a header field. A look-alike of its name is as good as the name: an origin may take it for that.
 * @param rawHeaders names and values in turn, as they arrived
 * @param plain the name as `plainName` gives it
 */
export function findField(rawHeaders: readonly string[], plain: string): Found {
  let found: string | null = null;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (!isSeenAs(rawHeaders[index]!, plain)) continue;
    if (found !== null) return REPEATED;
    found = rawHeaders[index + 1]!;
  }
  return found;
}

/** The value of a cookie, without the quotes that may be around it (RFC 6265 §4.1.1). Names differ by case. */
export function findCookie(rawHeaders: readonly string[], name: string): Found {
  let found: string | null = null;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const field = rawHeaders[index]!;
    if (field.length !== 6 || field.toLowerCase() !== 'cookie') continue;
    for (const pair of rawHeaders[index + 1]!.split(';')) {
      const equals = pair.indexOf('=');
      if (equals < 0 || pair.slice(0, equals).trim() !== name) continue;
      if (found !== null) return REPEATED;
      found = withoutQuotes(pair.slice(equals + 1).trim());
    }
  }
  return found;
}

function withoutQuotes(value: string): string {
  const isQuoted = value.length >= 2 && value.startsWith('"') && value.endsWith('"');
  return isQuoted ? value.slice(1, -1) : value;
}

/** The value of a query parameter; both are decoded, so that no spelling of a name hides one. */
export function findParameter(query: string, name: string): Found {
  if (query === '') return null;
  const pairs = parseQueryPairs(query);
  let found: string | null = null;
  for (let index = 0; index < pairs.length; index += 2) {
    if (pairs[index] !== name) continue;
    if (found !== null) return REPEATED;
    found = pairs[index + 1]!;
  }
  return found;
}
