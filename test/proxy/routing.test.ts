/** Which route takes a request, seen from outside: each route puts its name on the request. */
import t from 'tap';
import type { Route, RouteMatch } from '../../lib/core/config/model.ts';
import type { HeaderField } from '../helpers/http-message.ts';
import { formatRequest } from '../helpers/raw-client.ts';
import { outcome, startProxiedOrigin } from './proxied-origin.ts';

const MATCHES: Readonly<Record<string, RouteMatch & { readonly order?: number }>> = {
  // Hosts.
  'host-exact': { hosts: ['api.example.com'], path: '/host/{**rest}' },
  'host-wildcard': { hosts: ['*.example.com'], path: '/host/{**rest}' },
  'host-longer-wildcard': { hosts: ['*.eu.example.com'], path: '/host/{**rest}' },
  'host-any': { path: '/host/{**rest}' },
  'host-address': { hosts: ['[::1]'], path: '/host/{**rest}' },
  // Paths.
  'path-literal': { path: '/path/a/b' },
  'path-parameter': { path: '/path/{one}/b' },
  'path-two-parameters': { path: '/path/{one}/{two}' },
  'path-rest': { path: '/path/a/{**rest}' },
  'path-slash': { path: '/path/a/' },
  // Methods, headers and query.
  'method-any': { path: '/method' },
  'method-get': { path: '/method', methods: ['GET'] },
  'method-two': { path: '/method', methods: ['PUT', 'DELETE'] },
  'only-post': { path: '/only-post', methods: ['POST'] },
  'header-exact': { path: '/header', headers: [{ name: 'X-Version', values: ['2', '3'] }] },
  'header-prefix': { path: '/header', headers: [{ name: 'x-agent', mode: 'prefix', values: ['Test/'] }] },
  'header-contains': { path: '/header', headers: [{ name: 'x-agent', mode: 'contains', values: ['bot'] }] },
  'header-exists': { path: '/header', headers: [{ name: 'x-flag', mode: 'exists' }] },
  'header-two': {
    path: '/header',
    headers: [
      { name: 'x-flag', mode: 'exists' },
      { name: 'x-version', values: ['2'] },
    ],
  },
  'header-absent': { path: '/no-header', headers: [{ name: 'x-flag', mode: 'notExists' }] },
  'query-exact': { path: '/query', query: [{ name: 'v', values: ['2'] }] },
  'query-exists': { path: '/query', query: [{ name: 'beta', mode: 'exists' }] },
  'query-any': { path: '/query' },
  // Order is stronger than all of that.
  'order-late': { hosts: ['api.example.com'], path: '/order/a', methods: ['GET'] },
  'order-first': { path: '/order/{**rest}', order: -1 },
  // Equals: the id decides.
  'equal-a': { path: '/equal', query: [{ name: 'a', mode: 'exists' }] },
  'equal-b': { path: '/equal', query: [{ name: 'b', mode: 'exists' }] },
};

const routes: Record<string, Partial<Route>> = {};
for (const [id, { order, ...match }] of Object.entries(MATCHES)) {
  routes[id] = {
    match,
    requestHeaders: { set: { 'x-route': id } },
    ...(order === undefined ? {} : { order }),
  };
}
const proxied = await startProxiedOrigin(t, { routes });

type Fields = readonly HeaderField[] | Record<string, string>;

/** The id of the route that takes a request, or the gateway's own answer where none does. */
async function routeOf(method: string, target: string, fields: Fields = {}) {
  const seen = proxied.origin.requests.length;
  const response = await proxied.request(formatRequest(method, target, fields));
  const received = proxied.origin.requests[seen];
  return received?.header('x-route') ?? outcome(response).join(' ');
}

const NONE = '404 GW_ERR_NO_ROUTE';

const CASES: Readonly<Record<string, readonly (readonly [string, string, Fields, string])[]>> = {
  'an exact host goes before a wildcard, a longer wildcard before a shorter, any host comes last': [
    ['GET', '/host/x', { Host: 'api.example.com' }, 'host-exact'],
    ['GET', '/host/x', { Host: 'API.Example.COM:8080' }, 'host-exact'],
    ['GET', '/host/x', { Host: 'api.example.com.' }, 'host-exact'],
    ['GET', 'http://api.example.com/host/x', { Host: 'other' }, 'host-exact'],
    ['GET', '/host/x', { Host: 'www.example.com' }, 'host-wildcard'],
    ['GET', '/host/x', { Host: 'a.eu.example.com' }, 'host-longer-wildcard'],
    ['GET', '/host/x', { Host: 'eu.example.com' }, 'host-wildcard'],
    ['GET', '/host/x', { Host: 'example.com' }, 'host-any'],
    ['GET', '/host/x', { Host: 'api.example.com.evil.test' }, 'host-any'],
    ['GET', '/host/x', { Host: 'evilexample.com' }, 'host-any'],
    ['GET', '/host/x', { Host: '[::1]:80' }, 'host-address'],
    ['GET', '/host/x', { Host: '[0:0::1]' }, 'host-address'],
  ],
  'a literal segment goes before a parameter, a parameter before the rest': [
    ['GET', '/path/a/b', {}, 'path-literal'],
    ['GET', '/path/a/c', {}, 'path-rest'],
    ['GET', '/path/x/b', {}, 'path-parameter'],
    ['GET', '/path/x/y', {}, 'path-two-parameters'],
    ['GET', '/path/a/b/c', {}, 'path-rest'],
    ['GET', '/path/a', {}, 'path-rest'],
    ['GET', '/path/a/', {}, 'path-slash'],
    ['GET', '/path/x', {}, NONE],
    ['GET', '/path/x/y/', {}, NONE],
    ['GET', '/PATH/a/b', {}, NONE],
  ],
  'a method that is named goes before any method': [
    ['GET', '/method', {}, 'method-get'],
    ['PUT', '/method', {}, 'method-two'],
    ['DELETE', '/method', {}, 'method-two'],
    ['PATCH', '/method', {}, 'method-any'],
    ['QUERY', '/method', {}, 'method-any'],
    ['POST', '/only-post', {}, 'only-post'],
    ['GET', '/only-post', {}, NONE],
  ],
  'headers decide by presence and by value, and more of them go before fewer': [
    ['GET', '/header', { 'x-version': '2' }, 'header-exact'],
    ['GET', '/header', { 'X-VERSION': '3' }, 'header-exact'],
    ['GET', '/header', { 'x-version': '4' }, NONE],
    ['GET', '/header', { 'x-agent': 'Test/1' }, 'header-prefix'],
    ['GET', '/header', { 'x-agent': 'test/1' }, NONE],
    ['GET', '/header', { 'x-agent': 'my-bot/1' }, 'header-contains'],
    ['GET', '/header', { 'x-flag': '' }, 'header-exists'],
    ['GET', '/header', { 'x-flag': '1', 'x-version': '2' }, 'header-two'],
    ['GET', '/header', {}, NONE],
    ['GET', '/no-header', {}, 'header-absent'],
    ['GET', '/no-header', { 'X-Flag': '' }, NONE],
  ],
  'the query decides by decoded names and values': [
    ['GET', '/query?v=2', {}, 'query-exact'],
    ['GET', '/query?a=b&v=2&c', {}, 'query-exact'],
    ['GET', '/query?%76=%32', {}, 'query-exact'],
    ['GET', '/query?v=22', {}, 'query-any'],
    ['GET', '/query?beta', {}, 'query-exists'],
    ['GET', '/query?beta=', {}, 'query-exists'],
    ['GET', '/query?alphabeta=1', {}, 'query-any'],
    ['GET', '/query', {}, 'query-any'],
  ],
  'a lower order wins over everything more specific': [
    ['GET', '/order/a', { Host: 'api.example.com' }, 'order-first'],
  ],
  'between equals the id decides': [
    ['GET', '/equal?a&b', {}, 'equal-a'],
    ['GET', '/equal?b&a', {}, 'equal-a'],
    ['GET', '/equal?b', {}, 'equal-b'],
  ],
};

for (const [rule, cases] of Object.entries(CASES)) {
  t.test(rule, async (t) => {
    for (const [method, target, fields, expected] of cases) {
      const found = await routeOf(method, target, fields);
      t.equal(found, expected, `${method} ${target} ${JSON.stringify(fields)}`);
    }
  });
}

t.test('without a route: a problem document that says what, and nothing of the inside', async (t) => {
  const response = await proxied.request(formatRequest('GET', '/nowhere?secret=1'));
  t.equal(response.status, 404);
  t.equal(response.header('content-type'), 'application/problem+json');
  const problem: Record<string, unknown> = JSON.parse(response.text);
  t.same(problem, {
    type: 'about:blank',
    title: 'No route matches the request',
    status: 404,
    code: 'GW_ERR_NO_ROUTE',
    requestId: response.header('x-request-id'),
  });
  t.notMatch(response.headBytes.toString() + response.text, /secret|127\.0\.0\.1|node|fengling/i);
});

t.test('without a route the connection lives on, also behind a body', async (t) => {
  const client = await proxied.connect(t);
  client.send(formatRequest('GET', '/nowhere') + formatRequest('GET', '/method'));
  t.equal((await client.readResponse()).status, 404);
  t.equal((await client.readResponse()).status, 200);
});
