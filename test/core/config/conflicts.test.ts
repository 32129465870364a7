import fc from 'fast-check';
import t from 'tap';
import { reportRouteConflicts } from '../../../lib/core/config/conflicts.ts';
import type { Route, RouteMatch } from '../../../lib/core/config/model.ts';
import { type Findings, ProblemList } from '../../../lib/core/config/problem-list.ts';
import { finishSlices } from '../../../lib/core/config/slices.ts';
import { RouteCache } from '../../../lib/core/routing/route-cache.ts';
import { arbitraryRequest, arbitraryRoutes } from './arbitrary-configuration.ts';

function findConflicts(routes: ReadonlyMap<string, Route>) {
  const findings: Findings = { problems: new ProblemList(), warnings: new ProblemList() };
  finishSlices(reportRouteConflicts(routes, findings));
  return { problems: findings.problems.toArray(), warnings: findings.warnings.toArray() };
}

function routesOf(
  ...entries: [id: string, match: RouteMatch, order?: number | undefined][]
): Map<string, Route> {
  return new Map(
    entries.map(([id, match, order]) => [
      id,
      { match, cluster: 'c', ...(order === undefined ? {} : { order }) },
    ]),
  );
}

const losersOf = (routes: ReadonlyMap<string, Route>) =>
  findConflicts(routes).warnings.map(({ pointer }) => pointer.slice('/routes/'.length));

t.test('two routes that only their ids tell apart are a problem that names both', async (t) => {
  const { problems, warnings } = findConflicts(
    routesOf(
      [
        'one',
        {
          hosts: ['A.de', 'b.de'],
          path: '/x/{id}',
          methods: ['GET', 'PUT'],
          headers: [{ name: 'X-A', values: ['1', '2'] }],
        },
      ],
      [
        'two',
        {
          hosts: ['a.de.', 'c.de', 'b.de'],
          path: '/x/{name}',
          methods: ['PUT', 'GET'],
          headers: [{ name: 'x-a', mode: 'exact', values: ['2', '1'] }],
        },
      ],
    ),
  );
  t.equal(problems.length, 1);
  t.equal(problems[0]?.pointer, '/routes/two/match');
  t.match(problems[0]?.message, /"two".*"one"/);
  t.same(warnings, []);
});

t.test('the order of predicates does not tell routes apart', async (t) => {
  const version = { name: 'x-version', values: ['1'] };
  const beta = { name: 'x-beta', mode: 'exists' as const };
  const routes = routesOf(['a', { headers: [version, beta] }], ['b', { headers: [beta, version] }]);
  t.equal(findConflicts(routes).problems.length, 1);
});

t.test('a route without a path and one with a rest alone are the same', async (t) => {
  t.equal(findConflicts(routesOf(['a', {}], ['b', { path: '/{**all}' }])).problems.length, 1);
});

t.test('what tells two routes apart is no problem', async (t) => {
  const base: RouteMatch = {
    hosts: ['a.de'],
    path: '/x/{id}',
    methods: ['GET'],
    query: [{ name: 'q', mode: 'exists' }],
  };
  const others: [RouteMatch, number?][] = [
    [base, 1],
    [{ ...base, hosts: ['b.de'] }],
    [{ ...base, hosts: ['*.a.de'] }],
    [{ ...base, path: '/x/{**id}' }],
    [{ ...base, path: '/x/id' }],
    [{ ...base, path: '/x/{id}/' }],
    [{ ...base, methods: ['PUT'] }],
    [{ ...base, query: [{ name: 'Q', mode: 'exists' }] }],
    [{ ...base, query: [{ name: 'q', mode: 'notExists' }] }],
  ];
  for (const [match, order] of others) {
    t.same(findConflicts(routesOf(['a', base], ['b', match, order])).problems, [], JSON.stringify(match));
  }
});

t.test('three of a kind are two problems, also among very many routes of one host and path', async (t) => {
  const matches = Array.from({ length: 100 }, (_, index) => ({
    headers: [{ name: 'x', values: [`${index}`] }],
  }));
  const routes = routesOf(
    ...matches.map((match, index): [string, RouteMatch] => [`r${index + 100}`, match]),
    ['s', matches[99]!],
    ['t', matches[99]!],
  );
  t.same(
    findConflicts(routes).problems.map(({ pointer }) => pointer),
    ['/routes/s/match', '/routes/t/match'],
  );
});

t.test('a route that never wins is a warning that names the winner', async (t) => {
  const { warnings } = findConflicts(
    routesOf(['api', { path: '/api/{**rest}' }], ['old', { path: '/api/v1/{id}' }, 5]),
  );
  t.equal(warnings.length, 1);
  t.equal(warnings[0]?.pointer, '/routes/old');
  t.match(warnings[0]?.message, /"old" never wins.*"api"/);
});

t.test('what a lower order covers never wins', async (t) => {
  const covered: [RouteMatch, RouteMatch][] = [
    [{}, { hosts: ['a.de'], path: '/x', methods: ['GET'] }],
    [{ hosts: ['*.de'] }, { hosts: ['b.a.de'] }],
    [{ hosts: ['*.de'] }, { hosts: ['*.a.de', 'c.de'] }],
    [{ path: '/x/{**rest}' }, { path: '/x' }],
    [{ path: '/x/{**rest}' }, { path: '/x/' }],
    [{ path: '/x/{**rest}' }, { path: '/x/y/{**rest}' }],
    [{ path: '/{a}/y' }, { path: '/x/y' }],
    [{ path: '/{a}/{b}' }, { path: '/x/{c}' }],
    [{ methods: ['GET', 'PUT'] }, { methods: ['PUT'] }],
    [{ headers: [{ name: 'X', mode: 'exists' }] }, { headers: [{ name: 'x', values: ['1'] }] }],
    [{ query: [{ name: 'x', values: ['1', '2'] }] }, { query: [{ name: 'x', values: ['2'] }] }],
    [{ query: [{ name: 'x', mode: 'prefix', values: ['1'] }] }, { query: [{ name: 'x', values: ['12'] }] }],
    [
      { query: [{ name: 'x', mode: 'contains', values: ['2'] }] },
      { query: [{ name: 'x', mode: 'prefix', values: ['123'] }] },
    ],
    [
      { query: [{ name: 'x', mode: 'notExists' }] },
      { query: [{ name: 'x', mode: 'notExists' }], path: '/x' },
    ],
  ];
  for (const [general, special] of covered) {
    t.same(losersOf(routesOf(['z', general], ['b', special, 1])), ['b'], JSON.stringify([general, special]));
    t.same(
      losersOf(routesOf(['z', general], ['b', special])),
      [],
      'with the same order the more specific wins',
    );
  }
});

t.test('what a lower order does not cover can win', async (t) => {
  const uncovered: [RouteMatch, RouteMatch][] = [
    [{ hosts: ['*.a.de'] }, { hosts: ['a.de'] }],
    [{ hosts: ['a.de'] }, { hosts: ['a.de', 'b.de'] }],
    [{ hosts: ['a.de'] }, {}],
    [{ path: '/x' }, { path: '/x/' }],
    [{ path: '/x/{a}' }, { path: '/x/' }],
    [{ path: '/x/{a}' }, { path: '/x/{**a}' }],
    [{ methods: ['GET'] }, {}],
    [{ headers: [{ name: 'x', values: ['1'] }] }, { headers: [{ name: 'x', mode: 'exists' }] }],
    [{ headers: [{ name: 'x', mode: 'exists' }] }, { headers: [{ name: 'x', mode: 'notExists' }] }],
    [
      { headers: [{ name: 'x', mode: 'contains', values: ['1'] }] },
      { headers: [{ name: 'x', mode: 'exists' }] },
    ],
    [{ headers: [{ name: 'x', mode: 'exists' }] }, { query: [{ name: 'x', mode: 'exists' }] }],
  ];
  for (const [general, special] of uncovered) {
    t.same(losersOf(routesOf(['a', general], ['b', special, 1])), [], JSON.stringify([general, special]));
  }
});

t.test('with the same order, host and path the smaller id wins over what it covers', async (t) => {
  const wide: RouteMatch = { path: '/x', methods: ['GET', 'PUT'] };
  const narrow: RouteMatch = { path: '/x', methods: ['GET'] };
  t.same(losersOf(routesOf(['a', wide], ['b', narrow])), ['b']);
  t.same(losersOf(routesOf(['b', wide], ['a', narrow])), []);
});

t.test('a smaller id does not win over a more specific host or path', async (t) => {
  const wide: RouteMatch = { hosts: ['*.de'], path: '/x/{id}', methods: ['GET', 'PUT'] };
  const narrow: RouteMatch = { ...wide, methods: ['GET'] };
  t.same(losersOf(routesOf(['a', wide], ['b', narrow])), ['b']);
  t.same(losersOf(routesOf(['a', wide], ['b', { ...narrow, hosts: ['a.de'] }])), []);
  t.same(losersOf(routesOf(['a', wide], ['b', { ...narrow, path: '/x/y' }])), []);
});

t.test('several routes may beat one, each on other hosts', async (t) => {
  const hosts = ['a.de', 'b.de', 'c.de', 'd.de'];
  const winners = hosts.map((host): [string, RouteMatch] => [host, { hosts: [host] }]);
  const { warnings } = findConflicts(routesOf(...winners, ['x', { hosts, path: '/x' }, 1]));
  t.equal(warnings.length, 1);
  t.match(warnings[0]?.message, /"a\.de", "b\.de", "c\.de" and 1 more/);
});

t.test('a route that takes encoded slashes is not covered by one that does not', async (t) => {
  const routes = new Map<string, Route>([
    ['a', { match: {}, cluster: 'c' }],
    ['b', { match: { path: '/x' }, cluster: 'c', order: 1, allowEncodedSlash: true }],
  ]);
  t.same(losersOf(routes), []);
});

t.test('a winner is found behind very many others on its host and path', async (t) => {
  const many = Array.from({ length: 100 }, (_, index): [string, RouteMatch] => [
    `r${index}`,
    { headers: [{ name: 'x', values: [`${index}`] }] },
  ]);
  const last = many[99]![1];
  t.same(losersOf(routesOf(...many, ['same', { ...last, path: '/x' }, 1])), ['same']);
  t.same(losersOf(routesOf(...many, ['all', {}], ['z', { path: '/x' }, 1])), ['z']);
});

t.test('paths with very many alternatives of parameters are given up, not searched for ever', async (t) => {
  const depth = 12;
  const paths = Array.from({ length: 2 ** depth }, (_, mask) =>
    Array.from({ length: depth }, (_, bit) => ((mask >> bit) % 2 === 0 ? '/a' : `/{p${bit}}`)).join(''),
  );
  const routes = routesOf(...paths.map((path, index): [string, RouteMatch] => [`r${index}`, { path }]));
  t.same(findConflicts(routes), { problems: [], warnings: [] });
});

t.test('routes that do not parse are passed over', async (t) => {
  const routes = routesOf(['a', { hosts: ['a b'] }], ['b', { path: 'x' }], ['c', {}]);
  t.same(findConflicts(routes), { problems: [], warnings: [] });
});

t.test('a route with a warning never wins, whatever the request', async () => {
  fc.assert(
    fc.property(
      arbitraryRoutes,
      fc.array(arbitraryRequest, { minLength: 20, maxLength: 40 }),
      (routes, requests) => {
        const losers = new Set(losersOf(routes));
        const cache = new RouteCache<string>();
        for (const [id, route] of routes) {
          cache.put(id, route.match, route.order ?? 0, id);
        }
        return requests.every((request) => !losers.has(cache.match(request) ?? ''));
      },
    ),
    { numRuns: 500 },
  );
});

t.test(
  'of two routes that cannot be told apart the one that a problem is about never wins on a shared host',
  async () => {
    fc.assert(
      fc.property(arbitraryRoutes, fc.array(arbitraryRequest, { maxLength: 20 }), (routes, requests) => {
        const problems = findConflicts(routes).problems;
        return problems.every(({ message }) => {
          const [later, earlier] = [...message.matchAll(/"(.)"/g)].map((match) => match[1]!);
          const shared = (routes.get(later!)!.match.hosts ?? ['']).filter((host) =>
            (routes.get(earlier!)!.match.hosts ?? ['']).includes(host),
          );
          const cache = new RouteCache<string>();
          cache.put(later!, routes.get(later!)!.match, 0, later!);
          cache.put(earlier!, routes.get(earlier!)!.match, 0, earlier!);
          return requests
            .filter((request) => shared.includes('') || shared.includes(request.host))
            .every((request) => cache.match(request) !== later);
        });
      }),
      { numRuns: 300 },
    );
  },
);
