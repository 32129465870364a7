/** The rules for a route that a schema cannot express. */
import { checkConcurrency } from './concurrency-rules.ts';
import { checkHeaderTransform } from './header-rules.ts';
import { checkMatch } from './match-rules.ts';
import type { Route } from './model.ts';
import { checkPolicies } from './policy-rules.ts';
import type { Findings } from './problem-list.ts';
import { checkRewrite } from './rewrite-rules.ts';

/** Checks a route that fits the schema, but for the entries that it names. `pointer` is where it is in the document. */
export function checkRoute(pointer: string, route: Route, findings: Findings): void {
  checkMatch(`${pointer}/match`, route.match, findings);
  if (route.rewrite !== undefined) {
    checkRewrite(`${pointer}/rewrite`, route.rewrite, route, findings.problems);
  }
  if (route.requestHeaders !== undefined) {
    checkHeaderTransform(`${pointer}/requestHeaders`, 'request', route.requestHeaders, findings.problems);
  }
  if (route.responseHeaders !== undefined) {
    checkHeaderTransform(`${pointer}/responseHeaders`, 'response', route.responseHeaders, findings.problems);
  }
  if (route.limits !== undefined) {
    checkConcurrency(`${pointer}/limits`, route.limits, findings);
  }
  checkPolicies(pointer, route, findings);
}
