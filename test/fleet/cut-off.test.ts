/** One instance is cut off from Redis while the other goes on: it is named, and catches up. */
import assert from 'node:assert/strict';
import t from 'tap';
import type { FleetMember } from '../../lib/admin/control-plane.ts';
import { eventually } from '../helpers/eventually.ts';
import { routeTo, startFleet, startTraffic } from '../helpers/fleet.ts';
import { startRedis } from '../helpers/redis-server.ts';
import { openStore, publish, storedAgreement } from '../helpers/store-client.ts';
import { startTcpRelay } from '../helpers/tcp-relay.ts';

const redis = await startRedis(t);
/** The second instance reaches Redis by it. */
const relay = await startTcpRelay(t, redis.port);
const secondUrl = `redis://127.0.0.1:${relay.port}/0`;
const fleet = await startFleet(t, { url: redis.url, secondUrl });

/** Waits until the first instance knows which revision the second one serves: all it can say of it later. */
async function waitUntilAnnounced(revision: number): Promise<void> {
  await eventually(async () => {
    const { text } = await fleet.one.admin.call('GET', 'instances');
    const { instances } = JSON.parse(text) as { instances: FleetMember[] };
    const workers = instances.find(({ instance }) => instance === 'two')?.workers ?? [];
    assert.deepEqual(
      workers.map((worker) => worker.revision),
      [revision, revision],
    );
  });
}

async function waitUntilCutOff(): Promise<void> {
  await fleet.two.gateway.waitForNextLog(
    ({ msg, reachable }) => msg === 'the condition of the store has changed' && reachable === false,
  );
}

for (const { way, id } of [
  { way: 'lets it through again', id: 'unheard' },
  { way: 'cuts it', id: 'unheard-too' },
]) {
  t.test(`a line goes dead, then the network ${way}: 202 names who is silent, who catches up`, async (t) => {
    const { revision } = await fleet.agree();
    await waitUntilAnnounced(revision);
    const traffic = await startTraffic(t, fleet.instances);

    const cutOff = waitUntilCutOff();
    relay.swallow();
    const { status, body } = await fleet.one.admin.put(
      'routes',
      id,
      routeTo(`/${id}`),
      'wait=all&timeoutMs=1500',
    );
    t.equal(status, 202, JSON.stringify(body));
    t.equal(body.complete, false);
    t.equal(body.revision, revision + 1, 'it is written all the same');
    for (const receipt of body.applied ?? []) {
      t.equal(receipt.ok, receipt.instance === 'one');
      if (!receipt.ok) t.match(receipt, { instance: 'two', revision, problem: /\w/ });
    }
    t.same(body.applied?.map(({ instance }) => instance).sort(), ['one', 'one', 'two', 'two']);
    await cutOff;
    t.match(await fleet.two.admin.status(), {
      ready: true,
      store: { reachable: false },
      configuration: { revision, degraded: /cannot be reached/ },
    });
    t.same(await fleet.statusOf(`/${id}`), [200, 404]);

    if (way === 'cuts it') relay.cut();
    relay.restore();
    const after = await fleet.agree();
    t.equal(after.revision, revision + 1);
    t.same(await storedAgreement(await openStore(t, redis)), after);
    t.same(await fleet.statusOf(`/${id}`), [200, 200]);
    await fleet.assertTakesChanges();
    await traffic.assertUnharmed();
  });
}

t.test(
  'who comes back after the log was trimmed takes the difference to the snapshot, in one step',
  async (t) => {
    const { revision } = await fleet.agree();
    const store = await openStore(t, redis);
    const traffic = await startTraffic(t, fleet.instances);

    const cutOff = waitUntilCutOff();
    relay.refuse();
    relay.cut();
    await cutOff;
    for (let change = 1; change <= 30; change += 1) {
      const id = `moving-${change % 3}`;
      await publish(store, { op: 'put', kind: 'route', id, value: routeTo(`/moved-${change}`) });
    }
    await publish(store, { op: 'delete', kind: 'route', id: 'moving-0' });
    const length = Number(await redis.command('XLEN', '{gateway}:log'));
    t.equal(await redis.command('XTRIM', '{gateway}:log', 'MAXLEN', '3'), String(length - 3));
    t.same(
      await fleet.two.gateway.metrics().then((all) => all.get('gateway_configuration_revision')),
      revision,
    );

    const taken = fleet.two.gateway.waitForNextLog(({ msg }) => msg === 'configuration changed');
    relay.restore();
    t.match(await taken, { revision: revision + 31, operations: 2 }, 'what is the same is not touched');
    const after = await fleet.agree();
    t.same(await storedAgreement(store), after);
    for (const [path, status] of [
      ['/moved-29', 200],
      ['/moved-28', 200],
      ['/moved-30', 404],
      ['/moved-1', 404],
    ] as const) {
      assert.deepEqual(await fleet.statusOf(path), [status, status], path);
    }
    await fleet.eachMetric({ gateway_configuration_step_backs_total: 0 });
    await fleet.assertTakesChanges();
    await traffic.assertUnharmed();
  },
);
