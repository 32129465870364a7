/** A key of the store holds something of another type: nothing is taken from there, and people are told how to mend it. */
import assert from 'node:assert/strict';
import t, { type Test } from 'tap';
import { type Agreement, routeTo, startFleet, startTraffic } from '../helpers/fleet.ts';
import { startRedis } from '../helpers/redis-server.ts';
import { openStore, storedAgreement, writeRaw } from '../helpers/store-client.ts';

const redis = await startRedis(t);
const fleet = await startFleet(t, { url: redis.url });
const store = await openStore(t, redis);
const ROUTES = '{gateway}:routes';

async function assertServedOn({ revision, fingerprint }: Agreement, problem: RegExp): Promise<void> {
  await fleet.each(({ ready, configuration }) => {
    assert.equal(configuration.revision, revision);
    assert.equal(configuration.fingerprint, fingerprint);
    assert.match(JSON.stringify(configuration.refused?.problems), problem);
    assert.match(configuration.degraded ?? '', /refused/);
    assert.equal(ready, true);
  });
  await fleet.eachMetric({ gateway_configuration_refused: 1, gateway_configuration_degraded: 1 });
}

async function assertWriteRefused(t: Test, problem: RegExp): Promise<void> {
  for (const { admin } of fleet.instances) {
    const { status, body } = await admin.put('routes', 'late', routeTo('/late'));
    t.match({ status, body }, { status: 503, body: { code: 'GW_ERR_STORE_UNAVAILABLE', detail: problem } });
  }
}

t.test(
  'routes that are no hash any more, with a new head: refused and named until it is mended',
  async (t) => {
    const traffic = await startTraffic(t, fleet.instances);
    const before = await fleet.agree();
    const head = await store.readHead();
    assert(head !== null);
    const copy = await redis
      .command('DUMP', ROUTES)
      .then(() => redis.command('COPY', ROUTES, '{gateway}:kept'));
    t.equal(copy, '1');
    await writeRaw(redis, head, [
      ['DEL', ROUTES],
      ['SET', ROUTES, 'x'],
    ]);
    const problem = /\{gateway\}:routes is not a hash/;
    await assertServedOn(before, problem);
    await assertWriteRefused(t, problem);
    for (const { gateway } of fleet.instances) {
      const isNamed = ({ msg, problems }: { msg?: string; problems?: unknown }) =>
        msg === 'configuration refused' && problem.test(JSON.stringify(problems));
      t.ok(gateway.logs.some(isNamed), 'the key is named in the log');
    }

    const broken = await store.readHead();
    assert(broken !== null);
    await writeRaw(redis, broken, [
      ['DEL', ROUTES],
      ['RENAME', '{gateway}:kept', ROUTES],
    ]);
    const after = await fleet.agree();
    t.equal(after.fingerprint, before.fingerprint);
    t.equal(after.revision, before.revision + 2);
    await fleet.assertTakesChanges();
    await traffic.assertUnharmed();
  },
);

t.test('what the message tells to do about it brings everything back by the next write', async (t) => {
  const traffic = await startTraffic(t, fleet.instances);
  const before = await fleet.agree();
  const head = await store.readHead();
  assert(head !== null);
  await writeRaw(redis, head, [
    ['DEL', ROUTES],
    ['SET', ROUTES, 'x'],
  ]);
  await assertServedOn(before, /is not a hash/);
  const { configuration } = await fleet.one.admin.status();
  const hint = configuration.refused?.problems[0]?.hint ?? '';
  const words = /\(([^)]+)\)/.exec(hint)?.[1]?.split(' ') ?? [];
  t.equal(words[0], 'DEL', hint);
  await redis.command(...words);
  await fleet.each(({ configuration }) => {
    assert.equal(configuration.fingerprint, before.fingerprint, 'no route is lost');
    assert.equal(configuration.refused, null);
  });
  const { status, body } = await fleet.one.admin.put('routes', 'mended', routeTo('/mended'));
  t.equal(status, 201, JSON.stringify(body));
  t.same(await storedAgreement(store), await fleet.agree());
  t.same(await fleet.statusOf('/mended'), [200, 200]);
  await fleet.assertTakesChanges();
  await traffic.assertUnharmed();
});

t.test(
  'a key that is spoiled without a new head: found by the next write, which changes nothing',
  async (t) => {
    const before = await fleet.agree();
    await redis.command('RENAME', ROUTES, '{gateway}:kept');
    await redis.command('SET', ROUTES, 'x');
    await assertWriteRefused(t, /\{gateway\}:routes is a string and should be a hash/);
    t.same(await fleet.agree(), before, 'what is served is served on');
    await redis.command('RENAME', '{gateway}:kept', ROUTES);
    await fleet.assertTakesChanges();
  },
);

t.test('a head that is no hash: told, and all goes on when it is back', async (t) => {
  const traffic = await startTraffic(t, fleet.instances);
  const before = await fleet.agree();
  await redis.command('RENAME', '{gateway}:head', '{gateway}:kept');
  await redis.command('SET', '{gateway}:head', 'x');
  await assertServedOn(before, /\{gateway\}:head is not a hash/);
  await assertWriteRefused(t, /\{gateway\}:head/);
  await redis.command('RENAME', '{gateway}:kept', '{gateway}:head');
  t.same(await fleet.agree(), before);
  await fleet.assertTakesChanges();
  await traffic.assertUnharmed();
});

t.test('a log that is no stream does not keep anybody from following', async (t) => {
  const head = await store.readHead();
  assert(head !== null);
  const value = JSON.stringify(routeTo('/without-log'));
  await writeRaw(redis, head, [
    ['DEL', '{gateway}:log'],
    ['SET', '{gateway}:log', 'x'],
    ['HSET', ROUTES, 'logless', value],
  ]);
  await fleet.each(({ configuration }) => assert.equal(configuration.revision, head.revision + 1));
  t.same(await storedAgreement(store), await fleet.agree());
  t.same(await fleet.statusOf('/without-log'), [200, 200]);
  await assertWriteRefused(t, /\{gateway\}:log is a string and should be a stream/);
  await redis.command('DEL', '{gateway}:log');
  await fleet.assertTakesChanges();
});
