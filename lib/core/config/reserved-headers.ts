/** The rules for headers that the gateway gives or takes by a name of the user's choice. */
import { KEEP, requestHeaderRule } from '../http/header-rules.ts';
import { plainName } from '../http/plain-name.ts';
import { childPointer } from './problem.ts';
import type { ProblemList } from './problem-list.ts';

/**
 * Fields that say something of the message or of the client's wishes. What is withheld from clients is withheld
 * on every route, so one of these would break all of them.
 */
const MESSAGE_FIELDS: ReadonlySet<string> = new Set([
  'authorization',
  'cache-control',
  'cookie',
  'cookie2',
  'date',
  'max-forwards',
  'origin',
  'pragma',
  'range',
  'referer',
  'traceparent',
  'tracestate',
  'user-agent',
  'via',
]);
const MESSAGE_FIELD_PREFIXES = ['accept', 'access-control-', 'content-', 'if-', 'proxy-', 'sec-'] as const;

/** Checks the names of the headers that origins get from the gateway, such as `claimHeaders`: the keys of a map. */
export function checkIdentityHeaders(
  pointer: string,
  headers: Readonly<Record<string, unknown>>,
  problems: ProblemList,
): void {
  const seen = new Map<string, string>();
  for (const name of Object.keys(headers)) {
    const place = childPointer(pointer, name);
    const key = plainName(name);
    checkHeaderChoice(place, name, problems);
    const earlier = seen.get(key);
    if (earlier !== undefined) {
      problems.add(place, `is the same header as ${earlier} to many origins`, 'keep one of them');
    }
    seen.set(key, name);
  }
}

/** Checks the name of one header that is of the user's choice. */
export function checkHeaderChoice(pointer: string, name: string, problems: ProblemList): void {
  const key = plainName(name);
  if (requestHeaderRule(key) !== KEEP) {
    problems.add(pointer, `the header ${key} belongs to the gateway`, 'choose another, such as x-user-id');
  } else if (MESSAGE_FIELDS.has(key) || MESSAGE_FIELD_PREFIXES.some((prefix) => key.startsWith(prefix))) {
    problems.add(
      pointer,
      `the header ${key} has a meaning of its own in HTTP`,
      'choose another, such as x-user-id',
    );
  }
}
