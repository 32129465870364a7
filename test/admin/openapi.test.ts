/** The description of the API is whole, and the API is as it says. */
import t from 'tap';
import { Compile } from 'typebox/schema';
import { COLLECTIONS, KINDS } from '../../lib/core/config/model.ts';
import { validateDocument } from '../../lib/core/config/validate.ts';
import { formatRequest, request } from '../helpers/raw-client.ts';
import type { RawResponse } from '../helpers/response-reader.ts';
import { type CallOptions, startAdmin } from './started-admin.ts';

type Json = Record<string, unknown>;

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly security?: readonly unknown[];
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly schema: Json }[];
  readonly requestBody?: {
    readonly content: Record<string, { readonly schema: Json; readonly example?: unknown }>;
  };
  readonly responses: Record<
    string,
    {
      readonly description: string;
      readonly headers?: Json;
      readonly content?: Record<string, { readonly schema: Json }>;
    }
  >;
}

interface Description {
  readonly openapi: string;
  readonly info: Json;
  readonly security: readonly Json[];
  readonly components: { readonly schemas: Record<string, Json>; readonly securitySchemes: Json };
  readonly paths: Record<string, Record<string, Operation>>;
}

const admin = await startAdmin(t);
const description: Description = JSON.parse((await admin.call('GET', 'openapi.json', { as: 'reader' })).text);
const operations = Object.entries(description.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
);

/** A schema of the description that can be compiled by itself. */
function compile(schema: Json) {
  return Compile({ ...schema, components: description.components });
}

t.test('it needs a token, like what it describes', async (t) => {
  t.equal((await admin.call('GET', 'openapi.json', { as: null })).status, 401);
  t.match(description, { openapi: '3.1.0', info: { version: '1.2.3' } });
  t.match(description.components.securitySchemes, { token: { type: 'http', scheme: 'bearer' } });
  t.same(description.security, [{ token: [] }]);
});

t.test('every path is there, for every kind of entry', async (t) => {
  const expected = {
    ...Object.fromEntries(
      KINDS.flatMap((kind) => [
        [`/api/gateway/${COLLECTIONS[kind]}`, ['delete', 'get', 'put']],
        [`/api/gateway/${COLLECTIONS[kind]}/{id}`, ['delete', 'get', 'put']],
      ]),
    ),
    '/api/gateway/config': ['get', 'put'],
    '/api/gateway/changes': ['post'],
    '/api/gateway/status': ['get'],
    '/api/gateway/instances': ['get'],
    '/api/gateway/history': ['get'],
    '/api/gateway/rollback': ['post'],
    '/api/gateway/explain': ['post'],
    '/api/gateway/events': ['get'],
    '/api/gateway/health': ['get', 'post'],
    '/api/gateway/workers/restart': ['post'],
    '/api/gateway/openapi.json': ['get'],
    '/healthz': ['get'],
    '/readyz': ['get'],
    '/metrics': ['get'],
  };
  const found = Object.fromEntries(
    Object.entries(description.paths).map(([path, item]) => [path, Object.keys(item).sort()]),
  );
  t.same(found, expected);
});

t.test('every operation says what it is, what it answers, and whether it needs a token', async (t) => {
  const ids = operations.map(({ operation }) => operation.operationId);
  t.equal(new Set(ids).size, operations.length, 'ids are unique');
  for (const { path, method, operation } of operations) {
    const shown = `${method} ${path}`;
    t.ok(operation.operationId && operation.summary, shown);
    const statuses = Object.keys(operation.responses);
    t.ok(
      statuses.some((status) => status.startsWith('2')),
      shown,
    );
    if (path.startsWith('/api/')) {
      for (const status of ['401', '403', '429', '500'])
        t.ok(statuses.includes(status), `${shown} ${status}`);
      t.equal(operation.security, undefined, shown);
    } else t.same(operation.security, [], shown);
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const parameters = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
    t.same(
      parameters.map(({ name }) => name),
      named,
      shown,
    );
  }
});

t.test('conditions, headers of answers and refusals are described where they can occur', async (t) => {
  for (const { path, method, operation } of operations) {
    const shown = `${method} ${path}`;
    const fields = (operation.parameters ?? []).filter((parameter) => parameter.in === 'header');
    const names = fields.map(({ name }) => name).sort();
    const { responses } = operation;
    const headersOf = (status: string) => Object.keys(responses[status]?.headers ?? {}).sort();
    const isEntry = path.endsWith('/{id}');
    if ('304' in responses) {
      t.same(names, ['if-none-match'], shown);
      for (const status of ['200', '304'])
        t.same(headersOf(status), ['etag', 'x-gateway-revision-id'], shown);
    } else if ('412' in responses) {
      t.same(names, isEntry && method === 'put' ? ['if-match', 'if-none-match'] : ['if-match'], shown);
      t.same(headersOf('412'), ['etag'], shown);
      t.ok(headersOf('200').includes('etag'), shown);
    } else t.same(names, [], shown);
    if ('201' in responses)
      for (const status of ['201', '202']) t.ok(headersOf(status).includes('location'), shown);
    if (!path.startsWith('/api/')) continue;
    t.same(headersOf('429'), ['retry-after'], shown);
    t.ok('431' in responses, shown);
    t.equal('414' in responses, isEntry, shown);
    t.equal('413' in responses && '415' in responses, method !== 'get', shown);
  }
});

t.test('every reference leads somewhere, by a name that people know', async (t) => {
  const references = [...JSON.stringify(description).matchAll(/"\$ref":"([^"]*)"/g)].map(
    ([, reference]) => reference,
  );
  t.ok(references.length > 0);
  for (const reference of new Set(references)) {
    const name = /^#\/components\/schemas\/([A-Z][A-Za-z]+)$/.exec(reference ?? '')?.[1];
    t.ok(name !== undefined && Object.hasOwn(description.components.schemas, name), String(reference));
  }
});

t.test('the examples fit, and hold no secrets', async (t) => {
  let count = 0;
  for (const { operation } of operations) {
    const content = operation.requestBody?.content['application/json'];
    if (content?.example === undefined) continue;
    count += 1;
    const validator = compile(content.schema);
    t.ok(validator.Check(content.example), `${operation.operationId}`);
    t.notMatch(JSON.stringify(content.example), /password|secret|token/i);
  }
  t.ok(count >= 3);
});

const CLUSTER = {
  destinations: { d: { url: 'http://127.0.0.1:1', weight: 2 } },
  retry: { on: ['connect', 503] },
};
const ROUTE = { match: { path: '/a/{**rest}', methods: ['GET'] }, cluster: 'c' };
const REPORT = { cluster: 'c', destination: 'd', healthy: true, sequence: 1 };

const OTHERS: Readonly<Record<string, object>> = {
  issuers: {
    issuer: 'https://idp.example.com/',
    audience: ['orders'],
    algorithms: ['RS256'],
    jwksUrl: 'https://idp.example.com/jwks',
  },
  consumers: { apiKeys: [{ hash: `sha256:${'0'.repeat(64)}`, note: 'first' }], scopes: ['read'] },
  certificates: { certFile: '/tls/cert.pem', keyEnv: 'TLS_KEY' },
};

type Call = readonly [method: string, path: string, status: number, options?: CallOptions];

/** Every operation on the collections that routes can do without. */
const CALLS_OF_OTHERS = Object.entries(OTHERS).flatMap(([name, value]): Call[] => [
  ['put', `/${name}/{id}`, 201, { body: value }],
  ['put', `/${name}/{id}`, 422, { body: { ...value, extra: 1 } }],
  ['get', `/${name}/{id}`, 200],
  ['get', `/${name}`, 200],
  ['delete', `/${name}/{id}`, 200],
  ['put', `/${name}`, 200, { body: { c: value } }],
  ['delete', `/${name}`, 200],
]);

/** One call or more of every operation, in an order in which they succeed. */
const CALLS: readonly Call[] = [
  ['put', '/clusters/{id}', 201, { body: CLUSTER }],
  ['put', '/clusters/{id}', 200, { body: { ...CLUSTER, timeouts: { connectMs: 1 } } }],
  ['put', '/clusters/{id}', 422, { body: { destinations: 1 } }],
  ['put', '/clusters/{id}', 412, { body: CLUSTER, headers: { 'If-Match': '"1"' } }],
  ['put', '/clusters/{id}', 400, { body: '{' }],
  ['put', '/clusters/{id}', 403, { as: 'operator', body: CLUSTER }],
  ['put', '/clusters/{id}', 415, { body: CLUSTER, headers: { 'Content-Type': 'text/plain' } }],
  ['put', '/routes', 200, { body: { c: ROUTE } }],
  ['get', '/clusters', 200],
  ['get', '/clusters', 304, { headers: { 'If-None-Match': '*' } }],
  ['get', '/routes', 200],
  ['get', '/clusters/{id}', 200],
  ['get', '/routes/{id}', 200],
  ['get', '/config', 200],
  ['get', '/config', 401, { as: null }],
  ['get', '/status', 200],
  ['get', '/instances', 200],
  ['get', '/history', 200],
  ['get', '/health', 200],
  ['post', '/health', 200, { body: { reports: [REPORT] } }],
  ['get', '/health', 200],
  ['post', '/explain', 200, { body: { method: 'GET', url: 'http://a.example/' } }],
  ['post', '/explain', 400, { body: { method: 'GET', uri: '/' } }],
  ['post', '/workers/restart', 202],
  ['get', '/openapi.json', 200],
  ['post', '/changes', 200, { body: { ops: [{ op: 'delete', kind: 'route', id: 'c' }] } }],
  ['put', '/routes/{id}', 201, { body: ROUTE }],
  ['delete', '/routes/{id}', 200],
  ['delete', '/routes/{id}', 404],
  ['delete', '/routes', 200],
  ['delete', '/clusters/{id}', 200],
  ['put', '/clusters', 200, { body: { c: CLUSTER } }],
  ['delete', '/clusters', 200],
  ...CALLS_OF_OTHERS,
  ['post', '/rollback', 200, { body: { revision: 8, message: 'back' } }],
  ['put', '/config', 200, { body: { clusters: { c: CLUSTER }, routes: { c: ROUTE } } }],
];

function checkAnswer(path: string, method: string, response: RawResponse): void {
  const shown = `${method} ${path} ${response.status}`;
  const documented = description.paths[path]?.[method]?.responses[response.status];
  if (documented === undefined) throw new Error(`${shown} is not documented: ${response.text}`);
  const type = response.header('content-type')?.split(';')[0] ?? '';
  if (documented.content === undefined) {
    if (response.text !== '') throw new Error(`${shown} has a body`);
    return;
  }
  const schema = documented.content[type]?.schema;
  if (schema === undefined) throw new Error(`${shown} has the type ${type}`);
  const validator = compile(schema);
  const body: unknown = type.includes('json') ? JSON.parse(response.text) : response.text;
  if (!validator.Check(body))
    throw new Error(`${shown}: ${JSON.stringify(validator.Errors(body)).slice(0, 2_000)}`);
}

t.test('the answers of every operation fit what is said of them', async (t) => {
  const called = new Set<string>(['get /api/gateway/events']);
  for (const [method, path, status, options] of CALLS) {
    const response = await admin.call(method.toUpperCase(), path.slice(1).replace('{id}', 'c'), options);
    t.equal(response.status, status, `${method} ${path}: ${response.text.slice(0, 300)}`);
    t.doesNotThrow(() => checkAnswer(`/api/gateway${path}`, method, response));
    called.add(`${method} /api/gateway${path}`);
  }
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    const response = await request(admin.port, formatRequest('GET', path));
    t.doesNotThrow(() => checkAnswer(path, 'get', response));
    called.add(`get ${path}`);
  }
  const missing = operations
    .map(({ method, path }) => `${method} ${path}`)
    .filter((shown) => !called.has(shown));
  t.same(missing, [], 'none was left out');
});

t.test(
  'the schema of the document takes what validation takes, and refuses what no schema could take',
  async (t) => {
    const validator = compile({ $ref: '#/components/schemas/Configuration' });
    const good = { clusters: { c: CLUSTER }, routes: { c: ROUTE } };
    t.equal(validateDocument(good).configuration === null, false);
    t.ok(validator.Check(good));
    t.notOk(validator.Check({ clusters: { c: { destinations: { d: {} } } } }));
    t.notOk(validator.Check({ rutes: {} }));
    t.notOk(validator.Check({ clusters: { 'not an id': CLUSTER } }));
  },
);
