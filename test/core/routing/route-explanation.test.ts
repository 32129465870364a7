/** Why a route is chosen: the same decision as a match makes, with a reason for every route that came close. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { RouteMatch, RoutePredicate } from '../../../lib/core/config/model.ts';
import { type RequestFacts, RouteCache } from '../../../lib/core/routing/route-cache.ts';
import { readCpuMs } from '../../helpers/event-loop-block.ts';
import { histories, play, requestLists } from './arbitrary-routes.ts';
import { matchNaively } from './naive-match.ts';

type Routes = Readonly<Record<string, RouteMatch & { order?: number }>>;

const REQUEST: RequestFacts = {
  host: 'api.example.com',
  path: '/orders/new',
  query: 'page=2&page=%33',
  method: 'POST',
  rawHeaders: ['X-Version', '1', 'x-agent', 'bot/2'],
};

function explain(routes: Routes, facts: Partial<RequestFacts> = {}, limit = 100) {
  const cache = new RouteCache<string>();
  for (const [id, { order, ...match }] of Object.entries(routes)) cache.put(id, match, order ?? 0, id);
  return cache.explain({ ...REQUEST, ...facts }, limit);
}

/** The reason of each candidate, by its id, in their order. */
const reasons = (routes: Routes, facts?: Partial<RequestFacts>) =>
  Object.fromEntries(explain(routes, facts).candidates.map(({ id, reason }) => [id, reason]));

t.test(
  'after any history the winner is that of match, and each candidate is judged as the rules say',
  async () => {
    fc.assert(
      fc.property(histories, requestLists, (history, requests) => {
        const { cache, left } = play(history);
        for (const facts of requests) {
          const { winner, candidates, cut } = cache.explain(facts, 100);
          assert.equal(winner?.value ?? null, cache.match(facts));
          assert.equal(candidates.find(({ won }) => won)?.id, winner?.id);
          assert.equal(cut, false);
          const withoutPredicates = { hosts: true, path: true };
          const expected = [...left.values()].filter(({ id, match, order }) => {
            const place = Object.fromEntries(
              Object.entries(match).filter(([key]) => key in withoutPredicates),
            );
            return matchNaively([{ id, match: place, order }], facts) !== null;
          });
          assert.deepEqual(candidates.map(({ id }) => id).sort(), expected.map(({ id }) => id).sort());
          for (const { id, matches } of candidates) {
            assert.equal(matches, matchNaively([left.get(id)!], facts) === id);
          }
        }
      }),
      { numRuns: 500 },
    );
  },
);

t.test('candidates stand in the order in which they win as those before them go', async () => {
  fc.assert(
    fc.property(histories, requestLists, (history, requests) => {
      const { cache, left } = play(history);
      const facts = requests[0]!;
      const matching = cache.explain(facts, 100).candidates.filter(({ matches }) => matches);
      const rest = new Map(left);
      for (const { id } of matching) {
        assert.equal(matchNaively([...rest.values()], facts), id);
        rest.delete(id);
      }
    }),
    { numRuns: 500 },
  );
});

t.test('a list that is cut begins as the whole one does, says so, and still names the winner', async () => {
  fc.assert(
    fc.property(histories, requestLists, fc.integer({ min: 1, max: 4 }), (history, requests, limit) => {
      const { cache } = play(history);
      for (const facts of requests) {
        const whole = cache.explain(facts, 100);
        const part = cache.explain(facts, limit);
        const ids = (list: typeof whole) => list.candidates.map(({ id }) => id);
        assert.deepEqual(ids(part).slice(0, limit), ids(whole).slice(0, limit));
        assert.equal(part.cut, whole.candidates.length > limit);
        assert.equal(part.winner?.id, whole.winner?.id);
        const winners = part.candidates.filter(({ won }) => won);
        assert.deepEqual(
          winners.map(({ id }) => id),
          whole.winner === null ? [] : [whole.winner.id],
        );
        assert.ok(part.candidates.length <= limit + 1);
      }
    }),
    { numRuns: 500 },
  );
});

t.test('explaining changes nothing of what the cache answers afterwards', async () => {
  fc.assert(
    fc.property(histories, requestLists, (history, requests) => {
      const { cache } = play(history);
      const { cache: other } = play(history);
      for (const facts of requests) {
        cache.explain(facts, 2);
        assert.equal(cache.match(facts), other.match(facts));
      }
      assert.deepEqual(cache.countParts(), other.countParts());
    }),
    { numRuns: 200 },
  );
});

t.test('who loses although it matches is told by which rule, and to whom', async (t) => {
  const winning: RouteMatch = { hosts: ['api.example.com'], path: '/orders/new', methods: ['POST'] };
  const losers: Record<string, readonly [RouteMatch & { order?: number }, string]> = {
    late: [{ ...winning, order: 10 }, 'order 10 is after order 0 of route a'],
    wildcard: [
      { hosts: ['*.example.com'] },
      'its host *.example.com is less specific than api.example.com of route a',
    ],
    any: [{}, 'any host is less specific than api.example.com of route a'],
    parameter: [
      { ...winning, path: '/orders/{id}' },
      'its path has the parameter {id} where route a has the literal new',
    ],
    rest: [
      { ...winning, path: '/{**all}' },
      'its path has the rest {**all} where route a has the literal orders',
    ],
    longer: [
      { ...winning, path: '/orders/new/{**rest}' },
      'its path has the rest {**rest} where route a has its end',
    ],
    fewer: [
      { hosts: ['api.example.com'], path: '/orders/new' },
      'it has fewer conditions than route a: 0 to 1',
    ],
    later: [winning, 'all else equal, its id sorts after that of route a'],
  };
  for (const [id, [match, reason]] of Object.entries(losers)) {
    t.same(
      reasons({ a: winning, [id]: match }),
      { a: 'the first of the routes that take this request', [id]: reason },
      id,
    );
  }
});

t.test('a route with several hosts is there once, under the most specific one that matches', async (t) => {
  const routes: Routes = {
    exact: { hosts: ['API.example.com.'] },
    several: { hosts: ['*.com', '*.example.com', 'other.test'] },
  };
  t.match(reasons(routes), { several: 'its host *.example.com is less specific than api.example.com' });
  t.equal(explain(routes).candidates.length, 2);
});

t.test('an end with a slash is told from one without', async (t) => {
  const routes: Routes = { slash: { path: '/orders/' }, rest: { path: '/orders/{**rest}' } };
  t.equal(
    reasons(routes, { path: '/orders/' }).rest,
    'its path has the rest {**rest} where route slash has a slash at its end',
  );
});

t.test('the only route that takes a request is called that, also among others that would not', async (t) => {
  t.same(reasons({ a: { path: '/orders/new' }, b: { methods: ['GET'] } }), {
    a: 'the only route that takes this request',
    b: 'method POST is not GET',
  });
});

t.test('a predicate that fails is named with what it found and what it wants', async (t) => {
  const cases: readonly (readonly [RouteMatch, string])[] = [
    [{ methods: ['GET', 'HEAD'] }, 'method POST is not one of GET, HEAD'],
    [{ headers: [{ name: 'X-Tenant', mode: 'exists' }] }, 'header x-tenant is absent'],
    [{ headers: [{ name: 'x-version', mode: 'notExists' }] }, 'header x-version is present'],
    [{ headers: [{ name: 'x-version', values: ['2'] }] }, 'header x-version is "1", which is not "2"'],
    [
      { headers: [{ name: 'x-version', values: ['2', '3'] }] },
      'header x-version is "1", which is not one of "2", "3"',
    ],
    [
      { headers: [{ name: 'x-agent', mode: 'prefix', values: ['Test/', 'web'] }] },
      'header x-agent is "bot/2", which does not start with "Test/" or "web"',
    ],
    [
      { headers: [{ name: 'x-agent', mode: 'contains', values: ['/3'] }] },
      'header x-agent is "bot/2", which does not contain "/3"',
    ],
    [{ query: [{ name: 'beta', mode: 'exists' }] }, 'query parameter beta is absent'],
    [{ query: [{ name: 'Page', mode: 'exists' }] }, 'query parameter Page is absent'],
    [{ query: [{ name: 'page', values: ['4'] }] }, 'query parameter page is "2" and "3", which is not "4"'],
    [
      {
        methods: ['POST'],
        headers: [
          { name: 'x-version', values: ['1'] },
          { name: 'x-second', mode: 'exists' },
        ],
        query: [{ name: 'beta', mode: 'exists' }],
      },
      'header x-second is absent',
    ],
  ];
  for (const [match, reason] of cases) {
    const { winner, candidates } = explain({ route: match });
    t.equal(winner, null);
    t.same(candidates, [{ id: 'route', order: 0, matches: false, won: false, reason }]);
  }
});

t.test('a reason stays short whatever the predicate and the request hold', async (t) => {
  const values = Array.from({ length: 100 }, (_, index) => `${index}${'x'.repeat(4_000)}`);
  const predicate: RoutePredicate = { name: 'x-long', values };
  const rawHeaders = Array.from({ length: 200 }, () => ['x-long', `${'y'.repeat(1_000)}\ud800`]).flat();
  const [candidate] = explain({ a: { headers: [predicate] } }, { rawHeaders }).candidates;
  t.match(candidate?.reason, /and 195 more, which is not one of .* 95 more$/);
  t.ok(candidate!.reason.length < 1_500, `${candidate!.reason.length} characters`);
});

t.test('a hundred thousand routes on one path are explained without listing them', async (t) => {
  const cache = new RouteCache<number>();
  for (let index = 0; index < 100_000; index += 1) {
    cache.put(`r${index}`, { path: '/orders/{id}', query: [{ name: 'q', values: [`${index}`] }] }, 0, index);
  }
  cache.put('last', { path: '/{**rest}' }, 1, -1);
  const facts = { ...REQUEST, query: 'q=99999' };
  const { winner, candidates, cut } = cache.explain(facts, 100);
  t.equal(winner?.value, 99_999);
  t.same([candidates.length, cut], [101, true]);
  t.match(candidates.at(-1), { id: 'r99999', won: true });
  const startMs = readCpuMs();
  const cheap = { ...REQUEST, query: 'q=0' };
  for (let count = 0; count < 20; count += 1) cache.explain(cheap, 100);
  t.ok(readCpuMs() - startMs < 1_000, 'the walk ends where the list is full');
});
