/** The admin listener: health, readiness, and what is not served there. */
import t from 'tap';
import { startGateway } from '../helpers/gateway-process.ts';
import { formatRequest, request } from '../helpers/raw-client.ts';
import { get, listWorkers, waitForWorkers } from '../helpers/worker-processes.ts';

const EMPTY = { clusters: {}, routes: {} };
const CLUSTER = { destinations: { one: { url: 'http://127.0.0.1:1' } } };
const gateway = await startGateway(t, { config: EMPTY, workers: 2 });

t.test('health and readiness', async (t) => {
  for (const [path, text] of [
    ['/healthz', 'ok\n'],
    ['/readyz', 'ready\n'],
    ['/readyz?verbose=1', 'ready\n'],
  ] as const) {
    const response = await get(gateway.adminPort, path);
    t.same([response.status, response.text], [200, text], path);
    const head = await request(gateway.adminPort, formatRequest('HEAD', path, { Connection: 'close' }));
    t.same([head.status, head.text], [200, ''], `HEAD ${path}`);
  }
});

t.test('metrics come as Prometheus text', async (t) => {
  const response = await get(gateway.adminPort, '/metrics');
  t.match(response.header('content-type'), /^text\/plain; version=0\.0\.4/);
  t.match(response.text, '# TYPE gateway_requests_total counter');
  t.match(response.text, '# HELP gateway_requests_total ');
  t.match(response.text, '# TYPE gateway_request_duration_seconds histogram');
});

t.test('anything else is not found there, also what the routes would serve', async (t) => {
  for (const path of ['/', '/health', '/metrics/', '/healthz/../metrics', '/config']) {
    t.equal((await get(gateway.adminPort, path)).status, 404, path);
  }
});

t.test('only GET and HEAD are served', async (t) => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    const text = formatRequest(method, '/metrics', { Connection: 'close' }, method === 'POST' ? 'body' : '');
    const response = await request(gateway.adminPort, text);
    t.equal(response.status, 405, method);
    t.equal(response.header('allow'), 'GET, HEAD');
  }
});

t.test('the probes are not on the port of the clients', async (t) => {
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    t.equal((await get(gateway.port, path)).status, 404, path);
  }
});

t.test('a change on its way to the workers takes no gateway out of service', async (t) => {
  const [pid = 0] = listWorkers(gateway).values();
  process.kill(pid, 'SIGSTOP');
  t.teardown(() => process.kill(pid, 'SIGCONT'));
  const [changed] = await Promise.all([
    gateway.waitForNextLog(({ msg }) => msg === 'configuration changed'),
    gateway.writeConfig({ clusters: { c: CLUSTER }, routes: {} }),
  ]);
  t.equal((await get(gateway.adminPort, '/readyz')).status, 200, 'what was there before is still served');
  const applied = gateway.waitForNextLog(({ msg }) => msg === 'configuration applied');
  process.kill(pid, 'SIGCONT');
  t.equal((await applied).revision, changed.revision);
  t.equal((await get(gateway.adminPort, '/readyz')).status, 200);
});

t.test(
  'not ready while a worker is down, and alive; ready again with the one that takes its place',
  async (t) => {
    /** Kills the worker that came last, always that of one slot; gives what ends when the next one serves. */
    const killLast = async () => {
      const died = gateway.waitForNextLog(({ msg }) => msg === 'worker died');
      const serves = waitForWorkers(gateway, 1);
      process.kill([...listWorkers(gateway).values()].at(-1) ?? 0, 'SIGKILL');
      await died;
      return { serves };
    };
    // Each young death makes the next start wait longer, so that the last one leaves time to look.
    for (let death = 0; death < 3; death += 1) await (await killLast()).serves;
    const { serves } = await killLast();
    const down = await get(gateway.adminPort, '/readyz');
    t.same([down.status, down.text], [503, 'not ready: not every worker is up\n']);
    t.equal((await get(gateway.adminPort, '/healthz')).status, 200, 'but alive');
    await serves;
    t.equal((await get(gateway.adminPort, '/readyz')).status, 200);
  },
);

t.test('ready is ready: a refused configuration takes no gateway out of service', async (t) => {
  await gateway.offerConfig('routes: 3');
  t.equal((await get(gateway.adminPort, '/readyz')).status, 200);
});
