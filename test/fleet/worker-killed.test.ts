/** Workers are killed while they are given a large configuration: none ever serves half of it. */
import assert from 'node:assert/strict';
import t from 'tap';
import type { WorkerStatus } from '../../lib/admin/control-plane.ts';
import { eventually } from '../helpers/eventually.ts';
import { agreementOf, type Instance, routeTo, startInstance, startTraffic } from '../helpers/fleet.ts';
import { startLoad } from '../helpers/load.ts';
import { startRedis } from '../helpers/redis-server.ts';
import { startOrigin } from '../helpers/scripted-origin.ts';

const ROUTES = 20_000;
const LIMIT_MS = 40_000;

/** Waits for a worker in that state and kills it. */
async function killWorker({ admin, gateway }: Instance, state: string): Promise<WorkerStatus> {
  const worker = await eventually(async () => {
    const found = (await admin.status()).workers.find((one) => one.state === state);
    assert(found !== undefined, `no worker is ${state}`);
    return found;
  }, LIMIT_MS);
  process.kill(worker.pid, 'SIGKILL');
  await gateway.waitForLog((line) => line.msg === 'worker died' && line.worker === worker.worker);
  return worker;
}

t.test(
  'a worker killed in the middle of 20,000 routes: its successor serves all of them, or nothing',
  async (t) => {
    const redis = await startRedis(t);
    const origin = await startOrigin((_, connection) => connection.answer({ body: 'served' }), { owner: t });
    const instance = await startInstance(t, 'one', redis.url);
    const { admin, gateway } = instance;
    const routes = Object.fromEntries(
      Array.from({ length: ROUTES }, (_, index) => [`large-${index}`, routeTo(`/large/${index}`)]),
    );
    const clusters = { origin: { destinations: { only: { url: origin.url } } } };
    const body = { clusters, routes: { ...routes, steady: routeTo('/steady') } };
    const written = await admin.write('PUT', 'config?wait=all&timeoutMs=60000', { body });
    t.equal(written.status, 200, JSON.stringify(written.body).slice(0, 1_000));
    const before = await eventually(async () => agreementOf([await admin.status()]));

    await killWorker(instance, 'serving');
    // From now on there is one worker that serves: its kept connections are not to notice what becomes of the other,
    // which is looked for meanwhile, as it does not load for long.
    const [kept, loading] = await Promise.all([startTraffic(t, [instance]), killWorker(instance, 'loading')]);
    const served = gateway.logs.filter(
      ({ msg, worker }) => msg === 'worker serves' && worker === loading.worker,
    );
    t.same(served, [], 'it died before it had everything');
    const fresh = startLoad({
      owner: t,
      port: gateway.port,
      clients: 2,
      keepAlive: false,
      pauseMs: 5,
      path: () => `/large/${Math.floor(Math.random() * ROUTES)}`,
    });

    const after = await eventually(async () => agreementOf([await admin.status()]), LIMIT_MS);
    t.same(after, before, 'the successor has the very same table');
    await fresh.waitForAnswers(100, LIMIT_MS);
    await fresh.stop();
    t.same(fresh.failures, []);
    t.same([...fresh.statuses.keys()], [200], 'no route was ever missing');
    const change = await admin.put('routes', 'confirmed', routeTo('/confirmed'));
    t.equal(change.status, 201);
    t.same(
      change.body.applied?.map(({ ok }) => ok),
      [true, true],
    );
    await kept.assertUnharmed();
  },
);
