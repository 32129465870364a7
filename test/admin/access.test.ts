/** Who gets in: nobody without a valid token, however the path is spelled, and nobody beyond their role. */
import t from 'tap';
import type { Role } from '../../lib/auth/roles.ts';
import { revokeToken } from '../../lib/auth/token-file.ts';
import { connect, formatRequest, request } from '../helpers/raw-client.ts';
import { formatCall, startAdmin } from './started-admin.ts';

const SPELLINGS = [
  '/api/gateway',
  '/api/gateway/',
  '/api/gateway/config',
  '/api/gateway/config/',
  '/api/gateway/config?dryRun=true',
  '/api/gateway/status',
  '/api/gateway/events',
  '/api/gateway/openapi.json',
  '/api/gateway/routes/a',
  '/api/gateway/nothing/here',
  '/api/gateway/healthz',
  '/api/gatewayx',
  '/api/gateway;x=1/config',
  '/api;x=1/gateway/config',
  '/API/Gateway/config',
  '/api/%67ateway/config',
  '/%61%70%69/%67%61%74%65%77%61%79/%63%6f%6e%66%69%67',
  '/api/%2567ateway/config',
  '/api/%252567ateway/config',
  '/api%2Fgateway%2Fconfig',
  '/api%5Cgateway%5Cconfig',
  '/api\\gateway\\config',
  '//api/gateway/config',
  '/api//gateway//config',
  '///api/gateway/config',
  '/./api/./gateway/config',
  '/x/../api/gateway/config',
  '/api/gateway/../gateway/config',
  '/api/gateway/../../healthz',
  '/healthz/../api/gateway/config',
  '/healthz/%2e%2e/api/gateway/config',
  '/api/gateway/%2e%2e/config',
  '/api/gateway/..%2fconfig',
  '/api/gateway%00/config',
  '/api/gateway/%zz',
  '/api/%zz/gateway',
  '/api/gateway/%ff%fe',
  '/api/gateway/config#fragment',
  '/api/gateway/config%3Fx=1',
  '/%%36%37ateway/../api/gateway',
  'http://localhost/api/gateway/config',
  'http://user:word@localhost/api/gateway/config',
  `/api/gateway/${'a'.repeat(5_000)}`,
];

const METHODS = [
  'GET',
  'HEAD',
  'OPTIONS',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'TRACE',
  'PROPFIND',
  'PURGE',
  'QUERY',
];

const admin = await startAdmin(t);
const { port, tokens } = admin;

t.test('no spelling and no method gets an answer but 401 without a token', async (t) => {
  for (const target of SPELLINGS) {
    for (const method of METHODS) {
      const shown = `${method} ${target.slice(0, 60)}`;
      const response = await request(port, formatRequest(method, target));
      if (response.status !== 401 || response.header('www-authenticate') !== 'Bearer') {
        t.fail(`${shown}: ${response.startLine}`);
      }
      if (method !== 'HEAD') t.equal(JSON.parse(response.text).code, 'GW_ERR_UNAUTHORIZED', shown);
    }
  }
  t.equal(admin.controlPlane.orders.length, 0);
});

/** Things in a request that are wrong in their own way, and must not be what the answer is about. */
const BODIES: readonly (readonly [string, Record<string, string>, string])[] = [
  ['malformed JSON', { 'Content-Type': 'application/json' }, '{"a":'],
  ['another media type', { 'Content-Type': 'text/yaml' }, 'a: b'],
  ['a bad If-Match', { 'If-Match': 'W/"1"', 'Content-Type': 'application/json' }, '{}'],
  ['a foreign origin', { Origin: 'http://evil.example' }, '{}'],
  ['a bad content type', { 'Content-Type': ';;;' }, '{}'],
  ['chunks', { 'Transfer-Encoding': 'chunked' }, '2\r\n{}\r\n0\r\n\r\n'],
];

t.test('whatever else is wrong with the request, the answer is 401', async (t) => {
  for (const [what, headers, body] of BODIES) {
    for (const path of ['/api/gateway/config', '/api/gateway/nothing']) {
      const response = await request(port, formatRequest('PUT', path, headers, body));
      t.equal(response.status, 401, `${what}, ${path}`);
    }
  }
});

t.test('a body too large is refused for the token, before it has come', async (t) => {
  const client = await connect(port, { owner: t });
  client.send(formatRequest('PUT', '/api/gateway/config', { 'Content-Length': '100000000000' }, 'x'));
  t.equal((await client.readResponse()).status, 401);
});

t.test('a request to upgrade is refused like any other', async (t) => {
  const headers = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' };
  const response = await request(port, formatRequest('GET', '/api/gateway/events', headers));
  t.equal(response.status, 401);
  const client = await connect(port, { owner: t });
  client.send('CONNECT gateway:443 HTTP/1.1\r\nHost: gateway:443\r\n\r\n');
  await client.waitForClose();
  t.equal(client.unread.length, 0, 'and no tunnel is opened');
});

t.test(
  'a path that only a proxy could take for the API reaches no endpoint with a token either',
  async (t) => {
    for (const target of SPELLINGS.filter((target) => !target.startsWith('/api/gateway/'))) {
      const text = formatCall(tokens, 'PUT', target, { as: 'reader', body: {} });
      const { status } = await request(port, text);
      t.ok([400, 403, 404, 405].includes(status), `${status} for ${target}`);
    }
    t.equal(admin.controlPlane.orders.length, 0);
  },
);

t.test('the probes need no token, and nothing else is there without one', async (t) => {
  const plain = async (method: string, target: string) => request(port, formatRequest(method, target));
  for (const [path, text] of [
    ['/healthz', 'ok\n'],
    ['/readyz', 'ready\n'],
    ['/readyz?verbose=1', 'ready\n'],
    ['/metrics', '# no metrics\n'],
  ] as const) {
    const response = await plain('GET', path);
    t.same([response.status, response.text], [200, text], path);
    const head = await plain('HEAD', path);
    t.same([head.status, head.text], [200, ''], `HEAD ${path}`);
  }
  t.equal(
    (await plain('GET', '/metrics')).header('content-type'),
    'text/plain; version=0.0.4; charset=utf-8',
  );
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND']) {
    const response = await plain(method, '/metrics');
    t.same([response.status, response.header('allow')], [405, 'GET, HEAD'], method);
  }
  for (const path of ['/', '/health', '/metrics/', '/healthz/../metrics', '/config', '/api', '/%zz']) {
    t.ok([400, 404].includes((await plain('GET', path)).status), path);
  }
  t.equal((await plain('OPTIONS', '*')).status, 404);
  admin.notReady = 'not yet';
  const refused = await plain('GET', '/readyz');
  t.same([refused.status, refused.text], [503, 'not ready: not yet\n']);
  admin.notReady = null;
});

const CLUSTER = { destinations: { d: { url: 'http://127.0.0.1:1' } } };
const NEEDED_ROLES: readonly (readonly [Role, string, string, unknown?])[] = [
  ['reader', 'GET', 'config'],
  ['reader', 'HEAD', 'config'],
  ['reader', 'GET', 'clusters'],
  ['reader', 'GET', 'routes'],
  ['reader', 'GET', 'status'],
  ['reader', 'GET', 'instances'],
  ['reader', 'GET', 'history'],
  ['reader', 'GET', 'health'],
  ['reader', 'GET', 'openapi.json'],
  ['reader', 'POST', 'explain', { method: 'GET', url: '/' }],
  ['operator', 'POST', 'health', { reports: [] }],
  ['operator', 'POST', 'workers/restart'],
  ['admin', 'PUT', 'clusters/c', CLUSTER],
  ['admin', 'PUT', 'clusters', { c: CLUSTER }],
  ['admin', 'PUT', 'config', {}],
  ['admin', 'POST', 'changes', { ops: [] }],
  ['admin', 'POST', 'rollback', { revision: 8 }],
  ['admin', 'DELETE', 'clusters/c'],
  ['admin', 'DELETE', 'clusters'],
  ['admin', 'DELETE', 'routes'],
];

t.test('each endpoint takes its role and those above it', async (t) => {
  const roles: readonly Role[] = ['reader', 'operator', 'admin'];
  for (const [needed, method, path, body] of NEEDED_ROLES) {
    for (const as of roles) {
      const response = await admin.call(method, path, body === undefined ? { as } : { as, body });
      const shown = `${method} ${path} as ${as}: ${response.status}`;
      if (roles.indexOf(as) >= roles.indexOf(needed)) t.ok(response.status < 300, shown);
      else t.same([response.status, JSON.parse(response.text).code], [403, 'GW_ERR_FORBIDDEN'], shown);
    }
  }
});

t.test('the role is looked at before the body', async (t) => {
  t.equal((await admin.call('PUT', 'config', { as: 'reader', body: '{' })).status, 403);
});

t.test(
  'a path that is not there is 404, a method that it does not take 405 with those it does',
  async (t) => {
    for (const path of ['', 'nothing', 'routes/a/b', 'Config', 'status/']) {
      const response = await admin.call('GET', path);
      t.same([response.status, JSON.parse(response.text).code], [404, 'GW_ERR_NOT_FOUND'], path);
    }
    for (const [method, path, allow] of [
      ['POST', 'config', 'GET, HEAD, PUT'],
      ['PATCH', 'routes/a', 'DELETE, GET, HEAD, PUT'],
      ['GET', 'changes', 'POST'],
      ['PROPFIND', 'status', 'GET, HEAD'],
      ['HEAD', 'events', 'GET'],
      ['OPTIONS', 'config', 'GET, HEAD, PUT'],
      ['POST', 'nothing', undefined],
    ] as const) {
      const response = await admin.call(method, path, {
        body: method === 'GET' || method === 'HEAD' ? undefined : '{',
      });
      t.same(
        [response.status, response.header('allow')],
        [allow === undefined ? 404 : 405, allow],
        `${method} ${path}`,
      );
    }
  },
);

t.test(
  'the Origin of a page says nothing: only a token lets in, and no browser sends one by itself',
  async (t) => {
    // Behind a proxy the host that a browser went to is not the one that comes here.
    const headers = { Host: '10.0.0.7:9901', Origin: 'https://console.example' };
    t.equal((await admin.call('POST', 'workers/restart', { headers })).status, 202);
    t.equal((await admin.call('POST', 'workers/restart', { as: null, headers })).status, 401);
    const read = await admin.call('GET', 'status', { headers });
    t.equal(read.header('access-control-allow-origin'), undefined, 'a page of another origin reads nothing');
  },
);

t.test('an answer names its request, and tells browsers and caches to keep away', async (t) => {
  const response = await admin.call('GET', 'nothing');
  t.match(response.header('x-request-id'), /^[0-9a-f-]{36}$/);
  t.equal(JSON.parse(response.text).requestId, response.header('x-request-id'));
  t.match(response.header('content-type'), /^application\/problem\+json/);
  t.equal(response.header('cache-control'), 'no-store');
  t.equal(response.header('x-content-type-options'), 'nosniff');
});

t.test('bytes that are no request get a problem document', async (t) => {
  const response = await request(port, 'NONSENSE\r\n\r\n');
  t.same([response.status, JSON.parse(response.text).code], [400, 'GW_ERR_BAD_REQUEST']);
  const large = await request(port, formatRequest('GET', '/healthz', { 'X-Large': 'x'.repeat(40_000) }));
  t.same([large.status, JSON.parse(large.text).code], [431, 'GW_ERR_HEADERS_TOO_LARGE']);
});

t.test('a revoked token is of no use any more, and no token is ever repeated', async (t) => {
  const other = await startAdmin(t);
  t.equal((await other.call('GET', 'status', { as: 'reader' })).status, 200);
  await revokeToken(other.stateDirectory, 'reader-token');
  for (;;) {
    const response = await other.call('GET', 'status', { as: 'reader' });
    t.notOk(response.text.includes(other.tokens.reader));
    if (response.status === 401) break;
  }
  t.notOk(JSON.stringify(other.logs).includes(other.tokens.reader));
});
