/** Workers that die are replaced, and take with them no more than they had under way. */
import t from 'tap';
import { startGateway } from '../helpers/gateway-process.ts';
import { startLoad } from '../helpers/load.ts';
import { startOrigin } from '../helpers/scripted-origin.ts';
import { listWorkers, waitForMetrics, waitForWorkers } from '../helpers/worker-processes.ts';

const origin = await startOrigin((_, connection) => connection.answer({ body: 'ok' }), { owner: t });
const config = {
  clusters: { only: { destinations: { one: { url: origin.url } } } },
  routes: { all: { match: { path: '/{**rest}' }, cluster: 'only' } },
};
const CLIENTS = 8;
/** Whoever comes while no worker lives waits for the next one, on a machine that has a lot else to do. */
const LIMIT_MS = 30_000;

const RESTARTS = 'gateway_worker_restarts_total{reason="died"}';

for (const workers of [1, 2]) {
  t.test(`with ${workers} worker${workers === 1 ? '' : 's'}`, async (t) => {
    const gateway = await startGateway(t, { config, workers, accessLog: 'off' });
    for (const keepAlive of [true, false]) {
      const how = keepAlive ? 'kept connections' : 'a connection a request';
      t.test(
        `one that is killed under load takes with it no more than it had under way (${how})`,
        async (t) => {
          const restarts = (await gateway.metrics()).get(RESTARTS) ?? 0;
          const load = startLoad({
            owner: t,
            port: gateway.port,
            clients: CLIENTS,
            keepAlive,
            limitMs: LIMIT_MS,
          });
          await load.waitForAnswers(50);
          const [victim = 0] = listWorkers(gateway).values();
          const replaced = waitForWorkers(gateway, 1, LIMIT_MS);
          process.kill(victim, 'SIGKILL');
          await replaced;
          await load.waitForAnswers(50);
          await load.stop();
          // Nobody waits in vain: what was under way is reset, everything else is answered.
          t.ok(load.failures.length <= CLIENTS, `${load.failures.length} requests failed`);
          // The system says EPIPE of a reset where the end of the connection came before the request.
          for (const failure of load.failures) t.match(failure, /ECONNRESET|EPIPE/);
          t.same([...load.statuses.keys()], [200]);
          t.notOk([...listWorkers(gateway).values()].includes(victim));
          const metrics = await waitForMetrics(
            gateway,
            (seen) => seen.get('gateway_workers{state="serving"}') === workers,
          );
          t.equal(metrics.get(RESTARTS), restarts + 1);
        },
      );
    }
  });
}
