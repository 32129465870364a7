/** Redis is killed and comes back with what it held: traffic goes on, writes wait. */
import assert from 'node:assert/strict';
import t from 'tap';
import { routeTo, startFleet, startTraffic } from '../helpers/fleet.ts';
import { startRedis } from '../helpers/redis-server.ts';

t.test('Redis killed and back with its data: no request fails, changes are refused meanwhile', async (t) => {
  const redis = await startRedis(t, { appendOnly: true });
  const fleet = await startFleet(t, { url: redis.url });
  const before = await fleet.agree();
  const traffic = await startTraffic(t, fleet.instances);

  await redis.kill();
  await fleet.each(({ ready, store, configuration }) => {
    assert.equal(ready, true);
    assert.equal(store.reachable, false);
    assert.match(store.problem ?? '', new RegExp(`Redis at ${redis.url}`));
    assert.match(configuration.degraded ?? '', /cannot be reached/);
    assert.equal(configuration.revision, before.revision);
  });
  await fleet.eachMetric({
    gateway_store_reachable: 0,
    gateway_store_problem: 1,
    gateway_configuration_degraded: 1,
  });
  for (const { admin, gateway } of fleet.instances) {
    const { status, body } = await admin.put('routes', 'late', routeTo('/late'));
    t.equal(status, 503);
    t.equal(body.code, 'GW_ERR_STORE_UNAVAILABLE');
    t.match(body.detail, /^Redis at .*: nothing was written$/);
    t.equal(body.written, 'no');
    t.match(
      gateway.logs.findLast(({ msg }) => msg === 'the condition of the store has changed'),
      { level: 'error', reachable: false },
    );
  }
  await traffic.flows();

  await redis.restart();
  t.same(await fleet.agree(10_000), before, 'all are where they were, within seconds');
  await fleet.eachMetric({
    gateway_store_reachable: 1,
    gateway_store_problem: 0,
    gateway_configuration_degraded: 0,
  });
  t.same(await fleet.statusOf('/late'), [404, 404]);
  await fleet.assertTakesChanges();
  await traffic.assertUnharmed();
});
