import t from 'tap';
import type { RouteMatch } from '../../../lib/core/config/model.ts';
import { type RequestFacts, RouteCache } from '../../../lib/core/routing/route-cache.ts';

type Routes = Readonly<Record<string, RouteMatch & { order?: number }>>;

function cacheOf(routes: Routes): RouteCache<string> {
  const cache = new RouteCache<string>();
  for (const [id, { order, ...match }] of Object.entries(routes)) {
    cache.put(id, match, order ?? 0, id);
  }
  return cache;
}

function request(target: string, change: Partial<RequestFacts> = {}): RequestFacts {
  const [host = '', ...rest] = target.split('/');
  return { host, path: `/${rest.join('/')}`, query: '', method: 'GET', rawHeaders: [], ...change };
}

const winner = (routes: Routes, target: string, change?: Partial<RequestFacts>) =>
  cacheOf(routes).match(request(target, change));

t.test('an empty cache matches nothing', async (t) => {
  t.equal(winner({}, 'a.test/'), null);
});

t.test('a route without host and path takes everything', async (t) => {
  for (const target of ['a.test/', 'a.test/x/y/', '[::1]/', `${'a'.repeat(300)}/`]) {
    t.equal(winner({ all: {} }, target), 'all');
  }
});

t.test('an exact host beats a wildcard, a longer wildcard a shorter, and any of them no host', async (t) => {
  const routes: Routes = {
    any: {},
    short: { hosts: ['*.test'] },
    long: { hosts: ['*.a.test'] },
    exact: { hosts: ['x.a.test'] },
  };
  t.equal(winner(routes, 'x.a.test/'), 'exact');
  t.equal(winner(routes, 'y.a.test/'), 'long');
  t.equal(winner(routes, 'a.test/'), 'short');
  t.equal(winner(routes, 'test/'), 'any');
});

t.test('a wildcard takes any depth of sub-domains and never the domain itself', async (t) => {
  const routes: Routes = { wildcard: { hosts: ['*.example.com'] } };
  t.equal(winner(routes, 'a.example.com/'), 'wildcard');
  t.equal(winner(routes, 'a.b.c.example.com/'), 'wildcard');
  t.equal(winner(routes, 'example.com/'), null);
  t.equal(winner(routes, '.example.com/'), null);
  t.equal(winner(routes, 'badexample.com/'), null);
  t.equal(winner(routes, 'a.example.com.evil.test/'), null);
});

t.test(
  'a wildcard counts with everything below a more specific host that does not match the path',
  async (t) => {
    const routes: Routes = {
      exact: { hosts: ['x.test'], path: '/only' },
      wildcard: { hosts: ['*.test'], path: '/{**rest}' },
    };
    t.equal(winner(routes, 'x.test/only'), 'exact');
    t.equal(winner(routes, 'x.test/other'), 'wildcard');
  },
);

t.test('hosts are written in any case, with or without the trailing dot', async (t) => {
  const cache = cacheOf({ route: { hosts: ['API.Test.', 'api.test', '[0:0::1]'] } });
  t.equal(cache.match(request('api.test/')), 'route');
  t.equal(cache.match(request('[::1]/')), 'route');
  t.ok(cache.delete('route'));
  t.same(cache.countParts(), { hosts: 0, nodes: 0 });
});

t.test('a host longer than any name reaches only routes for any host', async (t) => {
  t.equal(winner({ any: {}, wildcard: { hosts: ['*.test'] } }, `${'a.'.repeat(5_000)}test/`), 'any');
});

t.test('segment by segment a literal beats a parameter, and a parameter a rest', async (t) => {
  const routes: Routes = {
    literal: { path: '/orders/new' },
    parameter: { path: '/orders/{id}' },
    rest: { path: '/orders/{**rest}' },
    early: { path: '/{a}/new' },
    all: { path: '/{**rest}' },
  };
  t.equal(winner(routes, 'a.test/orders/new'), 'literal');
  t.equal(winner(routes, 'a.test/orders/7'), 'parameter');
  t.equal(winner(routes, 'a.test/orders/7/items'), 'rest');
  t.equal(winner(routes, 'a.test/other/new'), 'early');
  t.equal(winner(routes, 'a.test/other/old'), 'all');
});

t.test('the first segment that differs decides, not the number of literals', async (t) => {
  const routes: Routes = { first: { path: '/a/{**rest}' }, later: { path: '/{x}/b/c' } };
  t.equal(winner(routes, 'a.test/a/b/c'), 'first');
});

t.test('a search that runs into a dead end goes back to the parameter', async (t) => {
  const routes: Routes = {
    dead: { path: '/a/b/x' },
    other: { path: '/a/{p}/y' },
    last: { path: '/{p}/b/z' },
  };
  t.equal(winner(routes, 'a.test/a/b/y'), 'other');
  t.equal(winner(routes, 'a.test/a/b/z'), 'last');
  t.equal(winner(routes, 'a.test/a/b/w'), null);
});

t.test('a rest also takes nothing, and the exact end beats it', async (t) => {
  const rest: Routes = { rest: { path: '/orders/{**rest}' }, other: { path: '/orders/x/{**rest}' } };
  for (const path of ['orders', 'orders/', 'orders/a/b']) {
    t.equal(winner(rest, `a.test/${path}`), 'rest');
  }
  t.equal(winner(rest, 'a.test/orders-old'), null);
  const routes: Routes = { ...rest, end: { path: '/orders' }, slash: { path: '/orders/' } };
  t.equal(winner(routes, 'a.test/orders'), 'end');
  t.equal(winner(routes, 'a.test/orders/'), 'slash');
  t.equal(winner(routes, 'a.test/orders/a'), 'rest');
});

t.test('a trailing slash is another path', async (t) => {
  t.equal(winner({ route: { path: '/orders' } }, 'a.test/orders/'), null);
  t.equal(winner({ route: { path: '/orders/' } }, 'a.test/orders'), null);
  t.equal(winner({ route: { path: '/orders/{id}' } }, 'a.test/orders/'), null, 'a parameter is never empty');
  t.equal(winner({ a: { path: '/x/{id}' }, b: { path: '/x/{id}/' } }, 'a.test/x/'), null);
});

t.test('paths are case-sensitive and compared in their escaped form', async (t) => {
  t.equal(winner({ route: { path: '/Orders' } }, 'a.test/orders'), null);
  t.equal(winner({ route: { path: '/a%2Fb' } }, 'a.test/a%2Fb'), 'route');
  t.equal(winner({ route: { path: '/{x}' } }, 'a.test/a%2Fb'), 'route', 'an encoded slash parts no segments');
});

t.test('a path deeper than any template reaches a rest alone', async (t) => {
  const routes: Routes = { rest: { path: '/a/{**rest}' }, deep: { path: '/a'.repeat(256) } };
  t.equal(winner(routes, `a.test${'/a'.repeat(256)}`), 'deep');
  t.equal(winner(routes, `a.test${'/a'.repeat(257)}`), 'rest');
  t.equal(winner(routes, `a.test${'/a'.repeat(100_000)}`), 'rest');
});

t.test('a lower order wins before host, path and predicates', async (t) => {
  const routes: Routes = {
    specific: { hosts: ['a.test'], path: '/a/b', methods: ['GET'] },
    wildcard: { hosts: ['*.test'], path: '/{x}/{y}', order: -1 },
    any: { order: -2, path: '/{**rest}' },
  };
  t.equal(winner(routes, 'a.test/a/b'), 'any');
  t.equal(winner({ ...routes, any: { order: 1 } }, 'a.test/a/b'), 'wildcard');
  t.equal(winner({ ...routes, any: {}, wildcard: {} }, 'a.test/a/b'), 'specific');
});

t.test('a lower order is found below a literal, a parameter and a rest alike', async (t) => {
  const base: Routes = { found: { path: '/a/b' } };
  for (const path of ['/a/{x}', '/{x}/b', '/{x}/{y}', '/a/{**r}', '/{**r}', '/a/b/{**r}']) {
    t.equal(
      winner({ ...base, lower: { path, order: -1 }, lowest: { path: '/x', order: -9 } }, 'a.test/a/b'),
      'lower',
    );
  }
});

t.test('more predicates win, and a route whose predicates fail gives way', async (t) => {
  const routes: Routes = {
    none: { path: '/a' },
    one: { path: '/a', methods: ['GET', 'POST', 'PUT'] },
    two: { path: '/a', headers: [{ name: 'x', mode: 'exists' }], query: [{ name: 'q', values: ['1'] }] },
  };
  t.equal(winner(routes, 'a.test/a', { rawHeaders: ['X', ''], query: 'q=1' }), 'two');
  t.equal(winner(routes, 'a.test/a', { rawHeaders: ['X', ''], query: 'q=2' }), 'one');
  t.equal(winner(routes, 'a.test/a', { method: 'HEAD' }), 'none');
});

t.test('one request asks several routes about its query, the next one starts afresh', async (t) => {
  const cache = cacheOf({
    first: { path: '/a', query: [{ name: 'q', values: ['1'] }] },
    second: { path: '/a', query: [{ name: 'q', values: ['2'] }] },
  });
  t.equal(cache.match(request('a.test/a', { query: 'q=2' })), 'second');
  t.equal(cache.match(request('a.test/a', { query: 'q=1' })), 'first');
  t.equal(cache.match(request('a.test/a', { query: '' })), null);
});

t.test('between equals the smaller id in code-unit order wins, whoever came first', async (t) => {
  t.equal(winner({ b: { path: '/{x}' }, B: { path: '/{y}' }, a: { path: '/{z}' } }, 'a.test/q'), 'B');
  t.equal(winner({ 'r-9': { path: '/a' }, 'r-10': { path: '/a' } }, 'a.test/a'), 'r-10');
});

t.test('put replaces the route of that id with its hosts and path', async (t) => {
  const cache = cacheOf({ route: { hosts: ['a.test', '*.a.test'], path: '/x' } });
  cache.put('route', { hosts: ['b.test'], path: '/y' }, 3, 'second');
  t.equal(cache.size, 1);
  t.equal(cache.get('route'), 'second');
  t.equal(cache.match(request('a.test/x')), null);
  t.equal(cache.match(request('b.a.test/x')), null);
  t.equal(cache.match(request('b.test/y')), 'second');
});

t.test('a match that does not parse throws and leaves the route of that id as it was', async (t) => {
  const cache = cacheOf({ route: { hosts: ['a.test'], path: '/x' } });
  const broken: readonly RouteMatch[] = [
    { path: '/a{b}' },
    { hosts: ['b.test', '*'] },
    { query: [{ name: 'q' }] },
  ];
  for (const match of broken) {
    t.throws(() => cache.put('route', match, 0, 'broken'), { message: /\w/ });
    t.equal(cache.match(request('a.test/x')), 'route');
    t.equal(cache.size, 1);
  }
});

t.test('delete answers whether there was a route', async (t) => {
  const cache = cacheOf({ route: { path: '/x' }, other: { path: '/x' } });
  t.equal(cache.delete('missing'), false);
  t.equal(cache.delete('other'), true);
  t.equal(cache.delete('other'), false);
  t.equal(cache.get('other'), undefined);
  t.equal(cache.match(request('a.test/x')), 'route');
});

t.test('names that objects know by themselves are plain segments, hosts and ids', async (t) => {
  const cache = cacheOf({ constructor: { hosts: ['__proto__.test'], path: '/constructor' } });
  cache.put('toString', { path: '/a/valueOf' }, 0, 'toString');
  cache.put('other', { path: '/a/x' }, 0, 'other');
  t.equal(cache.match(request('__proto__.test/constructor')), 'constructor');
  t.equal(cache.match(request('__proto__.test/__proto__')), null);
  t.equal(cache.match(request('a.test/a/hasOwnProperty')), null);
  t.equal(cache.match(request('a.test/a/valueOf')), 'toString');
  t.equal(cache.get('hasOwnProperty'), undefined);
});

t.test(
  'with equal orders the first route found ends the search, however many branches there are',
  async (t) => {
    const depth = 10;
    const cache = new RouteCache<string>();
    for (let bits = 0; bits < 2 ** depth; bits += 1) {
      const segments = Array.from({ length: depth }, (_, level) =>
        bits & (1 << level) ? `{p${level}}` : 'a',
      );
      cache.put(`r${bits}`, { path: `/${segments.join('/')}` }, 0, `r${bits}`);
    }
    let visits = 0;
    const facts: RequestFacts = {
      ...request('a.test/'),
      get path() {
        visits += 1;
        return '/a'.repeat(depth);
      },
    };
    t.equal(cache.match(facts), 'r0');
    t.ok(visits <= depth + 1, `${visits} places visited`);
  },
);

t.test('a route that is left alone at a place goes on where its own parameters end', async (t) => {
  const cache = new RouteCache<string>();
  cache.put('short', { path: '/{a}/x' }, 0, 'short');
  cache.put('long', { path: '/{longer}/y' }, 0, 'long');
  cache.put('other', { path: '/other' }, 0, 'other');
  cache.delete('long');
  t.equal(cache.match(request('a.test/1/x')), 'short');
  t.equal(cache.match(request('a.test/1/y')), null);
});
