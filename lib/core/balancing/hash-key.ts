import type { HashKey } from '../config/model.ts';
import { hashString } from './hash.ts';

const EQUALS = 0x3d;
const QUESTION_MARK = 0x3f;
const SPACE = 0x20;
const TAB = 0x09;

/**
 * Returns the 32-bit hash by which a request finds its destination: of the header (all its occurrences
 * joined), the cookie, the query parameter (percent-decoded) or the client's address. A request whose
 * key is missing or empty goes by the client's address, so that such requests still spread.
 *
 * @param rawHeaders names and values in turn, as they arrived
 * @param query what follows the question mark of the target; a leading question mark is skipped
 */
export function hashKeyOf(
  hash: HashKey,
  rawHeaders: readonly string[],
  query: string,
  clientIp: string,
): number {
  const key = hashTextOf(hash, rawHeaders, query);
  return hashString(key === '' ? clientIp : key);
}

/** The text of the header, cookie or query parameter that is hashed; empty where the client's address is. */
export function hashTextOf(hash: HashKey, rawHeaders: readonly string[], query: string): string {
  return hash.name === undefined ? '' : readKey(hash.source, hash.name, rawHeaders, query);
}

function readKey(
  source: HashKey['source'],
  name: string,
  rawHeaders: readonly string[],
  query: string,
): string {
  switch (source) {
    case 'header':
      return readHeader(rawHeaders, name);
    case 'cookie':
      return readCookie(rawHeaders, name);
    case 'query':
      return readQueryParameter(query, name);
    case 'clientIp':
      return '';
  }
}

/** Joins the values of all occurrences as RFC 9110 §5.3 does; empty when there are none. */
function readHeader(rawHeaders: readonly string[], name: string): string {
  let joined = '';
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (!isSameFieldName(rawHeaders[index]!, name)) continue;
    const value = rawHeaders[index + 1]!;
    joined = joined === '' ? value : `${joined}, ${value}`;
  }
  return joined;
}

/** Finds the first cookie of that name in all Cookie fields (RFC 6265 §4.2.1). */
function readCookie(rawHeaders: readonly string[], name: string): string {
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (!isSameFieldName(rawHeaders[index]!, 'cookie')) continue;
    const value = findCookie(rawHeaders[index + 1]!, name);
    if (value !== '') return value;
  }
  return '';
}

function findCookie(field: string, name: string): string {
  let start = 0;
  while (start < field.length) {
    const end = indexOrLength(field, ';', start);
    const nameStart = skipSpace(field, start);
    const nameEnd = nameStart + name.length;
    if (nameEnd < end && field.charCodeAt(nameEnd) === EQUALS && field.startsWith(name, nameStart)) {
      return field.slice(nameEnd + 1, end).trim();
    }
    start = end + 1;
  }
  return '';
}

function readQueryParameter(query: string, name: string): string {
  let start = query.charCodeAt(0) === QUESTION_MARK ? 1 : 0;
  while (start < query.length) {
    const end = indexOrLength(query, '&', start);
    const parameter = query.slice(start, end);
    const nameEnd = indexOrLength(parameter, '=', 0);
    if (decodePercent(parameter.slice(0, nameEnd)) === name) {
      return decodePercent(parameter.slice(nameEnd + 1));
    }
    start = end + 1;
  }
  return '';
}

/** Leaves text alone that is not validly encoded: as a key it is as good as any other. */
function decodePercent(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function indexOrLength(text: string, searched: string, from: number): number {
  const index = text.indexOf(searched, from);
  return index < 0 ? text.length : index;
}

function skipSpace(text: string, from: number): number {
  let index = from;
  while (text.charCodeAt(index) === SPACE || text.charCodeAt(index) === TAB) index += 1;
  return index;
}

/** Field names are ASCII and compared without regard to case (RFC 9110 §5.1). */
function isSameFieldName(left: string, right: string): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) {
    if (lowerCaseCode(left.charCodeAt(index)) !== lowerCaseCode(right.charCodeAt(index))) return false;
  }
  return true;
}

function lowerCaseCode(code: number): number {
  return code >= 0x41 && code <= 0x5a ? code + 0x20 : code;
}
