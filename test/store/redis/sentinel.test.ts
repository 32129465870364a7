/** The store behind three real sentinels: whichever server is the master, the store is there. */
import t, { type Test } from 'tap';
import { RedisStore } from '../../../lib/store/redis/redis-store.ts';
import type { RedisSettings } from '../../../lib/store/redis/redis-url.ts';
import { createCertificate } from '../../helpers/certificate.ts';
import { type SentinelOptions, startReplicatedPair, startSentinels } from '../../helpers/redis-sentinel.ts';
import { changeOf, putCluster } from '../contract.ts';
import { StoreWatch } from './store-watch.ts';

/** The sentinels need about four seconds to agree, and a busy machine some more. */
const FAILOVER_LIMIT_MS = 20_000;
// The tests wait most of the time, so they wait side by side.
t.jobs = 5;

const REVISION = ['HGET', '{gateway}:head', 'revision'];

async function startFleet(t: Test, options: SentinelOptions = {}) {
  const { password, tls } = options;
  const ofServers = {
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
  };
  const { master, replica } = await startReplicatedPair(t, ofServers);
  const sentinels = await startSentinels(t, master, options);
  return { master, replica, sentinels };
}

async function openStore(
  t: Test,
  settings: RedisSettings,
): Promise<{ store: RedisStore; watch: StoreWatch }> {
  const store = await RedisStore.open(settings);
  t.teardown(() => store.close());
  const watch = new StoreWatch(store);
  await watch.healthy();
  await watch.hintAfter(0);
  return { store, watch };
}

t.test('the master dies: its successor is found, and the old master comes back as a replica', async (t) => {
  const { master, replica, sentinels } = await startFleet(t);
  const { store, watch } = await openStore(t, sentinels.settings());
  const first = await store.publish(changeOf([putCluster('a')]));
  t.equal(await master.command('WAIT', '1', '5000'), '1', 'the replica has the change');
  await watch.deltaCount(1);
  const hintsBefore = watch.hints;
  await master.kill();
  const down = await watch.unreachable();
  t.match(down.problem, /^Redis at redis\+sentinel:\/\/127\.0\.0\.1:/);
  await t.rejects(store.publish(changeOf([putCluster('b')])), { name: 'StoreUnavailableError' });

  await watch.healthy(FAILOVER_LIMIT_MS);
  await watch.hintAfter(hintsBefore);
  t.strictSame(await store.readHead(), first);
  const second = await store.publish(changeOf([putCluster('b')]));
  t.match(second, { revision: 2, parent: first.id });
  t.match((await watch.deltaCount(2))[1], { operations: [putCluster('b')] });
  t.equal(await replica.command(...REVISION), '2');

  // Who has not heard of it might yet order a failover of its own, back to the server that comes up.
  await sentinels.waitForMaster(replica.port);
  await master.restart();
  await sentinels.waitForReplica(master.port);
  await store.publish(changeOf([putCluster('c')]));
  t.equal(await replica.command('WAIT', '1', '10000'), '1', 'the old master follows the new one');
  t.equal(await master.command(...REVISION), '3');
  t.match(store.condition, { reachable: true, problem: null });
});

t.test(
  'the operator orders a failover: the store leaves the server that is no master any more',
  async (t) => {
    const { replica, sentinels } = await startFleet(t);
    const { store, watch } = await openStore(t, sentinels.settings());
    await store.publish(changeOf([putCluster('a')]));
    const hintsBefore = watch.hints;
    await sentinels.daemons[0]?.command('SENTINEL', 'FAILOVER', 'gateway');
    await sentinels.waitForMaster(replica.port);
    // Only now is the old master told, and ends its connections.
    await watch.hintAfter(hintsBefore, FAILOVER_LIMIT_MS);
    await watch.healthy(FAILOVER_LIMIT_MS);
    const published = await store.publish(changeOf([putCluster('b')]));
    t.equal(await replica.command(...REVISION), String(published.revision));
  },
);

t.test('sentinels that are dead or hang are passed over', async (t) => {
  const { sentinels } = await startFleet(t);
  const [dead, hanging] = sentinels.daemons;
  await dead?.kill();
  hanging?.pause();
  t.teardown(() => hanging?.resume());
  const { store } = await openStore(t, sentinels.settings());
  t.equal((await store.publish(changeOf([putCluster('a')]))).revision, 1);
});

t.test('passwords and TLS, of the servers and of the sentinels', async (t) => {
  const options = {
    password: 'of servers',
    sentinelPassword: 'of sentinels',
    tls: await createCertificate(t),
  };
  const { sentinels } = await startFleet(t, options);
  const { store } = await openStore(t, sentinels.settings());
  t.equal((await store.publish(changeOf([putCluster('a')]))).revision, 1);

  const wrong = await RedisStore.open(sentinels.settings(undefined, { sentinelPassword: 'not theirs' }));
  t.teardown(() => wrong.close());
  t.equal(wrong.condition.reachable, false);
  t.match(
    wrong.condition.problem,
    /no sentinel names a server: WRONGPASS.* GATEWAY_REDIS_SENTINEL_PASSWORD$/,
  );
  t.notMatch(JSON.stringify(wrong.condition), /not theirs|of servers/);
});

t.test('a name that the sentinels do not know is said to be unknown', async (t) => {
  const { sentinels } = await startFleet(t);
  const store = await RedisStore.open({ ...sentinels.settings(), sentinelName: 'another' });
  t.teardown(() => store.close());
  t.match(store.condition, {
    reachable: false,
    problem: /: no sentinel knows a server of this name/,
  });
});
