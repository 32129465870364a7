/** Rate limits of a real gateway: its workers share them, and no request waits for that. */
import assert from 'node:assert/strict';
import t from 'tap';
import { eventually } from '../helpers/eventually.ts';
import { startGateway } from '../helpers/gateway-process.ts';
import { connect, formatRequest, type RawClient } from '../helpers/raw-client.ts';
import type { RawResponse } from '../helpers/response-reader.ts';
import { startOrigin } from '../helpers/scripted-origin.ts';
import { waitForMetrics } from '../helpers/worker-processes.ts';

const WORKERS = 3;
const LIMIT = 60;
/** What comes back during a test is less than one request. */
const SLOW = { perSec: 86_400 };

const origin = await startOrigin(
  (_, connection) => connection.answer({ headers: [['RateLimit', '"origin";r=1']], body: 'served' }),
  { owner: t },
);
const route = (path: string, rateLimits: readonly object[]) => ({
  match: { path },
  cluster: 'origin',
  rateLimits,
});

/** Each test has a route, and so a limit, of its own. */
const config = {
  clusters: { origin: { destinations: { only: { url: origin.url } } } },
  routes: {
    single: route('/single', [{ requests: LIMIT, ...SLOW }]),
    address: route('/address', [{ requests: LIMIT, ...SLOW, key: { source: 'clientIp' } }]),
    steady: route('/steady', [{ requests: 50, perSec: 1, burst: 10 }]),
    told: route('/told', [{ name: 'all', requests: LIMIT, ...SLOW }]),
    changed: route('/changed', [{ requests: LIMIT, ...SLOW }]),
  },
};
const gateway = await startGateway(t, { workers: WORKERS, accessLog: 'off', config });

async function ask(client: RawClient, path: string): Promise<RawResponse> {
  client.send(formatRequest('GET', path));
  return client.readResponse();
}

t.test('one client on one connection gets its whole limit after a moment, and no more', async (t) => {
  const client = await connect(gateway.port, { owner: t });
  let [passed, refused] = [0, 0];
  await eventually(async () => {
    const { status } = await ask(client, '/single');
    if (status === 200) passed += 1;
    else refused += 1;
    assert(passed > 0.9 * LIMIT, `${passed} of ${LIMIT}`);
  }, 20_000);
  // Some of these are at the other workers, which gave up for it what they had.
  const others = await Promise.all(
    Array.from({ length: 2 * WORKERS }, () => connect(gateway.port, { owner: t })),
  );
  for (let more = 0; more < LIMIT / 2; more += 1) {
    for (const { status } of await Promise.all([client, ...others].map((one) => ask(one, '/single')))) {
      if (status === 200) passed += 1;
      else refused += 1;
    }
  }
  t.ok(passed <= LIMIT, `${passed} of ${LIMIT}`);
  const refusedOf = (seen: ReadonlyMap<string, number>) =>
    seen.get('gateway_rate_limited_total{cluster="origin",route="single"}') ?? 0;
  const metrics = await waitForMetrics(gateway, (seen) => refusedOf(seen) >= refused);
  t.equal(refusedOf(metrics), refused);
});

t.test('clients on all workers together get no more than the limit', async (t) => {
  const clients = await Promise.all(
    Array.from({ length: 2 * WORKERS }, () => connect(gateway.port, { owner: t })),
  );
  let passed = 0;
  const round = async () => {
    const answers = await Promise.all(clients.map((client) => ask(client, '/address')));
    passed += answers.filter(({ status }) => status === 200).length;
  };
  await eventually(async () => {
    await round();
    assert(passed > 0.9 * LIMIT, `${passed} of ${LIMIT}`);
  }, 20_000);
  for (let more = 0; more < LIMIT; more += 1) await round();
  t.ok(passed <= LIMIT, `${passed} of ${LIMIT}`);
});

t.test('the rate is that of the whole limit, whichever worker a client is at', async (t) => {
  const client = await connect(gateway.port, { owner: t });
  let passed = 0;
  const startMs = performance.now();
  await eventually(async () => {
    if ((await ask(client, '/steady')).status === 200) passed += 1;
    assert(passed >= 200);
  }, 30_000);
  const most = 10 + (50 * (performance.now() - startMs)) / 1_000;
  t.ok(passed <= 1.2 * most + 10, `${passed} of ${most}`);
});

t.test('clients are told the limit with every answer, and why one is a refusal', async (t) => {
  const client = await connect(gateway.port, { owner: t });
  const served = await ask(client, '/told');
  t.equal(served.status, 200);
  t.equal(served.header('ratelimit-policy'), `"all";q=${LIMIT};w=86400`);
  t.match(served.header('ratelimit'), /^"all";r=5\d;t=\d+$/, "in place of the origin's");
  const refused = await eventually(async () => {
    const answer = await ask(client, '/told');
    assert.equal(answer.status, 429);
    return answer;
  });
  t.match(JSON.parse(refused.text), { status: 429, code: 'GW_ERR_RATE_LIMITED' });
  t.match(refused.header('retry-after'), /^\d+$/);
  t.equal(refused.header('ratelimit-policy'), `"all";q=${LIMIT};w=86400`);
  t.match(refused.header('ratelimit'), /^"all";r=0;t=\d+$/);
});

t.test('a change of the route, or of others, gives nobody a new budget', async (t) => {
  const client = await connect(gateway.port, { owner: t });
  const requests = LIMIT + 1;
  const routes = {
    ...config.routes,
    changed: route('/changed', [{ requests, ...SLOW }]),
    other: route('/other', [{ requests, ...SLOW }]),
  };
  await eventually(async () => assert.equal((await ask(client, '/changed')).status, 429));
  const before = await gateway.metrics();
  await gateway.applyConfig({ ...config, routes });
  let passed = before.get('gateway_requests_total{cluster="origin",route="changed",status="200"}') ?? 0;
  for (let more = 0; more < 3 * LIMIT; more += 1)
    if ((await ask(client, '/changed')).status === 200) passed += 1;
  t.ok(passed <= LIMIT + 1, `${passed}`);
});
