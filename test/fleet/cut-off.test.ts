/** One instance is cut off from Redis while the other goes on: it is named, and catches up. */
import assert from 'node:assert/strict';
import t from 'tap';
import { type Fleet, routeTo, startFleet, startTraffic } from '../helpers/fleet.ts';
import { type RedisProcess, startRedis } from '../helpers/redis-server.ts';
import { openStore, publish, storedAgreement } from '../helpers/store-client.ts';
import { startTcpRelay, type TcpRelay } from '../helpers/tcp-relay.ts';
import type { TestOwner } from '../helpers/test-owner.ts';

interface Place {
  readonly redis: RedisProcess;
  readonly relay: TcpRelay;
  readonly fleet: Fleet;
}

/** The second instance reaches Redis by a relay. */
async function startPlace(owner: TestOwner): Promise<Place> {
  const redis = await startRedis(owner);
  const relay = await startTcpRelay(owner, redis.port);
  const secondUrl = `redis://127.0.0.1:${relay.port}/0`;
  return { redis, relay, fleet: await startFleet(owner, { url: redis.url, secondUrl }) };
}

async function waitUntilCutOff({ two }: Fleet): Promise<void> {
  await two.gateway.waitForNextLog(
    ({ msg, reachable }) => msg === 'the condition of the store has changed' && reachable === false,
  );
}

for (const way of ['lets it through again', 'cuts it'] as const) {
  t.test(`a line goes dead, then the network ${way}: 202 names who is silent, who catches up`, async (t) => {
    const { redis, relay, fleet } = await startPlace(t);
    const { revision } = await fleet.agree();
    const traffic = await startTraffic(t, fleet.instances);

    const cutOff = waitUntilCutOff(fleet);
    relay.swallow();
    const { status, body } = await fleet.one.admin.put(
      'routes',
      'unheard',
      routeTo('/unheard'),
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
    t.same(await fleet.statusOf('/unheard'), [200, 404]);

    if (way === 'cuts it') relay.cut();
    relay.restore();
    const after = await fleet.agree();
    t.equal(after.revision, revision + 1);
    t.same(await storedAgreement(await openStore(t, redis)), after);
    t.same(await fleet.statusOf('/unheard'), [200, 200]);
    await fleet.assertTakesChanges();
    await traffic.assertUnharmed();
  });
}

t.test(
  'who comes back after the log was trimmed takes the difference to the snapshot, in one step',
  async (t) => {
    const { redis, relay, fleet } = await startPlace(t);
    const { revision } = await fleet.agree();
    const store = await openStore(t, redis);
    const traffic = await startTraffic(t, fleet.instances);

    const cutOff = waitUntilCutOff(fleet);
    relay.refuse();
    relay.cut();
    await cutOff;
    for (let change = 1; change <= 30; change += 1) {
      const id = `moving-${change % 3}`;
      await publish(store, { op: 'put', kind: 'route', id, value: routeTo(`/moved-${change}`) });
    }
    await publish(store, { op: 'delete', kind: 'route', id: 'moving-0' });
    t.equal(await redis.command('XTRIM', '{gateway}:log', 'MAXLEN', '3'), '29');
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
