/** Requests explained by a worker: what the answer says, that asking changes nothing, and what cannot be asked. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { Cluster, Route } from '../../lib/core/config/model.ts';
import type { ExplainRequest, Explanation } from '../../lib/core/explain/explanation.ts';
import { ExplainingWorker, REVISION, TRUSTED_ADDRESS, WORKER_ID } from './explaining-worker.ts';

const destinations = {
  a: { url: 'http://10.0.0.1:8080', weight: 2 },
  b: { url: 'http://10.0.0.2:8080/base/' },
};

function createWorker(cluster: Partial<Cluster> = {}, route: Partial<Route> = {}): ExplainingWorker {
  const worker = new ExplainingWorker();
  t.teardown(() => worker.table.destroy());
  worker.configure(
    { orders: { destinations, ...cluster } },
    { all: { cluster: 'orders', match: { path: '/{**rest}' }, ...route } },
  );
  return worker;
}

const effectOf = (explanation: Explanation, policy: string) =>
  explanation.policies.find((one) => one.policy === policy)?.effect;
const settingsOf = (explanation: Explanation, policy: string) =>
  explanation.policies.find((one) => one.policy === policy)?.settings;

t.test('an explanation says who gives it, what was matched, why, and where it goes', async (t) => {
  const worker = createWorker({ loadBalancing: { policy: 'roundRobin' } });
  worker.configure({}, { posts: { cluster: 'orders', match: { path: '/orders', methods: ['POST'] } } });
  const explanation = await worker.explain({ url: 'http://API.example.com:80/%6Frders?x=1' });
  t.match(explanation, {
    revision: REVISION,
    worker: WORKER_ID,
    request: { method: 'GET', host: 'api.example.com', path: '/orders', query: 'x=1' },
    refused: undefined,
    candidates: [
      { route: 'posts', order: 0, won: false, reason: 'method GET is not POST' },
      { route: 'all', order: 0, won: true, reason: 'the only route that takes this request' },
    ],
    candidatesCut: false,
    route: 'all',
    cluster: 'orders',
    destinations: [
      { destination: 'a', weight: 2, healthy: true, usable: true, active: 0 },
      { destination: 'b', weight: 1, healthy: true, usable: true, active: 0 },
    ],
    upstream: { method: 'GET', target: '/base/orders?x=1' },
    pick: { destination: 'b', url: 'http://10.0.0.2:8080/base/', certain: true, reason: 'its turn' },
  });
  t.same(JSON.parse(JSON.stringify(explanation)), explanation, 'it is plain JSON');
});

t.test('before there is a configuration no route is found', async (t) => {
  const worker = new ExplainingWorker();
  worker.explainer.routes = null;
  t.match(await worker.explain({}), { refused: { code: 'GW_ERR_NO_ROUTE', status: 404 }, candidates: [] });
});

t.test('asking counts nothing, takes no turn and gives out no request id', async (t) => {
  const worker = createWorker({ loadBalancing: { policy: 'roundRobin' } });
  const before = JSON.stringify(worker.stats.takeSamples());
  const first = await worker.explain({});
  for (let count = 0; count < 5; count += 1) t.same(await worker.explain({}), first);
  t.equal(JSON.stringify(worker.stats.takeSamples()), before);
  t.match(worker.context.requestIds.next(), /-1$/);
  t.equal(worker.context.sweeper.size, 0);
});

t.test('health that was just reported is counted in, and panic is named', async (t) => {
  const worker = createWorker({ loadBalancing: { policy: 'roundRobin' } });
  worker.table.setHealth({ cluster: 'orders', destination: 'b', healthy: false });
  const one = await worker.explain({});
  t.match(one.destinations, [{ usable: true }, { healthy: false, usable: false }]);
  t.match(one.pick, { destination: 'a', certain: true });
  worker.table.setHealth({ cluster: 'orders', destination: 'a', healthy: false });
  const none = await worker.explain({});
  t.match(none.destinations, [{ usable: true }, { usable: true }]);
  t.equal(
    effectOf(none, 'loadBalancing'),
    'roundRobin; 2 of 2 destinations are usable: too few are healthy, so all are used',
  );
});

t.test('the settings in force are named with their defaults', async (t) => {
  const explanation = await createWorker({
    timeouts: { connectMs: 5 },
    retry: { attempts: 3 },
    loadBalancing: { policy: 'consistentHash', hash: { source: 'header', name: 'X-User' } },
  }).explain({});
  t.same(settingsOf(explanation, 'timeouts'), { connectMs: 5, headersMs: 30_000, idleMs: 60_000 });
  t.same(settingsOf(explanation, 'retry'), { attempts: 3, on: ['connect', 'reset'] });
  t.same(settingsOf(explanation, 'limits'), { maxBodyBytes: null });
  t.same(settingsOf(explanation, 'loadBalancing'), {
    policy: 'consistentHash',
    panicThresholdPercent: 50,
    hash: { source: 'header', name: 'X-User', loadBound: 1.25 },
  });
  t.match(settingsOf(await createWorker().explain({}), 'loadBalancing'), { policy: 'powerOfTwoChoices' });
});

t.test('what a request is hashed by is named, also where it has none of it', async (t) => {
  const worker = createWorker({
    loadBalancing: { policy: 'consistentHash', hash: { source: 'cookie', name: 'sid' } },
  });
  const withKey = await worker.explain({ headers: [['cookie', 'a=1; sid=s-7']] });
  t.match(effectOf(withKey, 'loadBalancing'), /; hashed by the cookie sid$/);
  const without = await worker.explain({ clientAddress: '::ffff:192.0.2.9' });
  t.match(
    effectOf(without, 'loadBalancing'),
    /; hashed by the client's address 192\.0\.2\.9, as the cookie sid is absent or empty$/,
  );
  const again = await worker.explain({ headers: [['cookie', 'sid=s-7']], clientAddress: '192.0.2.1' });
  t.equal(again.pick?.destination, withKey.pick?.destination);
});

t.test('retries depend on the method, the body and the kind of request', async (t) => {
  const on: NonNullable<Cluster['retry']>['on'] = ['connect', 'reset', 503];
  const worker = createWorker({ retry: { attempts: 3, on } });
  const effect = async (request: Partial<ExplainRequest>) => effectOf(await worker.explain(request), 'retry');
  t.equal(await effect({}), 'up to 3 attempts in all, after connect, reset, 503');
  t.equal(await effect({ method: 'POST' }), 'up to 3 attempts in all, after connect');
  const headers = [['content-length', '10']] as const;
  t.equal(
    await effect({ method: 'PUT', headers }),
    'up to 3 attempts in all, after connect, reset, 503, as long as no more than 65536 bytes of the body have been read',
  );
  t.equal(
    await effect({ method: 'POST', headers }),
    'up to 3 attempts in all, after connect, as long as nothing of the body has been read',
  );
  const upgrade = [
    ['connection', 'upgrade'],
    ['upgrade', 'websocket'],
  ] as const;
  t.equal(await effect({ headers: upgrade }), 'one attempt: a WebSocket is not tried again');
  worker.configure({ orders: { destinations, retry: { on: [503] } } }, {});
  t.equal(await effect({ method: 'POST' }), 'one attempt: nothing that is tried again fits POST');
  worker.configure({ orders: { destinations, retry: { attempts: 1 } } }, {});
  t.equal(await effect({}), 'one attempt');
});

t.test('what a route does to path, host and headers is said', async (t) => {
  const worker = createWorker(
    {},
    {
      rewrite: { addPrefix: '/v2' },
      preserveHost: true,
      requestHeaders: { set: { 'x-set': '1' }, remove: ['Cookie'] },
      responseHeaders: { remove: ['server'] },
    },
  );
  const explanation = await worker.explain({
    url: '/a',
    headers: [
      ['Host', 'x.test'],
      ['Upgrade', 'h2c'],
    ],
  });
  t.equal(effectOf(explanation, 'rewrite'), 'the path /a becomes /v2/a');
  t.equal(effectOf(explanation, 'host'), 'Host is what the client asked for, x.test');
  t.same(settingsOf(explanation, 'requestHeaders'), { remove: ['cookie', 'x-set'], add: [['x-set', '1']] });
  t.match(effectOf(explanation, 'responseHeaders'), /takes off 1 by name/);
  t.equal(effectOf(explanation, 'upgrade'), 'served as if it had not asked for an upgrade');
});

t.test('a trusted peer is told from others', async (t) => {
  const worker = createWorker();
  const headers = [['x-forwarded-for', '192.0.2.1']] as const;
  const trusted = await worker.explain({ headers, clientAddress: TRUSTED_ADDRESS });
  t.same(settingsOf(trusted, 'forwarding'), { trusted: true, clientAddress: '192.0.2.1' });
  const other = await worker.explain({ headers });
  t.same(settingsOf(other, 'forwarding'), { trusted: false, clientAddress: '127.0.0.1' });
});

t.test('a refusal by the route still shows the route, but nothing that would be sent', async (t) => {
  const worker = createWorker({}, { limits: { maxBodyBytes: 5 } });
  const explanation = await worker.explain({ method: 'POST', headers: [['content-length', '6']] });
  t.match(explanation, {
    route: 'all',
    refused: {
      code: 'GW_ERR_BODY_TOO_LARGE',
      status: 413,
      reason: 'The request body is larger than the route allows: at most 5 bytes',
    },
    upstream: undefined,
    pick: undefined,
  });
  t.equal(effectOf(explanation, 'limits'), 'refused: Content-Length is 6, allowed are 5 bytes');
});

t.test('a worker that drains refuses a WebSocket, and nothing else', async (t) => {
  const worker = createWorker();
  worker.context.draining = true;
  const headers = [
    ['connection', 'upgrade'],
    ['upgrade', 'websocket'],
  ] as const;
  t.match((await worker.explain({ headers })).refused, { code: 'GW_ERR_DRAINING', status: 503 });
  t.equal((await worker.explain({})).refused, undefined);
});

t.test('what no client can send is refused with the place and the fault', async (t) => {
  const worker = createWorker();
  const cases: readonly (readonly [Partial<ExplainRequest>, string, RegExp])[] = [
    [{ url: '/a\r\nX: y' }, 'GW_ERR_BAD_REQUEST', /a line break in the method or the URL/],
    [{ method: 'GET / HTTP/1.1\nX: y' }, 'GW_ERR_BAD_REQUEST', /line break/],
    [{ headers: [['x', 'a\nHost: b']] }, 'GW_ERR_BAD_REQUEST', /a line break in the header "x"/],
    [{ headers: [['x\ud800', '']] }, 'GW_ERR_BAD_REQUEST', /a character that is no byte in the header/],
    [{ headers: [['x', '\u{1f600}']] }, 'GW_ERR_BAD_REQUEST', /no byte/],
    [{ url: '/\ud800' }, 'GW_ERR_BAD_TARGET', /./],
    [{ url: '' }, 'GW_ERR_BAD_REQUEST', /./],
    [{ method: '' }, 'GW_ERR_BAD_REQUEST', /./],
    [{ method: '\u0147ET' }, 'GW_ERR_BAD_REQUEST', /./],
    [{ headers: [['', '']] }, 'GW_ERR_BAD_REQUEST', /./],
    [{ url: '/relative' }, 'GW_ERR_BAD_HOST', /./],
    [{ url: 'http://', headers: [['host', 'a']] }, 'GW_ERR_BAD_TARGET', /empty authority/],
    [{ url: `http://a/${'x'.repeat(5_000_000)}` }, 'GW_ERR_HEADERS_TOO_LARGE', /./],
    [{ headers: Array.from({ length: 300 }, () => ['x', 'y'] as const) }, 'GW_ERR_HEADERS_TOO_LARGE', /256/],
    [
      { headers: Array.from({ length: 10_000 }, () => ['x', 'yy'] as const) },
      'GW_ERR_HEADERS_TOO_LARGE',
      /./,
    ],
    [{ headers: [['x', 'y'.repeat(20_000)]] }, 'GW_ERR_HEADERS_TOO_LARGE', /./],
    [{ clientAddress: 'nobody' }, 'GW_ERR_BAD_REQUEST', /clientAddress is no IP address/],
  ];
  for (const [request, code, reason] of cases) {
    const { refused, upstream } = await worker.explain(request);
    t.equal(refused?.code, code, JSON.stringify(request).slice(0, 80));
    t.match(refused?.reason, reason);
    t.equal(upstream, undefined);
  }
});

t.test('whatever is described, the answer is a refusal or a pick, and never an exception', async () => {
  const worker = createWorker();
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.string({ maxLength: 20 }));
  const url = fc.oneof(
    text,
    text.map((path) => `/${path}`),
    text.map((rest) => `http://h/${rest}`),
    fc.webUrl(),
  );
  const described = fc.record({
    method: fc.oneof(fc.constantFrom('GET', 'POST'), text),
    url,
    headers: fc.array(fc.tuple(fc.oneof(fc.constantFrom('host', 'expect', 'connection'), text), text), {
      maxLength: 5,
    }),
  });
  await fc.assert(
    fc.asyncProperty(described, async (request) => {
      const { refused, pick, upstream } = await worker.explainer.explain(request);
      assert.notEqual(refused?.code, 'GW_ERR_INTERNAL');
      assert.equal(refused === undefined, pick !== undefined && upstream !== undefined);
    }),
    { numRuns: 500 },
  );
});

t.test(
  'a host that requires client certificates is told so, and refused where none can be shown',
  async (t) => {
    const worker = createWorker();
    worker.configure({}, { all: { cluster: 'orders', match: {} } });
    const pair = { certFile: '/nowhere/cert.pem', keyFile: '/nowhere/key.pem' };
    const clientCertificate = { mode: 'required', caFile: '/nowhere/ca.pem' } as const;
    const id = '*.bank.test';
    worker.table.apply([{ op: 'put', kind: 'certificate', id, value: { ...pair, clientCertificate } }]);
    const policy = { policy: 'clientCertificate', settings: { certificate: id } };
    t.match(await worker.explain({ url: 'http://api.bank.test/' }), {
      refused: { code: 'GW_ERR_MISDIRECTED', status: 421 },
      policies: [policy],
    });
    const secure = await worker.explain({ url: 'https://deep.api.bank.test/' });
    t.match(secure.policies[0], policy);
    t.equal(secure.refused, undefined, 'the connection may show one');
    t.equal((await worker.explain({ url: 'http://shop.test/' })).refused, undefined);
  },
);

t.test('what breaks on the way is answered as a failure of the gateway', async (t) => {
  const worker = createWorker();
  worker.explainer.routes = {
    explain() {
      throw new Error('broken');
    },
  };
  t.match(await worker.explain({}), { refused: { code: 'GW_ERR_INTERNAL', status: 500 }, worker: WORKER_ID });
  const nonsense = { method: 3, url: null, headers: [null] } as unknown as ExplainRequest;
  t.match(await worker.explainer.explain(nonsense), { refused: { code: 'GW_ERR_INTERNAL' } });
});
