/** The rules for a route's `rateLimits` that a schema cannot express. */
import { CLAIM_PATTERN } from './auth-schema.ts';
import type { RateLimit, RouteAuth } from './model.ts';
import { TOKEN_PATTERN } from './patterns.ts';
import type { Findings, ProblemList } from './problem-list.ts';
import { quoteText } from './quote-text.ts';
import { matchesPattern } from './schema-node.ts';

type RateLimitKey = NonNullable<RateLimit['key']>;

/** Checks the rate limits of a route that has this `auth`. `pointer` is where they are in the document. */
export function checkRateLimits(
  pointer: string,
  limits: readonly RateLimit[],
  auth: RouteAuth | undefined,
  { problems }: Findings,
): void {
  const names = new Set<string>();
  for (const [index, { name, key }] of limits.entries()) {
    const place = `${pointer}/${index}`;
    const shownName = name ?? String(index + 1);
    if (names.has(shownName)) {
      const pointer = name === undefined ? place : `${place}/name`;
      problems.add(pointer, `${quoteText(shownName)} is the name of another limit`, 'choose another name');
    }
    names.add(shownName);
    if (key !== undefined) {
      checkKey(`${place}/key`, key, auth, problems);
    }
  }
}

function checkKey(
  pointer: string,
  { source, name }: RateLimitKey,
  auth: RouteAuth | undefined,
  problems: ProblemList,
): void {
  if (source === 'claim' || source === 'header') {
    checkKeyName(pointer, source, name, problems);
  } else if (name !== undefined) {
    problems.add(`${pointer}/name`, `has no effect with the source ${source}`, 'remove it');
  }
  if (source === 'consumer' && auth === undefined) {
    const message = 'needs to know who sends a request, and the route has no auth';
    problems.add(`${pointer}/source`, message, 'give the route auth, or use clientIp');
  }
  if (source === 'claim' && auth?.issuers === undefined) {
    const message = 'needs a JWT, and the route has no auth.issuers';
    problems.add(`${pointer}/source`, message, 'give the route auth.issuers, or use clientIp');
  }
}

function checkKeyName(
  pointer: string,
  source: 'claim' | 'header',
  name: string | undefined,
  problems: ProblemList,
): void {
  const pattern = source === 'claim' ? CLAIM_PATTERN : TOKEN_PATTERN;
  if (name === undefined) {
    problems.add(pointer, `"name" is missing: which ${source} has a budget of its own?`);
  } else if (!matchesPattern(pattern, name)) {
    problems.add(`${pointer}/name`, `${quoteText(name)} cannot be the name of a ${source}`);
  }
}
