/** The store on a Redis Cluster of three real nodes: any node leads to the one that has the keys. */
import t, { type Test } from 'tap';
import { RedisStore } from '../../../lib/store/redis/redis-store.ts';
import type { RedisSettings } from '../../../lib/store/redis/redis-url.ts';
import { createCertificate } from '../../helpers/certificate.ts';
import { startRedisCluster } from '../../helpers/redis-cluster.ts';
import type { RedisProcess } from '../../helpers/redis-server.ts';
import { changeOf, putCluster, storeContract } from '../contract.ts';
import { StoreWatch } from './store-watch.ts';

const cluster = await startRedisCluster(t);
/** The cluster itself may take some seconds, and so may a busy machine. */
const RECOVERY_LIMIT_MS = 20_000;
let places = 0;

/** Each place has a prefix, and so a slot, of its own. */
function nextSettings(): RedisSettings {
  places += 1;
  return cluster.settings(`{place-${places}}:`);
}

async function openStore(t: Test, settings = nextSettings()): Promise<RedisStore> {
  const store = await RedisStore.open(settings);
  t.teardown(() => store.close());
  return store;
}

storeContract(
  t,
  async () => {
    const settings = nextSettings();
    return { open: () => RedisStore.open(settings) };
  },
  { shared: true },
);

t.test('whichever node is asked first, the one that has the keys is found', async (t) => {
  const settings = nextSettings();
  for (const node of cluster.nodes) {
    const seed = { ...settings, nodes: [{ host: '127.0.0.1', port: node.port }] };
    const store = await openStore(t, seed);
    t.match(store.condition, { reachable: true, problem: null });
    await store.publish(changeOf([putCluster(`by-way-of-${node.port}`)]));
  }
  const owner = await cluster.ownerOf(`${settings.prefix}head`);
  t.equal(await owner.command('HGET', `${settings.prefix}head`, 'revision'), '3');
});

t.test('instances and health are shared', async (t) => {
  const settings = nextSettings();
  const [writer, reader] = [await openStore(t, settings), await openStore(t, settings)];
  const record = { instance: 'one', workers: 2 };
  const reports = [{ cluster: 'a', destination: 'a-1', healthy: false, sequence: 1, ttlMs: 60_000 }];
  const watch = new StoreWatch(reader);
  const toldRecord = new Promise((resolve) => reader.instances.watch(resolve));
  const toldReports = new Promise((resolve) => reader.health.watch(resolve));
  // Whoever has been hinted at is subscribed.
  await watch.hintAfter(0);
  await writer.instances.announce(record, 60_000);
  t.equal(await writer.health.report(reports), 1);
  t.same(await toldRecord, record);
  t.same(await toldReports, reports);
  t.same(await reader.instances.list(), [record]);
  t.match(await reader.health.read(), [{ cluster: 'a', destination: 'a-1', healthy: false, sequence: 1 }]);
  await writer.instances.withdraw('one');
  t.same(await reader.instances.list(), []);
});

t.test('a slot that moves to another node is followed there', async (t) => {
  const settings = nextSettings();
  const store = await openStore(t, settings);
  const watch = new StoreWatch(store);
  const head = await store.publish(changeOf([putCluster('a')]));
  const key = `${settings.prefix}head`;
  const from = await cluster.ownerOf(key);
  const to = cluster.nodes.find((node) => node !== from);
  if (to === undefined) throw new Error('there is no other node');
  const hintsBefore = watch.hints;
  await moveSlot(key, from, to);
  await watch.hintAfter(hintsBefore);
  await watch.healthy(RECOVERY_LIMIT_MS);
  t.strictSame(await store.readHead(), head);
  t.equal((await store.publish(changeOf([putCluster('b')]))).revision, 2);
  t.equal(await to.command('HGET', key, 'revision'), '2');
});

async function moveSlot(key: string, from: RedisProcess, to: RedisProcess): Promise<void> {
  const slot = await from.command('CLUSTER', 'KEYSLOT', key);
  const [fromId, toId] = [await from.command('CLUSTER', 'MYID'), await to.command('CLUSTER', 'MYID')];
  await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
  await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
  const keys = (await from.command('CLUSTER', 'GETKEYSINSLOT', slot, '1000')).split('\n');
  await from.command('MIGRATE', '127.0.0.1', String(to.port), '', '0', '5000', 'KEYS', ...keys);
  for (const node of [to, from]) await node.command('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
}

t.test('while the node that has the keys hangs, the store says so; it works again by itself', async (t) => {
  const settings = nextSettings();
  const store = await openStore(t, settings);
  const watch = new StoreWatch(store);
  await watch.hintAfter(0);
  const owner = await cluster.ownerOf(`${settings.prefix}head`);
  owner.pause();
  t.teardown(() => owner.resume());
  await watch.unreachable();
  await t.rejects(store.publish(changeOf([putCluster('a')])), { name: 'StoreUnavailableError' });
  owner.resume();
  await watch.healthy(RECOVERY_LIMIT_MS);
  t.equal((await store.publish(changeOf([putCluster('a')]))).revision, 1);
});

t.test('a cluster with TLS and a password', async (t) => {
  const encrypted = await startRedisCluster(t, { tls: await createCertificate(t), password: 'secret' });
  const store = await openStore(t, encrypted.settings());
  const watch = new StoreWatch(store);
  await watch.healthy(RECOVERY_LIMIT_MS);
  await watch.hintAfter(0);
  await store.publish(changeOf([putCluster('a')]));
  t.match(await watch.deltaCount(1), [{ operations: [putCluster('a')] }]);
});
