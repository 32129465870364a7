/** SIGHUP: every worker is replaced, and no request notices. */
import t from 'tap';
import { startGateway } from '../helpers/gateway-process.ts';
import { startLoad } from '../helpers/load.ts';
import { startOrigin } from '../helpers/scripted-origin.ts';
import { get, listWorkers } from '../helpers/worker-processes.ts';

/** Workers come up one after the other, beside clients that take all of the processor they get. */
const RESTART_LIMIT_MS = 60_000;

const origin = await startOrigin((_, connection) => connection.answer({ body: 'ok' }), { owner: t });
const config = {
  clusters: { only: { destinations: { one: { url: origin.url } } } },
  routes: { all: { match: { path: '/{**rest}' }, cluster: 'only' } },
};

for (const workers of [1, 2]) {
  t.test(`with ${workers} worker${workers === 1 ? '' : 's'}`, async (t) => {
    const gateway = await startGateway(t, { config, workers, accessLog: 'off' });

    for (const keepAlive of [true, false]) {
      const how = keepAlive ? 'kept connections' : 'a connection a request';
      t.test(`a rolling restart costs no request (${how})`, async (t) => {
        const before = [...listWorkers(gateway).values()].slice(-workers);
        const load = startLoad({ owner: t, port: gateway.port, clients: 8, keepAlive });
        await load.waitForAnswers(50);
        const restarted = gateway.waitForNextLog(({ msg }) => msg === 'workers restarted', RESTART_LIMIT_MS);
        gateway.signal('SIGHUP');
        await restarted;
        await load.waitForAnswers(50);
        await load.stop();
        t.same(load.failures, []);
        t.same([...load.statuses.keys()], [200]);
        const after = [...listWorkers(gateway).values()].slice(-workers);
        t.equal(new Set([...before, ...after]).size, 2 * workers, 'every worker is a new process');
        const metrics = await gateway.metrics();
        t.equal(metrics.get('gateway_workers{state="serving"}'), workers);
        t.equal((await get(gateway.adminPort, '/readyz')).status, 200);
      });
    }
  });
}
