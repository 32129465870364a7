/** The rules for the match of a route that a schema cannot express. */
import { parseHostPattern } from '../routing/host-pattern.ts';
import { type PathTemplate, parsePathTemplate } from '../routing/path-template.ts';
import { findPredicateProblem } from '../routing/predicates.ts';
import type { RouteMatch, RoutePredicate } from './model.ts';
import type { Findings, ProblemList } from './problem-list.ts';
import { quoteText } from './quote-text.ts';

/** The gateway answers 405 to these before it looks for a route (RFC 9110 §9.3.6, §9.3.8). */
const REFUSED_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'TRACE']);

/** Checks a match that fits the schema. `pointer` is where it is in the document. */
export function checkMatch(pointer: string, match: RouteMatch, findings: Findings): void {
  if (match.hosts !== undefined) {
    checkHosts(`${pointer}/hosts`, match.hosts, findings);
  }
  if (match.path !== undefined) {
    checkPath(`${pointer}/path`, match.path, findings.problems);
  }
  if (match.methods !== undefined) {
    checkMethods(`${pointer}/methods`, match.methods, findings);
  }
  checkPredicates(`${pointer}/headers`, match.headers ?? [], findings.problems);
  checkPredicates(`${pointer}/query`, match.query ?? [], findings.problems);
}

function checkHosts(pointer: string, hosts: readonly string[], { problems, warnings }: Findings): void {
  const seen = new Set<string>();
  for (const [index, host] of hosts.entries()) {
    const { pattern, problem } = parseHostPattern(host);
    if (pattern === null) {
      problems.add(`${pointer}/${index}`, problem ?? 'is no host');
      continue;
    }
    const key = `${pattern.kind} ${pattern.name}`;
    if (seen.has(key)) {
      warnings.add(`${pointer}/${index}`, `${quoteText(host)} is in the list already`, 'remove it');
    }
    seen.add(key);
  }
}

function checkPath(pointer: string, path: string, problems: ProblemList): void {
  const { template, problem } = parsePathTemplate(path);
  if (template === null) {
    problems.add(pointer, problem ?? 'is no path template');
  }
}

/** The template of a match; null where it has no path or one that does not parse. */
export function templateOf(match: RouteMatch): PathTemplate | null {
  return match.path === undefined ? null : parsePathTemplate(match.path).template;
}

function checkMethods(pointer: string, methods: readonly string[], { problems, warnings }: Findings): void {
  const seen = new Set<string>();
  for (const [index, method] of methods.entries()) {
    const upperCase = method.toUpperCase();
    if (REFUSED_METHODS.has(upperCase)) {
      problems.add(
        `${pointer}/${index}`,
        `${upperCase} is never routed: the gateway answers 405`,
        'remove it',
      );
    } else if (seen.has(method)) {
      warnings.add(`${pointer}/${index}`, `${quoteText(method)} is in the list already`, 'remove it');
    } else if (method !== upperCase) {
      const message = `${quoteText(method)} will hardly match: methods are case-sensitive`;
      warnings.add(`${pointer}/${index}`, message, `write ${upperCase}`);
    }
    seen.add(method);
  }
}

function checkPredicates(
  pointer: string,
  predicates: readonly RoutePredicate[],
  problems: ProblemList,
): void {
  for (const [index, predicate] of predicates.entries()) {
    const problem = findPredicateProblem(predicate);
    if (problem !== null) {
      problems.add(`${pointer}/${index}`, problem);
    }
  }
}
