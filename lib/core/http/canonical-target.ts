/** The request target in its one canonical form (RFC 9112 §3.2): the string to match and to forward. */
import {
  findCanonicalPathEnd,
  findCharacterProblem,
  findDisguisedDotSegment,
  findRawCharacterProblem,
  normaliseEscapes,
  type PathProblem,
  resolveDotSegments,
} from './canonical-path.ts';
import { canonicalHost } from './host.ts';

/** Longer targets are refused as 'too long', which is answered 414; all other problems are a 400. */
export const MAX_TARGET_CHARACTERS = 8_192;

export type TargetProblem =
  | PathProblem
  | 'too long'
  | 'unsupported form'
  | 'empty authority'
  | 'user information'
  | 'malformed authority';

/** What a request target says. With a `problem` nothing else of it is to be used. */
export class Target {
  /** Canonical, begins with a slash; empty where there is a problem. */
  readonly path: string;
  /** As the client sent it, without the question mark; empty where there is none. */
  readonly query: string;
  /** True also for a lone question mark, which is forwarded as it came. */
  readonly hasQuery: boolean;
  /** Host and port of an absolute-form target, as sent: it replaces Host (RFC 9112 §3.2.2). */
  readonly authority: string | null;
  /** The path holds `%2F`; only a route that allows it may take the request. */
  readonly hasEncodedSlash: boolean;
  readonly problem: TargetProblem | null;

  constructor(
    path: string,
    query: string,
    hasQuery: boolean,
    authority: string | null,
    hasEncodedSlash: boolean,
    problem: TargetProblem | null,
  ) {
    this.path = path;
    this.query = query;
    this.hasQuery = hasQuery;
    this.authority = authority;
    this.hasEncodedSlash = hasEncodedSlash;
    this.problem = problem;
  }
}

/**
 * Reads the target of a request line. Takes origin-form and absolute-form with http or https; never
 * throws: what must not be forwarded comes back with its `problem`. A target that begins with two
 * slashes is a path, not an authority.
 */
export function parseTarget(target: string, maxCharacters = MAX_TARGET_CHARACTERS): Target {
  if (target.length > maxCharacters) return refuse('too long');
  return target.startsWith('/') ? parsePathAndQuery(target, null) : parseAbsoluteForm(target);
}

function refuse(problem: TargetProblem): Target {
  return new Target('', '', false, null, false, problem);
}

const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)/i;

function parseAbsoluteForm(target: string): Target {
  const match = ABSOLUTE_FORM.exec(target);
  if (match === null) return refuse('unsupported form');
  const authority = match[1] ?? '';
  if (authority === '') return refuse('empty authority');
  if (authority.includes('@')) return refuse('user information');
  if (canonicalHost(authority) === null) return refuse('malformed authority');
  const rest = target.slice(match[0].length);
  return parsePathAndQuery(rest.startsWith('/') ? rest : `/${rest}`, authority);
}

function parsePathAndQuery(target: string, authority: string | null): Target {
  const canonicalEnd = findCanonicalPathEnd(target);
  const pathEnd = canonicalEnd === -1 ? findPathEnd(target) : canonicalEnd;
  const queryProblem = findQueryProblem(target, pathEnd + 1);
  if (queryProblem !== null) return refuse(queryProblem);
  const hasQuery = pathEnd < target.length;
  const path = hasQuery ? target.slice(0, pathEnd) : target;
  const query = hasQuery ? target.slice(pathEnd + 1) : '';
  if (canonicalEnd !== -1) return new Target(path, query, hasQuery, authority, false, null);
  return canonicalise(path, query, hasQuery, authority);
}

function findPathEnd(target: string): number {
  const questionMark = target.indexOf('?');
  return questionMark === -1 ? target.length : questionMark;
}

/** A query is opaque to us: only what cannot stand in a request line at all is refused. */
function findQueryProblem(target: string, start: number): PathProblem | null {
  for (let index = start; index < target.length; index++) {
    const problem = findRawCharacterProblem(target.charCodeAt(index));
    if (problem !== null) return problem;
  }
  return null;
}

/** The slow way, for a path that is not canonical yet or must be refused. */
function canonicalise(path: string, query: string, hasQuery: boolean, authority: string | null): Target {
  const characterProblem = findCharacterProblem(path);
  if (characterProblem !== null) return refuse(characterProblem);
  const normalised = normaliseEscapes(path);
  const disguise = findDisguisedDotSegment(normalised);
  if (disguise !== null) return refuse(disguise);
  const resolved = resolveDotSegments(normalised);
  if (resolved === null) return refuse('escapes the root');
  return new Target(resolved, query, hasQuery, authority, resolved.includes('%2F'), null);
}
