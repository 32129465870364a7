/** Route templates of ASP.NET Core, as YARP uses them for paths, and the patterns that its transforms render. */
import { quoteText } from '../config/quote-text.ts';
import { parsePathPattern, parsePathTemplate } from '../routing/path-template.ts';

/** The parameters of a path: by their name there, in lower case, what they are here. */
export type ParameterNames = ReadonlyMap<string, { readonly name: string; readonly isRest: boolean }>;

export interface ImportedPath {
  readonly path: string;
  readonly parameters: ParameterNames;
  /** What is different now. */
  readonly remarks: readonly string[];
}

type Result<T> =
  | { readonly value: T; readonly problem: null }
  | { readonly value: null; readonly problem: string };

/** As long as a path may be here; it also bounds what reading one costs. */
const MAX_LENGTH = 2_048;
const TOO_LONG = `it is longer than ${MAX_LENGTH} characters`;

type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'mixed'; readonly text: string }
  | {
      readonly kind: 'parameter';
      readonly isRest: boolean;
      readonly name: string;
      readonly text: string;
      readonly isConstrained: boolean;
      readonly isOptional: boolean;
    };

/** Takes the path of a match. Returns our template for it, or why there is none. */
export function importPath(text: string): Result<ImportedPath> {
  if (text.length > MAX_LENGTH) return fail(TOO_LONG);
  const parameters = new Map<string, { name: string; isRest: boolean }>();
  const remarks: string[] = [];
  const parts: string[] = [];
  for (const segment of splitTemplate(text)) {
    if (segment.kind === 'mixed') return fail(describeMixed(segment.text));
    if (segment.kind === 'literal') {
      parts.push(encodeSegment(segment.text));
      continue;
    }
    const name = nameParameter(segment.name, parameters);
    parameters.set(segment.name.toLowerCase(), { name, isRest: segment.isRest });
    remarks.push(...describeLoss(segment));
    parts.push(segment.isRest ? `{**${name}}` : `{${name}}`);
  }
  const path = `/${parts.join('/')}`;
  const { problem } = parsePathTemplate(path);
  return problem === null ? { value: { path, parameters, remarks }, problem } : fail(problem);
}

/** Takes the pattern of a transform on a path with these parameters. Returns ours, or why there is none. */
export function importPattern(text: string, parameters: ParameterNames): Result<string> {
  if (text.length > MAX_LENGTH) return fail(TOO_LONG);
  const parts: string[] = [];
  for (const segment of splitTemplate(text)) {
    if (segment.kind === 'mixed') return fail(describeMixed(segment.text));
    if (segment.kind === 'literal') {
      parts.push(encodeSegment(segment.text));
      continue;
    }
    const parameter = parameters.get(segment.name.toLowerCase());
    if (parameter === undefined) return fail(`the path has no parameter ${quoteText(segment.name)}`);
    parts.push(parameter.isRest ? `{**${parameter.name}}` : `{${parameter.name}}`);
  }
  const pattern = `/${parts.join('/')}`;
  const { problem } = parsePathPattern(pattern);
  return problem === null ? { value: pattern, problem } : fail(problem);
}

/** Takes a path without parameters, as prefixes are. Returns it as it arrives in a request, or why it cannot. */
export function importLiteralPath(text: string): Result<string> {
  if (text.length > MAX_LENGTH) return fail(TOO_LONG);
  // Unlike a template, such a path may be escaped already.
  const escaped = encodeSegment(text).replace(/%25(?=[0-9A-Fa-f]{2})/g, '%');
  const path = escaped.startsWith('/') ? escaped : `/${escaped}`;
  const { problem } = parsePathPattern(path);
  return problem === null ? { value: path, problem } : fail(problem);
}

function fail(problem: string): { readonly value: null; readonly problem: string } {
  return { value: null, problem };
}

function describeMixed(text: string): string {
  return `the segment ${quoteText(text)} is a parameter beside other text; here a parameter is a whole segment`;
}

function describeLoss({ text, isConstrained, isOptional }: Segment & { kind: 'parameter' }): string[] {
  const remarks: string[] = [];
  if (isConstrained) remarks.push(`the constraint of ${quoteText(text)} is gone: any value matches`);
  if (isOptional) {
    remarks.push(`${quoteText(text)} must be there now: add a route for paths without it, if they are used`);
  }
  return remarks;
}

/** Our names are of letters, digits and `_`. */
function nameParameter(text: string, taken: ReadonlyMap<string, { readonly name: string }>): string {
  const base = text.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d)/, '_');
  const names = new Set([...taken.values()].map(({ name }) => name));
  let name = base;
  for (let number = 2; names.has(name); number += 1) name = `${base}_${number}`;
  return name;
}

/** Percent-encodes what is not sent as it is; text that cannot be encoded is refused by who parses it. */
function encodeSegment(text: string): string {
  return text.isWellFormed() ? encodeURI(text).replace(/[?#]/g, encodeURIComponent) : text;
}

function splitTemplate(text: string): Segment[] {
  return splitAtSlashes(text.replace(/^~?\//, '')).map(readSegment);
}

/** Splits at the slashes outside of braces: those inside belong to a constraint, such as a regular expression. */
function splitAtSlashes(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index);
    if ((character === '{' || character === '}') && text.charAt(index + 1) === character) {
      // Doubled, a brace stands for itself.
      index += 1;
    } else if (character === '{') {
      depth += 1;
    } else if (character === '}') {
      depth -= 1;
    } else if (character === '/' && depth <= 0) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

/** Stars, the name, and what follows it: a constraint, a default, a question mark. */
const PARAMETER = /^\{(\*{0,2})([^{}:=?*/]+)([:=?].*)?\}$/s;
/** The parentheses of a constraint may hold the character as well. */
const DEFAULT_VALUE = /=[^()]*$/;

function readSegment(text: string): Segment {
  if (!/[{}]/.test(text.replaceAll('{{', '').replaceAll('}}', ''))) {
    return { kind: 'literal', text: text.replaceAll('{{', '{').replaceAll('}}', '}') };
  }
  const match = isOneParameter(text) ? PARAMETER.exec(text) : null;
  if (match === null) return { kind: 'mixed', text };
  const [, stars = '', name = '', suffix = ''] = match;
  return {
    kind: 'parameter',
    isRest: stars !== '',
    name,
    text,
    isConstrained: suffix.startsWith(':'),
    isOptional: stars === '' && (suffix.endsWith('?') || DEFAULT_VALUE.test(suffix)),
  };
}

/** Tells `{a}` and `{a:regex(x{{2}})}` from `{a}-{b}`. */
function isOneParameter(text: string): boolean {
  const single = text.slice(1, -1).replaceAll('{{', '').replaceAll('}}', '');
  return text.startsWith('{') && text.endsWith('}') && !/[{}]/.test(single);
}
