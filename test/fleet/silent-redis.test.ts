/** Redis hangs with its connections open, for longer than anybody waits. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { routeTo, startFleet, startTraffic } from '../helpers/fleet.ts';
import { startRedis } from '../helpers/redis-server.ts';
import { openStore, publishByHand, storedAgreement } from '../helpers/store-client.ts';

const SILENCE_MS = 10_000;

t.test('Redis silent for ten seconds, and a change by somebody else at once when it goes on', async (t) => {
  const redis = await startRedis(t);
  const fleet = await startFleet(t, { url: redis.url });
  const { revision } = await fleet.agree();
  const traffic = await startTraffic(t, fleet.instances);

  redis.pause();
  t.teardown(() => redis.resume());
  // How long a server hangs is what this test is about.
  const silence = delay(SILENCE_MS);
  await fleet.each(({ ready, store, configuration }) => {
    assert.equal(store.reachable, false);
    assert.match(configuration.degraded ?? '', /cannot be reached/);
    assert.equal(ready, true);
  }, SILENCE_MS);
  const { status, body } = await fleet.one.admin.put('routes', 'late', routeTo('/late'));
  t.match({ status, body }, { status: 503, body: { code: 'GW_ERR_STORE_UNAVAILABLE', written: 'no' } });
  await silence;
  await traffic.flows();

  // The command is with the kernel of the server before that goes on: the first thing that it does.
  const published = publishByHand(redis, [['route', 'next', JSON.stringify(routeTo('/next'))]]);
  redis.resume();
  await published;
  const after = await fleet.agree();
  await fleet.each(({ configuration }) => assert.equal(configuration.revision, revision + 1));
  t.same(await storedAgreement(await openStore(t, redis)), await fleet.agree());
  t.ok(after.revision >= revision);
  t.same(await fleet.statusOf('/next'), [200, 200]);
  t.same(await fleet.statusOf('/late'), [404, 404]);
  await fleet.assertTakesChanges();
  await traffic.assertUnharmed();
});
