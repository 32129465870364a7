/** Redis comes back with nothing: what it held is served on, and the next write gives it back all of it. */
import assert from 'node:assert/strict';
import t, { type Test } from 'tap';
import { routeTo, startFleet, startTraffic } from '../helpers/fleet.ts';
import { startRedis } from '../helpers/redis-server.ts';
import { openStore, storedAgreement } from '../helpers/store-client.ts';

const redis = await startRedis(t);
const fleet = await startFleet(t, { url: redis.url, routes: { other: routeTo('/other') } });
let losses = 0;

/** Starts Redis again with nothing, and waits until both instances say so. */
async function emptyRedis(t: Test): Promise<void> {
  await redis.restart();
  losses += 1;
  await fleet.each(({ ready, store, configuration }) => {
    assert.equal(store.reachable, true);
    assert.match(configuration.degraded ?? '', /the store is empty/);
    assert.equal(ready, true);
  });
  await fleet.eachMetric({ gateway_configuration_degraded: 1, gateway_store_reachable: 1 });
  for (const { gateway } of fleet.instances) {
    const isLoud = ({ msg, level }: { msg?: string; level?: unknown }) =>
      level === 'error' && msg?.startsWith('the store is empty') === true;
    t.equal(gateway.logs.filter(isLoud).length, losses, 'it is logged as an error');
  }
}

t.test('Redis back empty: never adopted; the next write restores everything and adds to it', async (t) => {
  const before = await fleet.agree();
  const traffic = await startTraffic(t, fleet.instances);

  await emptyRedis(t);
  await fleet.each(({ configuration }) => {
    assert.equal(configuration.revision, before.revision);
    assert.equal(configuration.fingerprint, before.fingerprint);
  });
  t.equal(await redis.command('EVAL', COUNT_OF_OTHER_KEYS, '0'), '0', 'nobody filled it');

  const { status, body } = await fleet.two.admin.put('routes', 'added', routeTo('/added'));
  t.equal(status, 201, JSON.stringify(body));
  t.equal(body.revision, before.revision + 1, 'the revision counts on');
  t.equal(body.complete, true);
  const after = await fleet.agree();
  t.equal(after.revision, before.revision + 1);
  t.same(await storedAgreement(await openStore(t, redis)), after, 'Redis holds what is served');
  for (const path of ['/steady', '/other', '/added']) t.same(await fleet.statusOf(path), [200, 200], path);
  await fleet.eachMetric({ gateway_configuration_degraded: 0, gateway_configuration_step_backs_total: 0 });
  await fleet.assertTakesChanges();
  await traffic.assertUnharmed();
});

/** How many keys there are that are no part of what instances tell each other of themselves. */
const COUNT_OF_OTHER_KEYS =
  "return redis.call('DBSIZE') - #redis.call('KEYS', '{gateway}:instance*') - redis.call('EXISTS', '{gateway}:rate-secret')";

t.test('many who write to an empty Redis at once: it is filled once, and all changes land', async (t) => {
  const before = await fleet.agree();
  const traffic = await startTraffic(t, fleet.instances);
  await emptyRedis(t);

  const orders = [1, 2, 3].flatMap((turn) =>
    fleet.instances.map(({ name, admin }) => ({ admin, id: `by-${name}-${turn}` })),
  );
  const answers = await Promise.all(
    orders.map(({ admin, id }) => admin.put('routes', id, routeTo(`/${id}`))),
  );
  for (const { status, body } of answers) t.equal(status, 201, JSON.stringify(body));
  const after = await fleet.agree();
  t.equal(after.revision, before.revision + orders.length);
  t.same(await storedAgreement(await openStore(t, redis)), after);
  for (const id of ['steady', ...orders.map((order) => order.id)]) {
    t.same(await fleet.statusOf(`/${id}`), [200, 200], id);
  }
  await fleet.assertTakesChanges();
  await traffic.assertUnharmed();
});
