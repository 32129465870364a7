/** What is published does not arrive: gateways find out by themselves. */
import assert from 'node:assert/strict';
import t from 'tap';
import { routeTo, startFleet, startTraffic } from '../helpers/fleet.ts';
import { startRedis } from '../helpers/redis-server.ts';
import { openStore, publish, publishByHand, storedAgreement } from '../helpers/store-client.ts';

const redis = await startRedis(t);
const fleet = await startFleet(t, { url: redis.url });
const store = await openStore(t, redis);

/** Waits until all serve a revision: that takes the two seconds between comparisons, and what a busy machine takes. */
async function agreeAt(revision: number): Promise<void> {
  await fleet.each(({ configuration }) => assert.equal(configuration.revision, revision));
  assert.deepEqual(await storedAgreement(store), await fleet.agree());
}

t.test('a change that nobody is told of is found by comparing heads', async (t) => {
  const traffic = await startTraffic(t, fleet.instances);
  const { revision } = await fleet.agree();
  await publishByHand(redis, [['route', 'untold', JSON.stringify(routeTo('/untold'))]], 'somewhere else');
  await agreeAt(revision + 1);
  t.same(await fleet.statusOf('/untold'), [200, 200]);
  await fleet.assertTakesChanges();
  await traffic.assertUnharmed();
});

t.test('listeners whose connection is cut while changes are published miss none', async (t) => {
  const traffic = await startTraffic(t, fleet.instances);
  const { revision } = await fleet.agree();
  let killed = 0;
  for (let change = 1; change <= 20; change += 1) {
    const path = `/cut-${change}`;
    const operation = { op: 'put', kind: 'route', id: path.slice(1), value: routeTo(path) } as const;
    if (change % 5 === 0) killed += await redis.killClients('pubsub');
    await publish(store, operation);
  }
  t.ok(killed >= 2, `${killed} listeners were cut off`);
  await agreeAt(revision + 20);
  for (const path of ['/cut-1', '/cut-5', '/cut-20']) t.same(await fleet.statusOf(path), [200, 200], path);
  await fleet.eachMetric({ gateway_configuration_step_backs_total: 0, gateway_store_problem: 0 });
  await fleet.assertTakesChanges();
  await traffic.assertUnharmed();
});

t.test('messages that make no sense change nothing', async (t) => {
  const traffic = await startTraffic(t, fleet.instances);
  const before = await fleet.agree();
  const { revision, id } = before;
  const forged = {
    type: 'change',
    revision: revision + 1,
    id: 'forged',
    parent: id,
    at: '',
    ops: 'all of it',
  };
  for (const text of ['', 'news', '{', '[]', '{"type":"change"}', JSON.stringify(forged)]) {
    await redis.command('PUBLISH', '{gateway}:events', text);
  }
  await fleet.assertTakesChanges();
  t.equal((await fleet.agree()).revision, revision + 2, 'only the changes that were made');
  await traffic.assertUnharmed();
});

t.test('a change that is told and was never written does not stay', async (t) => {
  const { revision, id } = await fleet.agree();
  const ops = [{ op: 'put', kind: 'route', id: 'forged', value: routeTo('/forged') }];
  const at = new Date().toISOString();
  const message = { type: 'change', revision: revision + 1, id: 'forged', parent: id, at, ops };
  // Before it is heard all are at that revision, too: first each has to have taken it, and found that it is not there.
  const dropped = fleet.instances.map(({ gateway }) =>
    gateway.waitForNextLog(({ msg }) => msg?.includes('older or another history') === true, 15_000),
  );
  await redis.command('PUBLISH', '{gateway}:events', JSON.stringify(message));
  await Promise.all(dropped);
  await agreeAt(revision);
  t.same(await fleet.statusOf('/forged'), [404, 404]);
  await fleet.assertTakesChanges();
});
