/** The rules for the rewrite of a route that a schema cannot express. */
import { type PathTemplate, parsePathPattern, type TemplateSegment } from '../routing/path-template.ts';
import { templateOf } from './match-rules.ts';
import type { Rewrite, Route } from './model.ts';
import type { ProblemList } from './problem-list.ts';

const LITERAL_KEYS = ['removePrefix', 'addPrefix', 'set'] as const;
const WHOLE_PATH_KEYS = ['set', 'pattern'] as const;

/** Checks the rewrite of a route that fits the schema. `pointer` is where the rewrite is in the document. */
export function checkRewrite(pointer: string, rewrite: Rewrite, route: Route, problems: ProblemList): void {
  checkCombination(pointer, rewrite, problems);
  for (const key of LITERAL_KEYS) {
    const text = rewrite[key];
    if (text !== undefined) {
      checkLiteral(`${pointer}/${key}`, text, problems);
    }
  }
  if (rewrite.pattern !== undefined) {
    checkPattern(`${pointer}/pattern`, rewrite.pattern, route, problems);
  }
}

function checkCombination(pointer: string, rewrite: Rewrite, problems: ProblemList): void {
  const keys = Object.keys(rewrite);
  const wholePathKey = WHOLE_PATH_KEYS.find((key) => rewrite[key] !== undefined);
  if (wholePathKey !== undefined && keys.length > 1) {
    const others = keys.filter((key) => key !== wholePathKey).join(', ');
    problems.add(pointer, `"${wholePathKey}" gives the whole path, so ${others} cannot stand beside it`);
  }
}

function checkLiteral(pointer: string, text: string, problems: ProblemList): void {
  const { pattern, problem } = parsePathPattern(text);
  if (pattern === null) {
    problems.add(pointer, problem ?? 'is no path');
  } else if (pattern.segments.some((segment) => segment.kind !== 'literal')) {
    problems.add(pointer, 'takes no parameters', 'use pattern for a path with {name}');
  }
}

function checkPattern(pointer: string, text: string, route: Route, problems: ProblemList): void {
  const { pattern, problem } = parsePathPattern(text);
  if (pattern === null) {
    problems.add(pointer, problem ?? 'is no path');
    return;
  }
  const template = templateOf(route.match);
  if (template === null && route.match.path !== undefined) {
    // The path does not parse, which is reported at the path: what it gives is not known.
    return;
  }
  const kinds = listParameterKinds(template);
  for (const segment of pattern.segments) {
    checkPatternSegment(pointer, segment, kinds, problems);
  }
}

type ParameterKinds = ReadonlyMap<string, TemplateSegment['kind']>;

function listParameterKinds(template: PathTemplate | null): ParameterKinds {
  const kinds = new Map<string, TemplateSegment['kind']>();
  for (const segment of template?.segments ?? []) {
    if (segment.kind !== 'literal') {
      kinds.set(segment.name, segment.kind);
    }
  }
  return kinds;
}

function checkPatternSegment(
  pointer: string,
  segment: TemplateSegment,
  kinds: ParameterKinds,
  problems: ProblemList,
): void {
  if (segment.kind === 'literal') {
    return;
  }
  const { name } = segment;
  const kind = kinds.get(name);
  if (kind === undefined) {
    const known = [...kinds.keys()].join(', ');
    const hint = known === '' ? 'match.path has no parameters' : `match.path has ${known}`;
    problems.add(pointer, `uses the parameter "${name}", which match.path does not have`, hint);
  } else if (segment.kind === 'rest' && kind === 'parameter') {
    problems.add(pointer, `{**${name}} is one segment in match.path, not a rest`, `write {${name}}`);
  }
}
