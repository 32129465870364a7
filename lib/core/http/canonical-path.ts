/**
 * One spelling for every path, so that what is matched is what is forwarded: unreserved characters
 * are never escaped, escapes are upper-case, there are no dot segments and no empty ones
 * (RFC 3986 §6.2.2). Spellings that servers are known to read in different ways are refused.
 */

export type PathProblem =
  | 'backslash'
  | 'fragment'
  | 'space'
  | 'control character'
  | 'non-ASCII character'
  | 'malformed escape'
  | 'escaped control character'
  | 'parameter on a dot segment'
  | 'encoded slash beside a dot segment'
  | 'escapes the root';

const SLASH = 0x2f;
const DOT = 0x2e;
const PERCENT = 0x25;
const QUESTION_MARK = 0x3f;
const NUMBER_SIGN = 0x23;
const SEMICOLON = 0x3b;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const DELETE = 0x7f;

/** Characters that mean nothing special in a path: every visible one but `# % / ? \`. */
const PLAIN = markCharacters(
  (code) => code > SPACE && code < DELETE && !'#%/?\\'.includes(String.fromCharCode(code)),
);
/** RFC 3986 §2.3: their escapes and they themselves are the same. */
const UNRESERVED = markCharacters((code) => /[A-Za-z0-9._~-]/.test(String.fromCharCode(code)));

function markCharacters(belongs: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 128 }, (_, code) => (belongs(code) ? 1 : 0));
}

/**
 * Looks at the path that `target` begins with, in one pass that builds nothing. Returns where it ends
 * (the index of the `?`, or the length) if it is canonical, and -1 if it is not or needs a closer look.
 */
export function findCanonicalPathEnd(target: string): number {
  const length = target.length;
  for (let index = 0; index < length; index++) {
    const code = target.charCodeAt(index);
    if (code < 128 && PLAIN[code] === 1) continue;
    if (code === SLASH) {
      if (!startsPlainSegment(target, index + 1)) return -1;
    } else if (code === QUESTION_MARK) {
      return index;
    } else if (code === PERCENT && isCanonicalEscape(target, index)) {
      index += 2;
    } else {
      return -1;
    }
  }
  return length;
}

/** False for an empty segment and for one that may be a dot segment; `.well-known` is a plain one. */
function startsPlainSegment(target: string, start: number): boolean {
  const first = target.charCodeAt(start);
  if (first === SLASH) return false;
  if (first !== DOT) return true;
  const second = target.charCodeAt(start + 1);
  return second < 128 && PLAIN[second] === 1 && second !== DOT && second !== SEMICOLON;
}

/** True for an upper-case escape of a character that has to stay escaped; `%2F` wants a closer look. */
function isCanonicalEscape(text: string, percentIndex: number): boolean {
  const value = readEscape(text, percentIndex);
  if (value <= 0x1f || value === DELETE || value === SLASH || value === BACKSLASH) return false;
  if (value < 128 && UNRESERVED[value] === 1) return false;
  return !isLowerCase(text.charCodeAt(percentIndex + 1)) && !isLowerCase(text.charCodeAt(percentIndex + 2));
}

function isLowerCase(code: number): boolean {
  return code >= 0x61 && code <= 0x7a;
}

/** The value of the escape at `percentIndex`, -1 where it is malformed. */
function readEscape(text: string, percentIndex: number): number {
  const high = hexValue(text.charCodeAt(percentIndex + 1));
  const low = hexValue(text.charCodeAt(percentIndex + 2));
  return high === -1 || low === -1 ? -1 : high * 16 + low;
}

function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x41 && code <= 0x46) return code - 0x41 + 10;
  if (code >= 0x61 && code <= 0x66) return code - 0x61 + 10;
  return -1;
}

/** What is wrong with a character that stands unescaped in a request target, null where nothing is. */
export function findRawCharacterProblem(code: number): PathProblem | null {
  if (code > SPACE && code < DELETE) return code === NUMBER_SIGN ? 'fragment' : null;
  if (code === SPACE) return 'space';
  return code > DELETE ? 'non-ASCII character' : 'control character';
}

/** The first character or escape of a path (without query) that must not be there, or null. */
export function findCharacterProblem(path: string): PathProblem | null {
  for (let index = 0; index < path.length; index++) {
    const code = path.charCodeAt(index);
    const problem = code === PERCENT ? findEscapeProblem(path, index) : findRawCharacterProblem(code);
    if (problem !== null) return problem;
    if (code === BACKSLASH) return 'backslash';
    if (code === PERCENT) index += 2;
  }
  return null;
}

function findEscapeProblem(path: string, percentIndex: number): PathProblem | null {
  const value = readEscape(path, percentIndex);
  if (value === -1) return 'malformed escape';
  if (value <= 0x1f || value === DELETE) return 'escaped control character';
  return value === BACKSLASH ? 'backslash' : null;
}

/** Decodes the escapes of unreserved characters and upper-cases the others; they must be well-formed. */
export function normaliseEscapes(path: string): string {
  let normalised = '';
  let copiedUpTo = 0;
  for (let index = path.indexOf('%'); index !== -1; index = path.indexOf('%', index + 3)) {
    const value = readEscape(path, index);
    const isUnreserved = value < 128 && UNRESERVED[value] === 1;
    normalised += path.slice(copiedUpTo, index);
    normalised += isUnreserved ? String.fromCharCode(value) : path.slice(index, index + 3).toUpperCase();
    copiedUpTo = index + 3;
  }
  return normalised + path.slice(copiedUpTo);
}

const DOT_SEGMENT_WITH_PARAMETER = ['..;', '.;', '..%3B', '.%3B'] as const;

/**
 * Finds what a server behind us may read as a dot segment although it is none: one with a parameter
 * (`..;x`, which Java servers cut off before they resolve) and one that appears once `%2F` is decoded.
 * Takes a path with normalised escapes.
 */
export function findDisguisedDotSegment(path: string): PathProblem | null {
  for (const segment of path.split('/')) {
    const pieces = segment.split('%2F');
    for (const piece of pieces) {
      if (pieces.length > 1 && (piece === '.' || piece === '..')) return 'encoded slash beside a dot segment';
      if (DOT_SEGMENT_WITH_PARAMETER.some((start) => piece.startsWith(start)))
        return 'parameter on a dot segment';
    }
  }
  return null;
}

/**
 * Resolves dot segments (RFC 3986 §5.2.4) and merges repeated slashes; a trailing slash stays, and a
 * dot segment at the end leaves one. Slashes are merged first, as nginx and file systems do, so that
 * `/a//../b` is `/b`. Returns null where the path climbs above the root, which the RFC would forgive.
 */
export function resolveDotSegments(path: string): string | null {
  const segments = path.split('/');
  const kept: string[] = [];
  for (const segment of segments) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') kept.push(segment);
    else if (kept.pop() === undefined) return null;
  }
  if (kept.length === 0) return '/';
  const last = segments.at(-1);
  const endsWithSlash = last === '' || last === '.' || last === '..';
  return `/${kept.join('/')}${endsWithSlash ? '/' : ''}`;
}
