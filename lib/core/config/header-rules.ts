/** The rules for header transforms that a schema cannot express. */
import { canonicalHost } from '../http/host.ts';
import type { HeaderTransform } from './model.ts';
import { childPointer } from './problem.ts';
import type { ProblemList } from './problem-list.ts';

export type MessageSide = 'request' | 'response';
type Action = 'set' | 'append' | 'remove';

/**
 * Fields that frame a message or belong to one connection (RFC 9110 §7.6.1, RFC 9112 §6). The gateway
 * writes them itself; a route that could would open the way to request smuggling.
 */
const GATEWAY_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Checks a transform that fits the schema. `pointer` is where it is in the document. */
export function checkHeaderTransform(
  pointer: string,
  side: MessageSide,
  transform: HeaderTransform,
  problems: ProblemList,
): void {
  const actions = new Map<string, Action>();
  for (const [action, name, place] of listUses(transform)) {
    const fieldPointer = childPointer(`${pointer}/${action}`, place);
    const key = name.toLowerCase();
    checkField(fieldPointer, side, action, key, problems);
    const earlier = actions.get(key);
    if (earlier !== undefined && !(earlier === 'remove' && action === 'remove')) {
      problems.add(fieldPointer, `the header ${key} is under ${earlier} already`, 'keep one of them');
    }
    actions.set(key, action);
  }
  checkHostValue(`${pointer}/set`, transform, problems);
}

/** Every use of a field: what is done, its name, and its key or index under the action. */
function listUses(transform: HeaderTransform): (readonly [Action, string, string | number])[] {
  return [
    ...Object.keys(transform.set ?? {}).map((name) => ['set', name, name] as const),
    ...Object.keys(transform.append ?? {}).map((name) => ['append', name, name] as const),
    ...(transform.remove ?? []).map((name, index) => ['remove', name, index] as const),
  ];
}

function checkField(
  pointer: string,
  side: MessageSide,
  action: Action,
  key: string,
  problems: ProblemList,
): void {
  if (GATEWAY_FIELDS.has(key)) {
    problems.add(
      pointer,
      `the header ${key} belongs to the gateway: a route cannot ${action} it`,
      'remove it',
    );
  } else if (key === 'host' && !(side === 'request' && action === 'set')) {
    problems.add(
      pointer,
      `a route cannot ${action} the header host of a ${side}`,
      'use requestHeaders.set, or preserveHost',
    );
  } else if (key === 'expect' && action !== 'remove') {
    // Expect promises what only the gateway can keep: to hold the body back (RFC 9110 §10.1.1).
    problems.add(pointer, `a route cannot ${action} the header expect`, 'remove it');
  }
}

function checkHostValue(pointer: string, transform: HeaderTransform, problems: ProblemList): void {
  for (const [name, value] of Object.entries(transform.set ?? {})) {
    if (name.toLowerCase() === 'host' && canonicalHost(value) === null) {
      const hint = 'write it as in api.example.com or api.example.com:8080';
      problems.add(childPointer(pointer, name), 'the value is no host with an optional port', hint);
    }
  }
}
