/** Starting while Redis is down: from the last good configuration, or not at all until it comes. */
import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { AdminClient } from '../helpers/admin-client.ts';
import { eventually } from '../helpers/eventually.ts';
import { agreementOf, type Instance, routeTo, startInstance } from '../helpers/fleet.ts';
import { type GatewayProcess, type LogLine, launchGateway } from '../helpers/gateway-process.ts';
import { lastGoodFileOf, waitUntilSaved } from '../helpers/last-good.ts';
import { type RedisProcess, startRedis } from '../helpers/redis-server.ts';
import { startOrigin } from '../helpers/scripted-origin.ts';
import { findServerPort } from '../helpers/server-port.ts';
import { openStore, publish, storedAgreement } from '../helpers/store-client.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import { get } from '../helpers/worker-processes.ts';

/** Of a gateway on a busy machine. */
const START_LIMIT_MS = 40_000;

const redis = await startRedis(t, { appendOnly: true });
const store = await openStore(t, redis);
const origin = await startOrigin((_, connection) => connection.answer({ body: 'served' }), { owner: t });
const head = await publish(
  store,
  { op: 'put', kind: 'cluster', id: 'origin', value: { destinations: { only: { url: origin.url } } } },
  { op: 'put', kind: 'route', id: 'steady', value: routeTo('/steady') },
);

/** What a gateway left that served the configuration of the store and was killed. */
const left = await (async () => {
  const { gateway } = await startInstance(t, 'one', redis.url, { workers: 1 });
  await waitUntilSaved(gateway, head.revision);
  gateway.signal('SIGKILL');
  await gateway.exited;
  return gateway.stateDirectory;
})();

/** A copy of it, which goes with the test. */
async function copyState(owner: Test): Promise<string> {
  const copy = await createTemporaryDirectory(owner);
  await cp(left, copy, { recursive: true });
  return copy;
}

async function whileRedisIsDown(
  work: () => Promise<void>,
  { kill, start }: Pick<RedisProcess, 'kill' | 'start'>,
) {
  await kill();
  try {
    await work();
  } finally {
    await start();
  }
}
const down = { kill: () => redis.kill(), start: () => redis.start() };

/** One that has nothing to serve: it says so, and serves as soon as Redis is there. */
async function assertWaits(
  t: Test,
  gateway: GatewayProcess,
  admin: AdminClient,
  port: number,
): Promise<void> {
  const isTold = ({ msg, level }: LogLine) => level === 'error' && /^no configuration yet/.test(msg ?? '');
  await gateway.waitForLog(isTold, START_LIMIT_MS);
  const probe = await get(port, '/readyz');
  t.equal(probe.status, 503);
  t.match(probe.text, /no configuration/);
  t.equal((await get(port, '/healthz')).status, 200);
  t.match(await admin.status(), {
    ready: false,
    store: { reachable: false, problem: /Redis at/ },
    configuration: { revision: 0, degraded: /no configuration to serve/ },
    workers: [],
  });
  const { status, body } = await admin.put('routes', 'early', routeTo('/early'));
  t.match(
    { status, body },
    { status: 503, body: { code: 'GW_ERR_NOT_READY', detail: /no configuration.*Redis at/ } },
  );
  t.equal((await admin.call('GET', 'config')).status, 503, 'nothing is not an empty configuration');
}

async function assertServesAll(t: Test, { gateway, admin }: Instance): Promise<void> {
  const agreed = await eventually(async () => agreementOf([await admin.status()], 1));
  t.same(agreed, await eventually(() => storedAgreement(store)));
  t.equal((await get(gateway.port, '/steady')).status, 200);
  t.equal((await get(gateway.adminPort, '/readyz')).status, 200);
}

const isReady = ({ msg }: { readonly msg?: string }) => msg === 'gateway ready';

t.test(
  'with a last good configuration: ready, and says what it serves; in step once Redis is back',
  async (t) => {
    const stateDirectory = await copyState(t);
    let started: Instance | undefined;
    await whileRedisIsDown(async () => {
      const instance = await startInstance(t, 'one', redis.url, { stateDirectory, workers: 1 });
      started = instance;
      const { gateway, admin } = instance;
      t.equal((await get(gateway.adminPort, '/readyz')).status, 200);
      t.equal((await get(gateway.port, '/steady')).status, 200);
      t.match(await admin.status(), {
        ready: true,
        store: { reachable: false },
        configuration: { revision: head.revision, id: head.id, degraded: /cannot be reached/ },
      });
      t.equal((await gateway.metrics()).get('gateway_configuration_degraded'), 1);
      t.match(
        gateway.logs.find(({ msg }) => msg === 'serving the last good configuration'),
        { level: 'warn', revision: head.revision },
      );
    }, down);
    assert(started !== undefined);
    await assertServesAll(t, started);
  },
);

t.test('without one: not ready, says so, and becomes ready by itself', async (t) => {
  const port = await findServerPort();
  let gateway: GatewayProcess | undefined;
  await whileRedisIsDown(async () => {
    gateway = await launch(t, port);
    await assertWaits(t, gateway, clientOf(gateway, port), port);
  }, down);
  assert(gateway !== undefined);
  await gateway.waitForLog(isReady, START_LIMIT_MS);
  await assertServesAll(t, { name: 'one', gateway, admin: clientOf(gateway, port) });
});

t.test('a damaged one is set aside and named; the start goes on from Redis', async (t) => {
  const stateDirectory = await copyState(t);
  const damaged = await damage(stateDirectory);
  const instance = await startInstance(t, 'one', redis.url, { stateDirectory, workers: 1 });
  await assertSetAside(t, instance.gateway, damaged);
  await assertServesAll(t, instance);
});

t.test('a damaged one, and no Redis: set aside, not ready until Redis comes', async (t) => {
  const stateDirectory = await copyState(t);
  const damaged = await damage(stateDirectory);
  const port = await findServerPort();
  let gateway: GatewayProcess | undefined;
  await whileRedisIsDown(async () => {
    gateway = await launch(t, port, stateDirectory);
    await assertWaits(t, gateway, clientOf(gateway, port), port);
    await assertSetAside(t, gateway, damaged);
  }, down);
  assert(gateway !== undefined);
  await gateway.waitForLog(isReady, START_LIMIT_MS);
  await assertServesAll(t, { name: 'one', gateway, admin: clientOf(gateway, port) });
});

function launch(owner: Test, adminPort: number, stateDirectory?: string): Promise<GatewayProcess> {
  return launchGateway(owner, {
    admin: `127.0.0.1:${adminPort}`,
    flags: ['--redis', redis.url, '--instance', 'one'],
    ...(stateDirectory === undefined ? {} : { stateDirectory }),
  });
}

function clientOf({ stateDirectory }: GatewayProcess, port: number): AdminClient {
  return new AdminClient(() => port, stateDirectory);
}

/** Spoils the file, which stays JSON; gives what it holds then. */
async function damage(stateDirectory: string): Promise<string> {
  const file = lastGoodFileOf({ stateDirectory });
  const damaged = (await readFile(file, 'utf8')).replace('/steady', '/spoilt');
  await writeFile(file, damaged);
  return damaged;
}

async function assertSetAside(t: Test, gateway: GatewayProcess, damaged: string): Promise<void> {
  const line = gateway.logs.find(({ msg }) => msg === 'last good configuration is damaged: set aside');
  t.match(line, { level: 'error', reason: lastGoodFileOf(gateway) });
  t.equal(await readFile(String(line?.setAsideAs), 'utf8'), damaged, 'kept for people to look at');
}
