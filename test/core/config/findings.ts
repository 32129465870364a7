/** Validation results in a form that is short to compare. */
import type { Cluster, Route } from '../../../lib/core/config/model.ts';
import type { Problem } from '../../../lib/core/config/problem.ts';
import { validateDocument } from '../../../lib/core/config/validate.ts';

const CLUSTER: Cluster = { destinations: { one: { url: 'http://127.0.0.1:8080' } } };

/** A document with one cluster `c` and the routes given, which need not be well-formed. */
export function documentWith(routes: Record<string, unknown>): Record<string, unknown> {
  return { clusters: { c: CLUSTER }, routes };
}

/** What validation says about one route `r`, with pointers below it. */
export function checkOneRoute(route: Partial<Route> | Record<string, unknown>) {
  return checkBelow(documentWith({ r: { match: {}, cluster: 'c', ...route } }), '/routes/r');
}

/** What validation says about one cluster `c`, with pointers below it. */
export function checkOneCluster(cluster: Partial<Cluster> | Record<string, unknown>) {
  return checkBelow({ clusters: { c: { ...CLUSTER, ...cluster } } }, '/clusters/c');
}

function checkBelow(document: unknown, prefix: string) {
  const { problems, warnings, configuration } = validateDocument(document);
  const cut = (problem: Problem) => ({ ...problem, pointer: problem.pointer.replace(prefix, '') });
  return { isValid: configuration !== null, problems: problems.map(cut), warnings: warnings.map(cut) };
}

export function pointersOf(problems: readonly Problem[]): string[] {
  return problems.map(({ pointer }) => pointer);
}
