/** A gateway with a single worker, which dies: nobody is turned away. */
import t from 'tap';
import { startGateway } from '../helpers/gateway-process.ts';
import { connect, formatRequest } from '../helpers/raw-client.ts';
import { startOrigin } from '../helpers/scripted-origin.ts';
import { listWorkers, waitForWorkers } from '../helpers/worker-processes.ts';

const origin = await startOrigin((_, connection) => connection.answer({ body: 'ok' }), { owner: t });
const gateway = await startGateway(t, {
  config: {
    clusters: { only: { destinations: { one: { url: origin.url } } } },
    routes: { all: { match: { path: '/{**rest}' }, cluster: 'only' } },
  },
  workers: 1,
  accessLog: 'off',
});
const workerPid = () => [...listWorkers(gateway).values()].at(-1) ?? 0;

t.test('connections made while no worker lives are served by the next one', async (t) => {
  const died = gateway.waitForNextLog(({ msg }) => msg === 'worker died');
  const serves = waitForWorkers(gateway, 1);
  process.kill(workerPid(), 'SIGKILL');
  await died;
  const clients = await Promise.all(Array.from({ length: 10 }, () => connect(gateway.port, { owner: t })));
  for (const client of clients) client.send(formatRequest('GET', '/'));
  await serves;
  for (const client of clients) t.equal((await client.readResponse()).status, 200);
});

t.test('each death of a young worker makes the next start wait longer', async (t) => {
  const delays: number[] = [];
  for (const _ of [1, 2, 3]) {
    const died = gateway.waitForNextLog(({ msg }) => msg === 'worker died');
    const serves = waitForWorkers(gateway, 1);
    process.kill(workerPid(), 'SIGKILL');
    delays.push(Number((await died).restartInMs));
    await serves;
  }
  t.same(
    delays,
    [...delays].sort((first, second) => first - second),
  );
  t.equal(new Set(delays).size, 3, `${delays.join(', ')} ms grow`);
});
