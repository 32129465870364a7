/** A Redis that can be read and not written: traffic and news go on, writers are told why they cannot write. */
import assert from 'node:assert/strict';
import t, { type Test } from 'tap';
import { routeTo, startFleet, startTraffic } from '../helpers/fleet.ts';
import { startRedis } from '../helpers/redis-server.ts';
import { openStore, publish, storedAgreement } from '../helpers/store-client.ts';

const redis = await startRedis(t);
const fleet = await startFleet(t, { url: redis.url });

async function assertNotWritable(t: Test, problem: RegExp): Promise<void> {
  await fleet.each(({ ready, store }) => {
    assert.match(store.problem ?? '', problem);
    assert.equal(store.reachable, true);
    assert.equal(ready, true);
  });
  await fleet.eachMetric({
    gateway_store_problem: 1,
    gateway_store_reachable: 1,
    gateway_configuration_degraded: 0,
  });
  for (const { admin } of fleet.instances) {
    const { status, body } = await admin.put('routes', 'refused', routeTo('/refused'));
    t.match({ status, body }, { status: 503, body: { code: 'GW_ERR_STORE_UNAVAILABLE', detail: problem } });
    t.equal(body.written, 'no');
  }
}

t.test('Redis made a read-only replica: writes are refused, changes of its master arrive', async (t) => {
  const traffic = await startTraffic(t, fleet.instances);
  const other = await startRedis(t);
  await other.makeReplicaOf(redis.port);
  await other.promote();
  await redis.makeReplicaOf(other.port);
  await assertNotWritable(t, /read-only replica/);

  const { revision } = await publish(await openStore(t, other), {
    op: 'put',
    kind: 'route',
    id: 'from-master',
    value: routeTo('/from-master'),
  });
  await fleet.each(({ configuration }) => {
    assert.equal(configuration.revision, revision);
    assert.equal(configuration.applied, true);
  });
  t.same(await fleet.statusOf('/from-master'), [200, 200]);

  await redis.promote();
  const after = await fleet.agree();
  t.same(await storedAgreement(await openStore(t, redis)), after);
  await fleet.eachMetric({ gateway_store_problem: 0, gateway_configuration_step_backs_total: 0 });
  await fleet.assertTakesChanges();
  await traffic.assertUnharmed();
});

t.test('Redis out of memory: writes are refused until there is room', async (t) => {
  const before = await fleet.agree();
  const traffic = await startTraffic(t, fleet.instances);
  await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction', 'maxmemory', '1');
  await assertNotWritable(t, /out of memory/);
  t.same(await storedAgreement(await openStore(t, redis)), before, 'nothing is half written');
  for (const { gateway } of fleet.instances) {
    const told = gateway.logs.filter(({ problem }) => /out of memory/.test(String(problem)));
    t.equal(told.length, 1, 'it is said once, whatever else is tried meanwhile');
  }
  await redis.command('CONFIG', 'SET', 'maxmemory', '0');
  t.same(await fleet.agree(), before);
  await fleet.eachMetric({ gateway_store_problem: 0 });
  await fleet.assertTakesChanges();
  await traffic.assertUnharmed();
});
