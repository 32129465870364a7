import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import t, { type Test } from 'tap';
import type { Operation } from '../../../lib/core/config/change.ts';
import { StoreUnavailableError } from '../../../lib/store/config-store.ts';
import { RedisStore } from '../../../lib/store/redis/redis-store.ts';
import type { RedisSettings } from '../../../lib/store/redis/redis-url.ts';
import { type RedisProcess, startRedis } from '../../helpers/redis-server.ts';
import { findServerPort } from '../../helpers/server-port.ts';
import { startTcpRelay } from '../../helpers/tcp-relay.ts';
import { changeOf, clusterAt, documentWith, putCluster } from '../contract.ts';
import { StoreWatch } from './store-watch.ts';

/** Three times what any of it takes, for machines with much else to do. */
const LIMIT_MS = 12_000;
/** What takes a tenth of a second at most, on a machine that stands still for a while. */
const PROMPT_MS = 1_500;

async function open(t: Test, settings: RedisSettings): Promise<{ store: RedisStore; watch: StoreWatch }> {
  const store = await RedisStore.open(settings);
  t.teardown(() => store.close());
  return { store, watch: new StoreWatch(store) };
}

/** Opens a store and waits until it listens. */
async function openListening(
  t: Test,
  redis: RedisProcess,
): Promise<{ store: RedisStore; watch: StoreWatch }> {
  const opened = await open(t, redis.settings());
  await opened.watch.hintAfter(0);
  return opened;
}

function at(settings: RedisSettings, port: number): RedisSettings {
  return { ...settings, nodes: [{ host: '127.0.0.1', port }] };
}

async function measureMs(work: Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work.catch(() => {});
  return performance.now() - startMs;
}

async function unavailable(work: Promise<unknown>): Promise<StoreUnavailableError> {
  const outcome = await work.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
  if (outcome instanceof StoreUnavailableError) return outcome;
  throw outcome;
}

t.test('a store whose Redis is not there opens at once, says so, and works when Redis comes', async (t) => {
  const redis = await startRedis(t);
  await redis.kill();
  const startMs = performance.now();
  const { store, watch } = await open(t, redis.settings());
  t.ok(performance.now() - startMs < LIMIT_MS, 'it does not wait for Redis to come');
  t.match(store.condition, { reachable: false, problem: /Redis at redis:\/\/127.*ECONNREFUSED/ });
  for (const work of [store.read(), store.readHead(), store.changesSince(0), store.publish(changeOf([]))]) {
    t.match(await unavailable(work), { notWritten: true, message: /ECONNREFUSED/ });
  }
  await redis.restart();
  await Promise.all([watch.healthy(LIMIT_MS), watch.hintAfter(0, LIMIT_MS)]);
  t.equal((await store.publish(changeOf([putCluster('a')]))).revision, 1);
});

t.test('killed and restarted with its data: reachable again, hinted, nothing lost', async (t) => {
  const redis = await startRedis(t, { appendOnly: true });
  const { store, watch } = await openListening(t, redis);
  const head = await store.publish(changeOf([putCluster('a')]));
  // What is published goes out after the answer, so that a kill in between would lose it.
  await watch.deltaCount(1);
  await redis.kill();
  await watch.unreachable(LIMIT_MS);
  const hints = watch.hints;
  await redis.restart();
  await Promise.all([watch.healthy(LIMIT_MS), watch.hintAfter(hints, LIMIT_MS)]);
  t.strictSame(await store.read(), { head, document: documentWith({ clusters: { a: clusterAt(8080) } }) });
  const next = await store.publish(changeOf([putCluster('b')]));
  t.match(next, { revision: 2, parent: head.id });
  await watch.deltaCount(2);
});

t.test('killed and restarted empty: it reads as empty, and counting can go on', async (t) => {
  const redis = await startRedis(t);
  const { store, watch } = await openListening(t, redis);
  await store.publish(changeOf([putCluster('a')]));
  await redis.restart({ keepData: false });
  await watch.healthy(LIMIT_MS);
  t.equal(await store.read(), null);
  const again = changeOf([putCluster('a')], { expectedRevision: 0, revisionFloor: 1 });
  t.match(await store.publish(again), { revision: 2, parent: null });
});

t.test('a Redis that hangs is found out, and found again when it goes on', async (t) => {
  const redis = await startRedis(t, { appendOnly: true });
  const { store, watch } = await openListening(t, redis);
  const head = await store.publish(changeOf([putCluster('a')]));
  t.teardown(() => redis.resume());
  redis.pause();
  const pausedAtMs = performance.now();
  const pending = Promise.allSettled([store.read(), store.readHead(), store.history(5), store.health.read()]);
  const publishing = unavailable(store.publish(changeOf([putCluster('b')], { expectedRevision: 1 })));
  t.match(await publishing, { notWritten: false, message: /no answer within 200\d ms/ });
  t.ok(performance.now() - pausedAtMs < LIMIT_MS, 'a command does not wait for Redis to go on');
  const condition = await watch.unreachable(LIMIT_MS);
  t.match(condition.problem, /no answer within 2000 ms/);
  t.ok(performance.now() - pausedAtMs < LIMIT_MS, `unreachable after ${performance.now() - pausedAtMs} ms`);
  for (const outcome of await pending) t.equal(outcome.status, 'rejected');
  t.ok((await measureMs(store.read())) < 1_500, 'nothing waits for a connection that is not there');
  t.match(await unavailable(store.publish(changeOf([]))), { notWritten: true });

  const hints = watch.hints;
  redis.resume();
  const resumedAtMs = performance.now();
  await Promise.all([watch.healthy(LIMIT_MS), watch.hintAfter(hints, LIMIT_MS)]);
  t.ok(performance.now() - resumedAtMs < LIMIT_MS, `back after ${performance.now() - resumedAtMs} ms`);
  // What was sent while it hung it may yet have done: that is why it is not known whether it was written.
  const revision = (await store.readHead())?.revision ?? 0;
  t.ok(revision === head.revision || revision === head.revision + 1);
});

t.test('commands to a Redis that hangs do not pile up', async (t) => {
  const redis = await startRedis(t);
  const { store } = await openListening(t, redis);
  t.teardown(() => redis.resume());
  redis.pause();
  const reads = Array.from({ length: 1_500 }, () => unavailable(store.readHead()));
  const messages = (await Promise.all(reads)).map(({ message }) => message);
  t.equal(messages.filter((message) => message.includes('1000 commands wait')).length, 500);
});

t.test('a line that swallows everything is a dead one', async (t) => {
  const redis = await startRedis(t);
  const relay = await startTcpRelay(t, redis.port);
  const { store, watch } = await open(t, at(redis.settings(), relay.port));
  await watch.hintAfter(0);
  relay.swallow();
  const swallowedAtMs = performance.now();
  await watch.unreachable(LIMIT_MS);
  t.ok(performance.now() - swallowedAtMs < LIMIT_MS);
  const hints = watch.hints;
  relay.restore();
  await Promise.all([watch.healthy(LIMIT_MS), watch.hintAfter(hints, LIMIT_MS)]);
  await store.publish(changeOf([putCluster('a')]));
  await watch.deltaCount(1);
});

/** A line that carries some 64 KiB in 50 ms towards the client. */
async function startSlowLine(t: Test, targetPort: number): Promise<number> {
  const server = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1');
    for (const socket of [client, upstream]) socket.on('error', () => {});
    client.on('close', () => upstream.destroy()).pipe(upstream);
    upstream.on('close', () => client.destroy());
    upstream.on('data', (bytes: Buffer) => {
      client.write(bytes);
      upstream.pause();
      setTimeout(() => upstream.resume(), (50 * bytes.length) / 65_536);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

t.test('a server that is sending a long answer over a slow line is not silent', async (t) => {
  const redis = await startRedis(t);
  const { store: writer } = await open(t, redis.settings());
  const value = { ...clusterAt(8080), note: 'x'.repeat(10_000) };
  const operations = Array.from(
    { length: 600 },
    (_, index): Operation => ({ op: 'put', kind: 'cluster', id: `c${index}`, value }),
  );
  await writer.publish(changeOf(operations));
  const { store, watch } = await open(t, at(redis.settings(), await startSlowLine(t, redis.port)));
  await watch.healthy(LIMIT_MS);
  const startMs = performance.now();
  const document = (await store.read())?.document as { clusters: object };
  t.ok(performance.now() - startMs > 3_000, `it took ${performance.now() - startMs} ms`);
  t.equal(Object.keys(document.clusters).length, 600);
  const { since } = store.condition;
  t.match(await watch.healthy(), { since }, 'the connection was there all the time');
});

t.test('connections that are cut, or refused, are made again', async (t) => {
  const redis = await startRedis(t);
  const relay = await startTcpRelay(t, redis.port);
  const { watch } = await open(t, at(redis.settings(), relay.port));
  await watch.hintAfter(0);
  relay.refuse();
  relay.cut();
  await watch.unreachable(LIMIT_MS);
  const { accepted } = relay;
  await relay.waitForAccepted(accepted + 6);
  relay.restore();
  await watch.healthy(LIMIT_MS);
});

t.test('a subscription that is cut is made again, and what was missed is hinted at', async (t) => {
  const redis = await startRedis(t);
  const { store, watch } = await openListening(t, redis);
  for (let round = 1; round <= 3; round += 1) {
    const hints = watch.hints;
    t.equal(await redis.killClients('pubsub'), 1);
    await watch.hintAfter(hints, LIMIT_MS);
    await store.publish(changeOf([putCluster('a', round)]));
    t.equal((await watch.deltaCount(round)).at(-1)?.revision, round);
  }
  await watch.healthy(LIMIT_MS);
});

t.test('commands work on while nobody can subscribe, and the condition says so', async (t) => {
  const redis = await startRedis(t, { aclUsers: ['deaf on >secret ~* &other +@all'] });
  const settings = redis.settings(undefined, { username: 'deaf', password: 'secret' });
  const { store, watch } = await open(t, settings);
  const condition = await watch.problem(/changes are noticed late.*NOPERM/, LIMIT_MS);
  t.equal(condition.reachable, true);
  t.equal(await store.readHead(), null);
  const refused = await unavailable(store.publish(changeOf([putCluster('a')])));
  t.match(refused, { notWritten: true, message: /may not run PUBLISH/ });
  t.equal(await redis.command('DBSIZE'), '0', 'what cannot be told is not written');
});

t.test('a replica is read, not written, and works once it is the master', async (t) => {
  const [master, replica] = await Promise.all([startRedis(t), startRedis(t)]);
  await replica.makeReplicaOf(master.port);
  const { store: writer } = await open(t, master.settings());
  const { store, watch } = await openListening(t, replica);
  t.match(store.condition, { reachable: true, problem: /read-only replica: name the master/ });
  await writer.publish(changeOf([putCluster('a')]));
  t.match((await watch.deltaCount(1))[0], { revision: 1 });
  t.match(await store.read(), { head: { revision: 1 } });
  t.match(await unavailable(store.publish(changeOf([]))), { notWritten: true, message: /read-only replica/ });
  await replica.promote();
  await watch.healthy(LIMIT_MS);
  t.match(await store.publish(changeOf([putCluster('b')])), { revision: 2 });
});

t.test(
  'a master that became a replica is connected to anew, where its name may lead elsewhere',
  async (t) => {
    const [old, successor] = await Promise.all([startRedis(t), startRedis(t)]);
    const relay = await startTcpRelay(t, old.port);
    const { store, watch } = await open(t, at(old.settings(), relay.port));
    await watch.hintAfter(0);
    const { accepted } = relay;
    await old.makeReplicaOf(successor.port);
    await unavailable(store.publish(changeOf([])));
    await relay.waitForAccepted(accepted + 1);
    await watch.problem(/read-only replica/, LIMIT_MS);
  },
);

t.test('a disk that cannot be saved to is told, and passes', async (t) => {
  const redis = await startRedis(t, { configuration: ['enable-protected-configs local'] });
  const { store, watch } = await openListening(t, redis);
  await redis.command('CONFIG', 'SET', 'save', '3600 1000000');
  const failing = redis.log.length;
  await redis.command('CONFIG', 'SET', 'dbfilename', 'x'.repeat(300));
  await redis.command('BGSAVE');
  await redis.waitForLog(/Background saving error/, failing);
  await watch.problem(/cannot save to its disk.*MISCONF/, LIMIT_MS);
  t.match(await unavailable(store.publish(changeOf([]))), { notWritten: true, message: /MISCONF/ });
  t.equal(store.condition.reachable, true);
  t.equal(await store.readHead(), null, 'reading goes on');
  await redis.command('CONFIG', 'SET', 'save', '');
  await watch.healthy(LIMIT_MS);
});

t.test('too few replicas are told, and it passes', async (t) => {
  const redis = await startRedis(t);
  const { store, watch } = await openListening(t, redis);
  await redis.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
  t.match(await unavailable(store.publish(changeOf([]))), {
    notWritten: true,
    message: /too few replicas/,
  });
  await redis.command('CONFIG', 'SET', 'min-replicas-to-write', '0');
  await watch.healthy(LIMIT_MS);
});

t.test('a password that is missing or wrong is told, and never shown', async (t) => {
  const redis = await startRedis(t, { password: 'correct horse' });
  const shown: string[] = [];
  const cases = [
    { password: null, problem: /asks for a password: set GATEWAY_REDIS_PASSWORD/ },
    { password: 'battery staple', problem: /refuses the user name or the password/ },
  ];
  for (const { password, problem } of cases) {
    const { store, watch } = await open(t, redis.settings(undefined, { password }));
    const condition = await watch.problem(problem, LIMIT_MS);
    t.equal(condition.reachable, false);
    shown.push(JSON.stringify([condition, store.source, await unavailable(store.read())]));
  }
  t.notMatch(shown.join(), /battery|horse/);
  const { watch } = await open(t, redis.settings());
  await watch.healthy(LIMIT_MS);
});

t.test('a password that the answer of the server repeats is not shown', async (t) => {
  const redis = await startRedis(t);
  const settings = redis.settings(undefined, { password: 'sesame' });
  for (const answer of [
    '-ERR sesame is not welcome',
    '-ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `default`, `sesame`',
  ]) {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => socket.write(`${answer}\r\n`.repeat(9)));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
    const { store } = await open(t, at(settings, (server.address() as AddressInfo).port));
    t.match(store.condition, { reachable: false, problem: /ERR/ });
    t.notMatch(store.condition.problem, /sesame/);
  }
});

t.test('a database that does not exist is not replaced by another one', async (t) => {
  const redis = await startRedis(t);
  const { store, watch } = await open(t, { ...redis.settings(), database: 99 });
  await watch.problem(/DB index is out of range/, LIMIT_MS);
  t.match(await unavailable(store.publish(changeOf([putCluster('a')]))), { notWritten: true });
  t.equal(await redis.command('DBSIZE'), '0');
});

t.test('what answers but is no Redis is not taken for one', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address() as AddressInfo;
  const redis = await startRedis(t);
  const { store } = await open(t, at(redis.settings(), address.port));
  t.equal(store.condition.reachable, false);
});

t.test('closing ends everything within two seconds, whatever Redis does', async (t) => {
  const redis = await startRedis(t);
  const nowhere = await findServerPort();
  const { store: working } = await openListening(t, redis);
  const { store: trying } = await open(t, at(redis.settings(), nowhere));
  const { store: hanging } = await openListening(t, redis);
  t.ok((await measureMs(working.close())) < PROMPT_MS);
  t.ok((await measureMs(trying.close())) < PROMPT_MS);
  t.teardown(() => redis.resume());
  redis.pause();
  const pending = hanging.read().catch((error: Error) => error.message);
  const opening = RedisStore.open(redis.settings());
  t.ok((await measureMs(opening)) < 1_900, 'opening waits for a second');
  t.ok((await measureMs((await opening).close())) < PROMPT_MS);
  t.ok((await measureMs(hanging.close())) < PROMPT_MS);
  t.equal(await pending, 'the store is closed');
  await t.rejects(hanging.readHead(), /closed/);
  await t.rejects(hanging.instances.list(), /closed/);
});

t.test('a store that was closed leaves nothing that keeps the process', async (t) => {
  const redis = await startRedis(t);
  const countResources = (): number =>
    process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap' || name === 'Timeout').length;
  const before = countResources();
  const { store } = await openListening(t, redis);
  await store.publish(changeOf([putCluster('a')]));
  t.ok(countResources() > before);
  await store.close();
  t.ok(countResources() <= before);
  t.notMatch(await redis.command('CLIENT', 'LIST'), /name=fengling-gateway/);
});
