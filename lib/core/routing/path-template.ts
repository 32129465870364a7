/** Path templates of routes (`/orders/{id}/{**rest}`), and the patterns that rewrites render from them. */
import { quoteText } from '../config/quote-text.ts';
import { findSegmentProblem } from './path-text.ts';

export type TemplateSegment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'parameter'; readonly name: string }
  | { readonly kind: 'rest'; readonly name: string };

/** What a path must look like, segment by segment; a trailing slash is a last literal segment of no text. */
export interface PathTemplate {
  readonly segments: readonly TemplateSegment[];
}

/** A path to render: like a template, but a rest may stand anywhere and a name may occur again. */
export interface PathPattern {
  readonly segments: readonly TemplateSegment[];
}

type ParsedPathTemplate =
  | { readonly template: PathTemplate; readonly problem: null }
  | { readonly template: null; readonly problem: string };

type ParsedPathPattern =
  | { readonly pattern: PathPattern; readonly problem: null }
  | { readonly pattern: null; readonly problem: string };

/** Bounds the depth of the search for a route, and with it what one request can cost. */
export const MAXIMUM_PATH_SEGMENTS = 256;

const NAME_PATTERN = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Parses the path of a route. Returns the template, or what is wrong with the text and how to write it. */
export function parsePathTemplate(text: string): ParsedPathTemplate {
  const { segments, problem } = parseSegments(text);
  if (segments === null) {
    return { template: null, problem };
  }
  const misplaced = findParameterProblem(segments);
  return misplaced === null
    ? { template: { segments }, problem: null }
    : { template: null, problem: misplaced };
}

/** Parses the pattern of a rewrite. Returns the pattern, or what is wrong with the text and how to write it. */
export function parsePathPattern(text: string): ParsedPathPattern {
  const { segments, problem } = parseSegments(text);
  return segments === null ? { pattern: null, problem } : { pattern: { segments }, problem: null };
}

type ParsedSegments =
  | { readonly segments: TemplateSegment[]; readonly problem: null }
  | { readonly segments: null; readonly problem: string };

function parseSegments(text: string): ParsedSegments {
  if (!text.startsWith('/')) {
    return { segments: null, problem: `a path starts with '/': write ${quoteText(`/${text}`)}` };
  }
  const parts = text.slice(1).split('/');
  if (parts.length > MAXIMUM_PATH_SEGMENTS) {
    return { segments: null, problem: `a path has at most ${MAXIMUM_PATH_SEGMENTS} segments` };
  }
  const segments: TemplateSegment[] = [];
  for (const [index, part] of parts.entries()) {
    if (part === '' && index < parts.length - 1) {
      return { segments: null, problem: `'//' never arrives: slashes are merged before matching; write one` };
    }
    const { segment, problem } = parseSegment(part);
    if (segment === null) {
      return { segments: null, problem };
    }
    segments.push(segment);
  }
  // Copied, as a list that grew has room for many more, and some are kept for each route.
  return { segments: segments.slice(), problem: null };
}

type ParsedSegment =
  | { readonly segment: TemplateSegment; readonly problem: null }
  | { readonly segment: null; readonly problem: string };

function parseSegment(part: string): ParsedSegment {
  if (!isOneBracedText(part)) {
    const problem = findSegmentProblem(part);
    return problem === null
      ? { segment: { kind: 'literal', text: part }, problem }
      : { segment: null, problem };
  }
  const isRest = part.startsWith('{**');
  const name = part.slice(isRest ? 3 : 1, -1);
  if (!NAME_PATTERN.test(name)) {
    const problem = `${quoteText(part)} is no parameter: write {name} or {**name}, the name of letters, digits and '_'`;
    return { segment: null, problem };
  }
  return { segment: { kind: isRest ? 'rest' : 'parameter', name }, problem: null };
}

/** Tells `{a}` from `a{b}` and from `{a}{b}`, which are parameters of a part of a segment. */
function isOneBracedText(part: string): boolean {
  return part.startsWith('{') && part.indexOf('}') === part.length - 1 && part.lastIndexOf('{') === 0;
}

function findParameterProblem(segments: readonly TemplateSegment[]): string | null {
  const names: string[] = [];
  for (const [index, segment] of segments.entries()) {
    if (segment.kind === 'literal') {
      continue;
    }
    if (segment.kind === 'rest' && index < segments.length - 1) {
      return `{**${segment.name}} takes the rest of the path: it can only be the last segment`;
    }
    if (names.includes(segment.name)) {
      return `the parameter '${segment.name}' occurs twice: give each its own name`;
    }
    names.push(segment.name);
  }
  return null;
}

/**
 * The values of the parameters of `template` in `path`, a canonical path that it matches. Values stay
 * percent-encoded, as they are in the path; a rest that takes nothing is the empty string.
 */
export function bindParameters(template: PathTemplate, path: string): Map<string, string> {
  const values = new Map<string, string>();
  let start = 1;
  for (const segment of template.segments) {
    if (segment.kind === 'rest') {
      values.set(segment.name, path.slice(start));
      break;
    }
    const slash = path.indexOf('/', start);
    const end = slash === -1 ? path.length : slash;
    if (segment.kind === 'parameter') {
      values.set(segment.name, path.slice(start, end));
    }
    start = end + 1;
  }
  return values;
}

/**
 * Renders `pattern` with the values of its parameters. A rest that takes nothing vanishes together with
 * the slash before it, and slashes never double.
 */
export function renderPathPattern(pattern: PathPattern, values: ReadonlyMap<string, string>): string {
  let path = '';
  for (const segment of pattern.segments) {
    const value = segment.kind === 'literal' ? segment.text : (values.get(segment.name) ?? '');
    if (segment.kind !== 'literal' && value === '') {
      continue;
    }
    path += path.endsWith('/') ? value : `/${value}`;
  }
  return path === '' ? '/' : path;
}
