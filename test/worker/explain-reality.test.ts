/** What is explained is what happens: each request is explained, then sent, and the two are compared. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { Cluster, Route } from '../../lib/core/config/model.ts';
import type { ExplainRequest, Explanation } from '../../lib/core/explain/explanation.ts';
import { REQUEST_ID_PLACEHOLDER } from '../../lib/worker/explain-forwarding.ts';
import type { HeaderField } from '../helpers/http-message.ts';
import { connect, formatRequest, request } from '../helpers/raw-client.ts';
import { outcome } from '../proxy/proxied-origin.ts';
import { formatUpgrade } from '../proxy/websocket-peers.ts';
import { startExplainingWorker, TRUSTED_ADDRESS } from './explaining-worker.ts';

const { worker, origins } = await startExplainingWorker(t, 3);

const destinations = Object.fromEntries(
  origins.map(({ url }, index) => [`d${index}`, { url: `${url}/base`, weight: index + 1 }]),
);
const clusters: Record<string, Cluster> = {
  turns: { destinations, loadBalancing: { policy: 'roundRobin' } },
  weighted: { destinations, loadBalancing: { policy: 'weightedRoundRobin' } },
  hashed: {
    destinations,
    loadBalancing: { policy: 'consistentHash', hash: { source: 'query', name: 'key' } },
  },
  chance: { destinations, retry: { attempts: 1 } },
  nobody: { destinations: {} },
};
const routes: Record<string, Route> = {
  plain: { cluster: 'turns', match: { path: '/r/{**rest}' } },
  rewritten: {
    cluster: 'weighted',
    match: { path: '/orders/{id}/{**rest}' },
    rewrite: { pattern: '/v2/{rest}/of/{id}' },
    preserveHost: true,
    limits: { maxBodyBytes: 4 },
  },
  transformed: {
    cluster: 'hashed',
    match: { path: '/orders/{**rest}', methods: ['GET', 'PUT'] },
    rewrite: { removePrefix: '/orders' },
    requestHeaders: {
      set: { host: 'fixed.test', 'X-Set': 'route' },
      append: { 'x-a': 'last' },
      remove: ['cookie'],
    },
  },
  versioned: {
    cluster: 'chance',
    match: { path: '/orders/{**rest}', headers: [{ name: 'x-version', values: ['2'] }] },
    order: -1,
    allowEncodedSlash: true,
  },
  other: { cluster: 'turns', match: { hosts: ['*.example.com'], path: '/{**rest}' }, preserveHost: true },
  empty: { cluster: 'nobody', match: { path: '/nobody' } },
};
worker.configure(clusters, routes);

/** What differs from request to request, and what is between the gateway and the origin alone. */
const APART = new Set(['connection', 'x-request-id']);

/** A field that depends on a draw is no part of what was promised. */
function comparable(fields: readonly HeaderField[], explanation: Explanation, hasBody: boolean): string[] {
  const hasHostOfDraw = explanation.pick?.certain === false;
  return (
    fields
      .filter(([name]) => !APART.has(name.toLowerCase()))
      .filter(([name]) => !(hasHostOfDraw && name.toLowerCase() === 'host'))
      // What the engine says of a body that is not there depends on the method alone (RFC 9110 §8.6).
      .filter(([name, value]) => hasBody || name.toLowerCase() !== 'content-length' || value !== '0')
      .map(([name, value]) => `${/^content-length$/i.test(name) ? 'content-length' : name}: ${value}`)
      .sort()
  );
}

function bodyOf(headers: readonly HeaderField[]): string {
  const names = new Map(headers.map(([name, value]) => [name.toLowerCase(), value]));
  if (names.has('transfer-encoding')) return '3\r\nabc\r\n0\r\n\r\n';
  const length = Number(names.get('content-length') ?? 0);
  return length > 0 && length < 100 ? 'b'.repeat(length) : '';
}

function requestsSeen() {
  return origins.flatMap((origin) => origin.requests.map((received) => ({ origin, received })));
}

/** Sends what was explained, and checks that what becomes of it is what was said. */
async function compare(described: ExplainRequest, explanation: Explanation): Promise<void> {
  const { method, url, headers } = described;
  const seen = new Set(requestsSeen().map(({ received }) => received));
  const body = bodyOf(headers);
  const text = `${formatRequest(method, url, [...headers])}${body}`;
  const options = described.clientAddress === undefined ? {} : { localAddress: described.clientAddress };
  const response = await request(worker.port, text, options);
  const arrived = requestsSeen().filter(({ received }) => !seen.has(received));
  const { refused, upstream, pick } = explanation;
  if (refused !== undefined) {
    // A problem without a body still has its status.
    assert.equal(response.status, refused.status);
    if (method !== 'HEAD') assert.equal(outcome(response)[1], refused.code);
    assert.deepEqual([arrived.length, upstream, pick], [0, undefined, undefined]);
    return;
  }
  assert.equal(response.status, 200);
  const [{ received, origin }] = arrived as [(typeof arrived)[0]];
  assert.equal(arrived.length, 1);
  assert.equal(received.method, upstream?.method);
  assert.equal(received.target, upstream?.target);
  const [actual, expected] = [received.headers, upstream?.headers ?? []].map((list) =>
    comparable(list, explanation, body !== ''),
  );
  assert.deepEqual(actual, expected);
  const id = upstream?.headers.find(([name]) => name === 'x-request-id')?.[1];
  if (id !== REQUEST_ID_PLACEHOLDER) assert.equal(received.header('x-request-id'), id);
  if (pick?.certain) assert.equal(pick.url, `${origin.url}/base`);
}

async function explainAndCompare(described: ExplainRequest): Promise<Explanation> {
  const explanation = await worker.explainer.explain(described);
  await compare(described, explanation);
  return explanation;
}

const hosts = fc.constantFrom<readonly HeaderField[]>(
  [['Host', 'localhost']],
  [['HOST', 'Shop.Example.com:8080']],
  [['host', '[::1]:80']],
  [['Host', 'a.example.com.']],
  [['Host', '']],
  [['Host', 'a b']],
  [
    ['Host', 'a'],
    ['Host', 'a'],
  ],
);
const paths = fc.constantFrom(
  '/r/a',
  '/r//a/./../b?x=1&key=3',
  '/orders/7',
  '/orders/7/items/%7e?key=a%20b',
  '/orders/7/a%2fb',
  '/orders/%zz',
  '/orders?',
  '/nobody',
  '/nothing',
  '/..',
  '/a\\b',
  '/a b',
  '/caf\u00e9',
  'foo',
  '*',
  'http://shop.example.com/orders/8?key=1',
  'HTTP://user@a/',
  `/r/${'x'.repeat(8_200)}`,
);
const fields = fc.array(
  fc.constantFrom<HeaderField>(
    ['X-Version', '2'],
    ['x-version', '1'],
    ['Cookie', 'a=1'],
    ['X-A', 'plain'],
    ['Connection', 'X-A, keep-alive'],
    ['TE', 'trailers, gzip'],
    ['X-Forwarded-For', '192.0.2.1'],
    ['X_Forwarded_Proto', 'https'],
    ['X-Forwarded-Host', 'elsewhere.test'],
    ['Forwarded', 'for=192.0.2.1'],
    ['X-Request-Id', 'given-1'],
    ['Upgrade', 'h2c'],
    ['Expect', '100-continue'],
    ['Expect', 'miracles'],
    ['Bad name', 'x'],
    ['X-Control', 'a\u0001b'],
    ['X-Large', 'y'.repeat(9_000)],
    ['X-Empty', '  '],
  ),
  { maxLength: 4 },
);
const framings = fc.constantFrom<readonly HeaderField[]>(
  [],
  [],
  [['Content-Length', '3']],
  [['Content-Length', '5']],
  [['Content-Length', '0']],
  [['content-length', '-1']],
  [['Transfer-Encoding', 'chunked']],
  [['Transfer-Encoding', 'gzip']],
  [
    ['Transfer-Encoding', 'chunked'],
    ['Content-Length', '3'],
  ],
);
const requests: fc.Arbitrary<ExplainRequest> = fc
  .record({
    method: fc.constantFrom('GET', 'GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'get', 'FOO'),
    url: paths,
    host: hosts,
    fields,
    framing: framings,
    isTrusted: fc.boolean(),
  })
  .map(({ method, url, host, fields: others, framing, isTrusted }) => ({
    method,
    url,
    headers: [...host, ...others, ...framing],
    ...(isTrusted && { clientAddress: TRUSTED_ADDRESS }),
  }));

t.test('what arrives, or the refusal, is what was explained, for any request', async () => {
  await fc.assert(
    fc.asyncProperty(requests, async (described) => {
      await explainAndCompare(described);
    }),
    { numRuns: 400 },
  );
});

t.test('each way of a request through the gateway is compared at least once', async (t) => {
  const host: HeaderField = ['Host', 'localhost'];
  const cases: readonly (readonly [string, Partial<ExplainRequest>, string])[] = [
    ['a rewrite', { url: '/orders/7/items' }, 'rewritten'],
    ['a transform', { url: '/orders' }, 'transformed'],
    ['a predicate', { url: '/orders/7', headers: [host, ['x-version', '2']] }, 'versioned'],
    ['a wildcard host', { url: '/x', headers: [['Host', 'shop.example.com']] }, 'other'],
    ['bytes above ASCII', { url: '/r/a', headers: [host, ['X-Name', 'caf\u00e9']] }, 'plain'],
    ['an absolute form', { url: 'http://shop.example.com/x' }, 'other'],
    [
      'a small body',
      { method: 'POST', url: '/orders/7', headers: [host, ['Content-Length', '3']] },
      'rewritten',
    ],
    [
      'an encoded slash that is allowed',
      { url: '/orders/a%2Fb', headers: [host, ['x-version', '2']] },
      'versioned',
    ],
    ['an encoded slash', { url: '/r/a%2Fb' }, 'GW_ERR_BAD_TARGET'],
    [
      'a large body',
      { method: 'POST', url: '/orders/7', headers: [host, ['Content-Length', '5']] },
      'GW_ERR_BODY_TOO_LARGE',
    ],
    ['no destination', { url: '/nobody' }, 'GW_ERR_NO_DESTINATION'],
    ['no route', { url: '/nothing' }, 'GW_ERR_NO_ROUTE'],
    ['a tunnel', { method: 'CONNECT', url: 'localhost:80' }, 'GW_ERR_METHOD_NOT_ALLOWED'],
    ['no HTTP', { method: 'G E T' }, 'GW_ERR_BAD_REQUEST'],
    ['no Host', { url: '/r/a', headers: [['Host', '']] }, 'GW_ERR_BAD_HOST'],
    ['an expectation', { url: '/r/a', headers: [host, ['Expect', 'x']] }, 'GW_ERR_EXPECTATION_FAILED'],
    ['a long target', { url: `/${'x'.repeat(9_000)}` }, 'GW_ERR_TARGET_TOO_LONG'],
    [
      'large headers',
      { url: '/r/a', headers: [host, ['x', 'y'.repeat(17_000)]] },
      'GW_ERR_HEADERS_TOO_LARGE',
    ],
    [
      'many headers',
      { url: '/r/a', headers: [host, ...Array.from({ length: 256 }, (): HeaderField => ['x', 'y'])] },
      'GW_ERR_HEADERS_TOO_LARGE',
    ],
  ];
  for (const [name, part, expected] of cases) {
    const described = { method: 'GET', url: '/', headers: [host], ...part };
    const explanation = await explainAndCompare(described);
    t.equal(explanation.refused?.code ?? explanation.route, expected, name);
  }
});

t.test('the absolute URL that a person pastes is the request that a client would make of it', async (t) => {
  const described = { method: 'GET', url: 'http://shop.example.com:81/orders/9?key=1', headers: [] };
  const explanation = await worker.explainer.explain(described);
  const headers: HeaderField[] = [['Host', 'shop.example.com:81']];
  await compare({ method: 'GET', url: '/orders/9?key=1', headers }, explanation);
  t.match(explanation, { request: { host: 'shop.example.com', path: '/orders/9', query: 'key=1' } });
});

t.test('a WebSocket is explained as it is opened', async (t) => {
  const [origin] = origins as [(typeof origins)[0]];
  worker.configure(
    { sockets: { destinations: { only: { url: origin.url } } } },
    { sockets: { cluster: 'sockets', match: { path: '/sockets' }, requestHeaders: { remove: ['cookie'] } } },
  );
  const fields: HeaderField[] = [
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
    ['Sec-WebSocket-Version', '13'],
    ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
    ['Cookie', 'a=1'],
    ['X-Two', '1'],
    ['x-two', '2'],
  ];
  const explanation = await worker.explain({
    url: '/sockets?x',
    headers: [['Host', 'localhost'], ...fields],
  });
  const arrived = origin.requestArrived();
  const client = await connect(worker.port, { owner: t });
  client.send(formatUpgrade('/sockets?x', fields.slice(4)));
  const received = await arrived;
  t.equal(received.target, explanation.upstream?.target);
  const ownId = ([name]: HeaderField) => name !== 'x-request-id';
  const lines = (list: readonly HeaderField[] = []) =>
    list
      .filter(ownId)
      .map(([name, value]) => `${/^content-length$/i.test(name) ? 'content-length' : name}: ${value}`)
      .sort();
  t.same(lines(received.headers), lines(explanation.upstream?.headers));
  t.same(explanation.pick, {
    destination: 'only',
    url: `${origin.url}/`,
    certain: true,
    reason: 'the only usable one',
  });
  client.reset();
});
