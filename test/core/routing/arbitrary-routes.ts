/** Routes, changes of them and requests for property tests, and a cache with a plain map beside it. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { RouteMatch, RoutePredicate } from '../../../lib/core/config/model.ts';
import { type RequestFacts, RouteCache } from '../../../lib/core/routing/route-cache.ts';
import type { NaiveRoute } from './naive-match.ts';

// Small alphabets on purpose: routes then collide, shadow each other and share nodes all the time.
const ids = fc.constantFrom('r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8', 'R1', 'r10');
const hostPatterns = fc.constantFrom('a.test', 'b.a.test', 'A.TEST', '*.a.test', '*.test', '*.b.a.test');
/** Names of two lengths: what follows a parameter then stands in another column. */
const templateHead = fc.array(fc.constantFrom('a', 'b', 'c', '{p}', '{longer}'), { maxLength: 4 });
const templateEnd = fc.constantFrom('', '', '/', '/{**rest}');
const predicates = fc.oneof(
  fc.record<RoutePredicate>({
    name: fc.constantFrom('x', 'Y'),
    mode: fc.constantFrom('exact', 'prefix', 'contains'),
    values: fc.array(fc.constantFrom('1', '2', '12', ''), { minLength: 1, maxLength: 2 }),
  }),
  fc.record<RoutePredicate>({
    name: fc.constantFrom('x', 'Y'),
    mode: fc.constantFrom('exists', 'notExists'),
  }),
);

const paths = fc.tuple(templateHead, templateEnd).map(([head, end]) => {
  const named = head.map((segment, index) => segment.replace('}', `${index}}`));
  return (named.length === 0 ? '' : `/${named.join('/')}`) + end || '/';
});

const predicateList = fc.array(predicates, { minLength: 1, maxLength: 2 });
const matches: fc.Arbitrary<RouteMatch> = fc.record(
  {
    hosts: fc.array(hostPatterns, { minLength: 1, maxLength: 3 }),
    path: paths,
    methods: fc.constantFrom(['GET'], ['GET', 'POST']),
    headers: predicateList,
    query: predicateList,
  },
  { requiredKeys: [] },
);
// Routes with a host and a path alone are the ones that meet most often.
const plainMatches: fc.Arbitrary<RouteMatch> = fc.record({
  hosts: fc.array(hostPatterns, { minLength: 1 }),
  path: paths,
});

export const routes: fc.Arbitrary<NaiveRoute> = fc.record({
  id: ids,
  match: fc.oneof(
    matches,
    plainMatches,
    paths.map((path) => ({ path })),
  ),
  order: fc.oneof(fc.constant(0), fc.integer({ min: -1, max: 2 })),
});

/** A route is put, a bare id is deleted. */
export const histories = fc.array(fc.oneof({ weight: 3, arbitrary: routes }, { weight: 1, arbitrary: ids }), {
  maxLength: 40,
});

const values = fc.constantFrom('1', '2', '12', '3', '');
export const requests: fc.Arbitrary<RequestFacts> = fc.record({
  host: fc.constantFrom('a.test', 'b.a.test', 'c.b.a.test', 'x.test', 'test', 'other'),
  path: fc
    .tuple(fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 5 }), fc.boolean())
    .map(([segments, slash]) => (segments.length === 0 ? '/' : `/${segments.join('/')}${slash ? '/' : ''}`)),
  query: fc
    .array(fc.tuple(fc.constantFrom('x', 'Y', 'y'), values), { maxLength: 2 })
    .map((pairs) => pairs.map(([name, value]) => `${name}=${value}`).join('&')),
  method: fc.constantFrom('GET', 'POST', 'HEAD'),
  rawHeaders: fc
    .array(fc.tuple(fc.constantFrom('x', 'X', 'y', 'Z'), values), { maxLength: 2 })
    .map((pairs) => pairs.flat()),
});
export const requestLists = fc.array(requests, { minLength: 10, maxLength: 20 });

/** Plays a history on a cache and on a plain map. */
export function play(history: readonly (NaiveRoute | string)[]): {
  cache: RouteCache<string>;
  left: Map<string, NaiveRoute>;
} {
  const cache = new RouteCache<string>();
  const left = new Map<string, NaiveRoute>();
  for (const step of history) {
    if (typeof step === 'string') {
      assert.equal(cache.delete(step), left.delete(step));
    } else {
      cache.put(step.id, step.match, step.order, step.id);
      left.set(step.id, step);
    }
  }
  return { cache, left };
}
