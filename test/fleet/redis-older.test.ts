/** Redis comes back with an older or another history: the store wins, loudly. */
import assert from 'node:assert/strict';
import t, { type Test } from 'tap';
import { routeTo, startFleet, startTraffic } from '../helpers/fleet.ts';
import { startRedis } from '../helpers/redis-server.ts';
import { openStore, publish, storedAgreement } from '../helpers/store-client.ts';

const redis = await startRedis(t, { appendOnly: true });
const fleet = await startFleet(t, { url: redis.url });
let stepsBack = 0;

/** One more step back is counted, and said in the log. */
async function assertLoud(t: Test, expected: { from: number; to: number }): Promise<void> {
  stepsBack += 1;
  await fleet.eachMetric({ gateway_configuration_step_backs_total: stepsBack });
  for (const { gateway } of fleet.instances) {
    const lines = gateway.logs.filter(({ msg }) => msg?.includes('older or another history'));
    t.equal(lines.length, stepsBack);
    t.match(lines.at(-1), { level: 'error', ...expected });
  }
}

t.test('Redis back older: all take what it holds, and say that changes are lost', async (t) => {
  const kept = await fleet.agree();
  const copy = await redis.saveCopy();
  for (const id of ['lost-1', 'lost-2', 'lost-3']) {
    assert.equal((await fleet.one.admin.put('routes', id, routeTo(`/${id}`))).status, 201);
  }
  const traffic = await startTraffic(t, fleet.instances);

  await redis.restart({ from: copy });
  t.same(await eventuallyAt(kept.revision), kept, 'the very table from before');
  t.same(await storedAgreement(await openStore(t, redis)), kept);
  await assertLoud(t, { from: kept.revision + 3, to: kept.revision });
  t.same(await fleet.statusOf('/lost-1'), [404, 404]);
  await fleet.assertTakesChanges();
  await traffic.assertUnharmed();
});

t.test('Redis back with as many changes, but others: all take those', async (t) => {
  const { revision } = await fleet.agree();
  const copy = await redis.saveCopy();
  assert.equal((await fleet.one.admin.put('routes', 'lost', routeTo('/lost'))).status, 201);
  const traffic = await startTraffic(t, fleet.instances);

  // Told to nobody: gateways that come back later find another head with the number that they hold.
  const elsewhere = await startRedis(t, { appendOnly: true });
  await elsewhere.restart({ from: copy });
  const operation = { op: 'put', kind: 'route', id: 'instead', value: routeTo('/instead') } as const;
  await publish(await openStore(t, elsewhere), operation);
  await redis.restart({ from: await elsewhere.saveCopy() });

  await fleet.each(() => {});
  await assertLoud(t, { from: revision + 1, to: revision + 1 });
  t.same(await storedAgreement(await openStore(t, redis)), await fleet.agree());
  t.same(await fleet.statusOf('/lost'), [404, 404]);
  t.same(await fleet.statusOf('/instead'), [200, 200]);
  await fleet.assertTakesChanges();
  await traffic.assertUnharmed();
});

async function eventuallyAt(revision: number) {
  await fleet.each(({ configuration }) => assert.equal(configuration.revision, revision));
  return fleet.agree();
}
