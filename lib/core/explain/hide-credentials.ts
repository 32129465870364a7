/**
 * What is explained is shown to people, and ends up in tickets and chats. So an answer does not repeat the
 * credentials that it was asked with.
 */
import type { RouteAuth } from '../config/model.ts';
import { plainName } from '../http/plain-name.ts';
import { CredentialFinder } from '../policy/presented-credential.ts';
import { parseQueryPairs } from '../routing/query-pairs.ts';
import type { Explanation } from './explanation.ts';

/** Stands in place of a credential. */
const HIDDEN = '<hidden>';

/**
 * The explanation without the values of Authorization and of cookies, and without those of the header and of the
 * query parameters in which the route takes credentials. That they are sent, and by which names, stays.
 */
export function hideCredentials(explanation: Explanation): Explanation {
  const { request, upstream, policies } = explanation;
  const auth = policies.find(({ policy }) => policy === 'auth')?.settings as RouteAuth | undefined;
  const { headers, parameters } = new CredentialFinder(auth ?? {});
  const hidden = new Set(['authorization', ...headers].map(plainName));
  return {
    ...explanation,
    ...(request && { request: { ...request, query: hideParameters(request.query, parameters) } }),
    ...(upstream && {
      upstream: {
        ...upstream,
        target: hideInTarget(upstream.target, parameters),
        headers: upstream.headers.map(([name, value]) => [name, hideField(plainName(name), value, hidden)]),
      },
    }),
  };
}

function hideField(name: string, value: string, hidden: ReadonlySet<string>): string {
  if (name === 'cookie') return value.split(';').map(hideValue).join('; ');
  return hidden.has(name) ? HIDDEN : value;
}

function hideInTarget(target: string, parameters: readonly string[]): string {
  const start = target.indexOf('?') + 1;
  return start === 0 ? target : target.slice(0, start) + hideParameters(target.slice(start), parameters);
}

function hideParameters(query: string, names: readonly string[]): string {
  if (names.length === 0) return query;
  return query
    .split('&')
    .map((pair) => (names.includes(parseQueryPairs(pair)[0] ?? '') ? hideValue(pair) : pair))
    .join('&');
}

/** Keeps the name of a pair. What is no pair may be a value. */
function hideValue(pair: string): string {
  const equals = pair.indexOf('=');
  return equals < 0 ? HIDDEN : `${pair.slice(0, equals).trim()}=${HIDDEN}`;
}
