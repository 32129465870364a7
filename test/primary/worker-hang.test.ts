/** Workers that hang are replaced; workers whose primary is gone leave. */
import t from 'tap';
import { startGateway } from '../helpers/gateway-process.ts';
import { connect, formatRequest } from '../helpers/raw-client.ts';
import { startOrigin } from '../helpers/scripted-origin.ts';
import { listWorkers, waitForMetrics, waitForWorkers } from '../helpers/worker-processes.ts';

const origin = await startOrigin((_, connection) => connection.answer({ body: 'ok' }), { owner: t });
const config = {
  clusters: { only: { destinations: { one: { url: origin.url } } } },
  routes: { all: { match: { path: '/{**rest}' }, cluster: 'only' } },
};

t.test('a worker that hangs is killed, and its waiting connections go to another', async (t) => {
  const gateway = await startGateway(t, { config, workers: 2, accessLog: 'off' });
  const [[hanging = 0, pid = 0] = []] = listWorkers(gateway);
  const hangs = gateway.waitForNextLog(({ msg }) => msg === 'worker hangs', 20_000);
  const serves = waitForWorkers(gateway, 1, 30_000);
  process.kill(pid, 'SIGSTOP');
  // One of these is given to the worker that does not take it; the others do not wait for it.
  const clients = await Promise.all(Array.from({ length: 4 }, () => connect(gateway.port, { owner: t })));
  for (const client of clients) client.send(formatRequest('GET', '/'));
  const responses = await Promise.all(clients.map((client) => client.readResponse({ limitMs: 20_000 })));
  t.same(
    responses.map(({ status }) => status),
    [200, 200, 200, 200],
  );
  t.match(await hangs, { worker: hanging, workerPid: pid, level: 'error' });
  await serves;
  const metrics = await waitForMetrics(gateway, (seen) => seen.get('gateway_workers{state="serving"}') === 2);
  t.equal(metrics.get('gateway_worker_restarts_total{reason="hung"}'), 1);
});

t.test('workers do not outlive a primary that is killed', async (t) => {
  const gateway = await startGateway(t, { config, workers: 2 });
  gateway.signal('SIGKILL');
  // Resolves once no process holds the output any more, so the workers are gone too.
  t.same(await gateway.exited, { code: null, signal: 'SIGKILL' });
  await t.rejects(connect(gateway.port), { code: 'ECONNREFUSED' });
});
