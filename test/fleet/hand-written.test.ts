/** A console writes what cannot be served: it is refused whole, told, and does not stand in the way. */
import assert from 'node:assert/strict';
import t, { type Test } from 'tap';
import { type Agreement, type Fleet, routeTo, startFleet, startTraffic } from '../helpers/fleet.ts';
import { startRedis } from '../helpers/redis-server.ts';
import { openStore, publishByHand, storedAgreement, writeRaw } from '../helpers/store-client.ts';

const redis = await startRedis(t);
const fleet = await startFleet(t, { url: redis.url });
const store = await openStore(t, redis);
const LOST = JSON.stringify({ match: { path: '/lost' }, cluster: 'nowhere' });

/** Waits until both refuse a revision for that reason, loudly, and serve on what they had. */
async function assertRefused(
  t: Test,
  { one, two }: Fleet,
  before: Agreement,
  problem: RegExp,
): Promise<void> {
  const revision = before.revision + 1;
  await fleet.each(({ ready, configuration }) => {
    assert.equal(configuration.revision, before.revision);
    assert.equal(configuration.fingerprint, before.fingerprint);
    assert.equal(configuration.refused?.revision, revision);
    assert.match(JSON.stringify(configuration.refused?.problems), problem);
    assert.match(configuration.degraded ?? '', /refused/);
    assert.equal(ready, true);
  });
  await fleet.eachMetric({ gateway_configuration_refused: 1, gateway_configuration_degraded: 1 });
  for (const { gateway } of [one, two]) {
    const lines = gateway.logs.filter(
      ({ msg, refusedRevision }) => msg === 'configuration refused' && refusedRevision === revision,
    );
    t.match(lines, [{ level: 'error', problems: [problem] }], 'logged once, with the reason');
    t.equal(lines.length, 1);
  }
}

async function assertMended(): Promise<Agreement> {
  const after = await fleet.agree();
  assert.deepEqual(await storedAgreement(store), after);
  await fleet.eachMetric({ gateway_configuration_refused: 0, gateway_configuration_degraded: 0 });
  return after;
}

t.test('an invalid change is refused by all; the next good one is taken with it', async (t) => {
  const traffic = await startTraffic(t, fleet.instances);
  const before = await fleet.agree();
  await publishByHand(redis, [
    ['route', 'lost', LOST],
    ['route', 'innocent', JSON.stringify(routeTo('/innocent'))],
  ]);
  await assertRefused(t, fleet, before, /nowhere/);
  t.same(await fleet.statusOf('/innocent'), [404, 404], 'refused as a whole');

  await publishByHand(redis, [['route', 'lost', JSON.stringify(routeTo('/lost'))]]);
  await fleet.each(({ configuration }) => assert.equal(configuration.revision, before.revision + 2));
  await assertMended();
  t.same(await fleet.statusOf('/innocent'), [200, 200]);
  t.same(await fleet.statusOf('/lost'), [200, 200]);
  await fleet.assertTakesChanges();
  await traffic.assertUnharmed();
});

t.test('a write through the API takes the place of what is refused', async (t) => {
  const traffic = await startTraffic(t, fleet.instances);
  const before = await fleet.agree();
  await publishByHand(redis, [
    ['route', 'bad', LOST],
    ['route', 'steady', LOST],
  ]);
  await assertRefused(t, fleet, before, /nowhere/);
  const { status, body } = await fleet.two.admin.put('routes', 'good', routeTo('/good'));
  t.equal(status, 201, JSON.stringify(body));
  t.equal(body.revision, before.revision + 2);
  await assertMended();
  t.same(await fleet.statusOf('/good'), [200, 200]);
  t.equal(await redis.command('HEXISTS', '{gateway}:routes', 'bad'), '0', 'Redis is clean again');
  await fleet.assertTakesChanges();
  await traffic.assertUnharmed();
});

t.test('a change that refers to what only a refused one holds is not accepted by the API', async (t) => {
  const before = await fleet.agree();
  await publishByHand(redis, [
    ['cluster', 'unseen', JSON.stringify({ destinations: { a: { url: 'http://127.0.0.1:9' } } })],
    ['route', 'bad', LOST],
  ]);
  await assertRefused(t, fleet, before, /nowhere/);
  const { status, body } = await fleet.one.admin.put('routes', 'hopeful', {
    ...routeTo('/h'),
    cluster: 'unseen',
  });
  t.match({ status, body }, { status: 422, body: { code: 'GW_ERR_INVALID_CONFIGURATION' } });
  await publishByHand(redis, [
    ['route', 'bad', ''],
    ['cluster', 'unseen', ''],
  ]);
  await fleet.each(({ configuration }) => assert.equal(configuration.revision, before.revision + 2));
  t.equal((await assertMended()).fingerprint, before.fingerprint);
  await fleet.assertTakesChanges();
});

t.test('an entry that is no JSON is refused and named; taken out by hand, all goes on', async (t) => {
  const traffic = await startTraffic(t, fleet.instances);
  const before = await fleet.agree();
  const head = await store.readHead();
  assert(head !== null);
  await writeRaw(redis, head, [['HSET', '{gateway}:routes', 'garbage', '{"match": oops']]);
  await assertRefused(t, fleet, before, /garbage.* is no JSON/);
  await publishByHand(redis, [['route', 'garbage', '']]);
  await fleet.each(({ configuration }) => assert.equal(configuration.revision, before.revision + 2));
  t.equal((await assertMended()).fingerprint, before.fingerprint);
  await fleet.assertTakesChanges();
  await traffic.assertUnharmed();
});

t.test('an entry that is no JSON is removed by the next write through the API', async (t) => {
  const before = await fleet.agree();
  const head = await store.readHead();
  assert(head !== null);
  await writeRaw(redis, head, [['HSET', '{gateway}:routes', 'garbage', '{"match": oops']]);
  await assertRefused(t, fleet, before, /garbage.* is no JSON/);
  const { status, body } = await fleet.one.admin.put('routes', 'after-garbage', routeTo('/after-garbage'));
  t.equal(status, 201, JSON.stringify(body));
  await assertMended();
  t.same(await fleet.statusOf('/after-garbage'), [200, 200]);
  await fleet.assertTakesChanges();
});
