/** The store on a Redis that lets in only whom it knows, and is believed only where it proves who it is. */
import { readFile } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { RedisStore } from '../../../lib/store/redis/redis-store.ts';
import type { RedisSettings } from '../../../lib/store/redis/redis-url.ts';
import { createCertificate } from '../../helpers/certificate.ts';
import { type RedisProcess, startRedis } from '../../helpers/redis-server.ts';
import { changeOf, putCluster, storeContract } from '../contract.ts';
import { StoreWatch } from './store-watch.ts';

const REPORTS = [{ cluster: 'a', destination: 'a-1', healthy: false, sequence: 1, ttlMs: 60_000 }];

async function openStore(t: Test, settings: RedisSettings): Promise<RedisStore> {
  const store = await RedisStore.open(settings);
  t.teardown(() => store.close());
  return store;
}

/** Opens a store, and waits until all is well and the news come. */
async function openHealthy(
  t: Test,
  settings: RedisSettings,
): Promise<{ store: RedisStore; watch: StoreWatch }> {
  const store = await openStore(t, settings);
  const watch = new StoreWatch(store);
  await watch.healthy();
  await watch.hintAfter(0);
  return { store, watch };
}

/** What the store says of a Redis that it cannot use. */
async function problemOf(t: Test, settings: RedisSettings): Promise<string> {
  const store = await openStore(t, settings);
  const { reachable, problem } = await new StoreWatch(store).problem(/(?<!: connecting)$/);
  t.equal(reachable, false);
  const refused = await store.publish(changeOf([])).catch((error: unknown) => error);
  t.match(refused, { name: 'StoreUnavailableError', notWritten: true, message: /^Redis at / });
  return problem ?? '';
}

t.test('with the authority that signed the certificate, everything is encrypted', async (t) => {
  const redis = await startRedis(t, { tls: await createCertificate(t) });
  const { store, watch } = await openHealthy(t, redis.settings());
  await store.publish(changeOf([putCluster('a')]));
  await watch.deltaCount(1);
  t.match(store.condition, { reachable: true, problem: null });
});

t.test('a certificate of another authority, or for another name, is not believed', async (t) => {
  const tls = await createCertificate(t, ['DNS:redis.example']);
  const redis = await startRedis(t, { tls });
  const named = (serverName: string, ca: string | null = tls.ca): RedisSettings => ({
    ...redis.settings(),
    tls: { ca, cert: null, key: null, serverName },
  });
  const other = await createCertificate(t);
  await openHealthy(t, named('redis.example'));
  t.match(await problemOf(t, named('redis.example', other.ca)), /certificate.*GATEWAY_REDIS_CA_FILE/);
  t.match(await problemOf(t, named('redis.example', null)), /certificate.*GATEWAY_REDIS_CA_FILE/);
  t.match(await problemOf(t, named('other.example')), /is not in the cert's .*serverName/);
  t.match(await problemOf(t, redis.settings()), /is not in the cert's .*serverName/);
});

t.test('a client certificate where Redis wants one', async (t) => {
  const redis = await startRedis(t, { tls: await createCertificate(t), clientCertificates: true });
  const settings = redis.settings();
  await openHealthy(t, settings);
  const without = { ca: settings.tls?.ca ?? null, cert: null, key: null, serverName: null };
  t.match(await problemOf(t, { ...settings, tls: without }), /GATEWAY_REDIS_CERT_FILE/);
});

t.test('no TLS where Redis wants it, and TLS where it has none', async (t) => {
  const redis = await startRedis(t, { tls: await createCertificate(t) });
  t.match(await problemOf(t, { ...redis.settings(), tls: null }), /rediss:/);
  const plain = await startRedis(t);
  const store = await openStore(t, { ...plain.settings(), tls: redis.settings().tls });
  const watch = new StoreWatch(store);
  // A server without TLS waits for the end of what it takes for a long command.
  await watch.problem(/no answer within 2000 ms/);
});

t.test('a wrong password is said to be wrong, and not shown', async (t) => {
  const redis = await startRedis(t, { password: 'right-one' });
  await openHealthy(t, redis.settings());
  const wrong = await problemOf(t, redis.settings(undefined, { password: 'wrong-one' }));
  t.match(wrong, /refuses the user name or the password/);
  const unknown = await problemOf(
    t,
    redis.settings(undefined, { username: 'nobody', password: 'wrong-one' }),
  );
  t.match(unknown, /refuses the user name or the password/);
  t.match(await problemOf(t, redis.settings(undefined, { password: null })), /asks for a password/);
  t.notMatch(`${wrong}${unknown}`, /right-one|wrong-one/);
});

const protocol = await readFile(new URL('../../../docs/redis-protocol.md', import.meta.url), 'utf8');

/** Adds the user that the protocol describes, with `more` rules behind its own. */
async function addUser(redis: RedisProcess, name: 'gateway' | 'console', more: readonly string[] = []) {
  const command = new RegExp(`^ACL SETUSER ${name} .*$`, 'm').exec(protocol)?.[0] ?? '';
  const words = command.replace('>SECRET', '>geheim').split(' ');
  await redis.command(...words, ...more);
  return redis.settings(undefined, { username: name, password: 'geheim' });
}

t.test('the gateway that the protocol describes may do all that it has to', async (t) => {
  const createPlace = async (owner: Test) => {
    const redis = await startRedis(owner);
    const settings = await addUser(redis, 'gateway');
    return { open: () => RedisStore.open(settings) };
  };
  storeContract(t, createPlace, { shared: true });
});

t.test('the gateway that the protocol describes may share instances and health', async (t) => {
  const redis = await startRedis(t);
  const { store } = await openHealthy(t, await addUser(redis, 'gateway'));
  await store.instances.announce({ instance: 'one' }, 60_000);
  t.same(await store.instances.list(), [{ instance: 'one' }]);
  await store.instances.withdraw('one');
  t.equal(await store.health.report(REPORTS), 1);
  t.equal((await store.health.read()).length, 1);
  t.equal(await redis.command('ACL', 'LOG'), '', 'nothing was refused');
});

t.test(
  'the console that the protocol describes may change the configuration and report health',
  async (t) => {
    const redis = await startRedis(t);
    const { store: gateway } = await openHealthy(t, await addUser(redis, 'gateway'));
    await gateway.instances.announce({ instance: 'one' }, 60_000);
    const store = await openStore(t, await addUser(redis, 'console'));
    await new StoreWatch(store).hintAfter(0);
    const head = await store.publish(changeOf([putCluster('a')]));
    t.strictSame(await gateway.readHead(), head);
    t.strictSame((await store.read())?.head, head);
    t.equal((await store.history(1)).length, 1);
    t.same(await store.instances.list(), [{ instance: 'one' }]);
    t.equal(await store.health.report(REPORTS), 1);
  },
);

t.test('a user who may do too little is told where to read what is needed', async (t) => {
  const redis = await startRedis(t);
  const { store } = await openHealthy(t, await addUser(redis, 'gateway', ['-xadd', '-zcard']));
  const hint = { name: 'StoreUnavailableError', message: /may not.*docs\/redis-protocol\.md/ };
  // The script that publishes asks first what it may do; one that is stopped within may have begun.
  await t.rejects(store.publish(changeOf([putCluster('a')])), { ...hint, notWritten: true });
  await t.rejects(store.instances.announce({ instance: 'one' }, 60_000), { ...hint, notWritten: false });
  t.equal(await store.readHead(), null, 'nothing was written');
  const blind = await problemOf(t, await addUser(redis, 'gateway', ['-hmget']));
  t.match(blind, /may not do what is needed.*docs\/redis-protocol\.md/);
});
