/** SIGHUP that comes again, or together with a change of the configuration. */
import t from 'tap';
import { startGateway } from '../helpers/gateway-process.ts';
import { startLoad } from '../helpers/load.ts';
import { startOrigin } from '../helpers/scripted-origin.ts';
import { get } from '../helpers/worker-processes.ts';

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

    t.test('several signals in a row, some while a restart is under way, cost no request', async (t) => {
      const load = startLoad({ owner: t, port: gateway.port, clients: 4, keepAlive: true });
      const others = startLoad({ owner: t, port: gateway.port, clients: 4, keepAlive: false });
      await load.waitForAnswers(20);
      const restarted = gateway.waitForNextLog(({ msg }) => msg === 'workers restarted', RESTART_LIMIT_MS);
      gateway.signal('SIGHUP');
      await gateway.waitForNextLog(({ msg }) => msg === 'worker serves', RESTART_LIMIT_MS);
      gateway.signal('SIGHUP');
      gateway.signal('SIGHUP');
      await restarted;
      await Promise.all([load.waitForAnswers(20), others.waitForAnswers(20)]);
      await Promise.all([load.stop(), others.stop()]);
      t.same([...load.failures, ...others.failures], []);
      t.same(
        gateway.logs.filter(({ level }) => level === 'error' || level === 'fatal'),
        [],
      );
    });

    t.test('a change of the configuration during a restart reaches every worker', async (t) => {
      const restarted = gateway.waitForNextLog(({ msg }) => msg === 'workers restarted', RESTART_LIMIT_MS);
      gateway.signal('SIGHUP');
      await gateway.waitForNextLog(({ msg }) => msg === 'worker serves', RESTART_LIMIT_MS);
      const revision = await gateway.applyConfig({ ...config, routes: {} }, RESTART_LIMIT_MS);
      await restarted;
      const metrics = await gateway.metrics();
      const revisions = [...metrics]
        .filter(([name]) => name.startsWith('gateway_worker_configuration_revision'))
        .map(([, value]) => value);
      t.same(revisions, new Array(workers).fill(revision));
      for (let question = 0; question < 4; question += 1) {
        t.equal((await get(gateway.port, '/')).status, 404);
      }
      await gateway.applyConfig(config);
    });
  });
}
