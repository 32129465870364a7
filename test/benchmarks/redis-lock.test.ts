/** What the gateway is compared with must be right itself: the lock in Redis, and the gateway that balances under it. */
import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import t from 'tap';
import { type LockTerms, RedisLock } from '../../benchmarks/redis-lock/lock.ts';
import { lockedEnvironment } from '../../benchmarks/redis-lock/locked-environment.ts';
import { countInFlight } from '../../benchmarks/redis-lock/redis-usage.ts';
import { SharedCounters } from '../../benchmarks/redis-lock/shared-counters.ts';
import { eventually } from '../helpers/eventually.ts';
import { startGateway } from '../helpers/gateway-process.ts';
import { startRedis } from '../helpers/redis-server.ts';
import { startOrigin } from '../helpers/scripted-origin.ts';
import { get } from '../helpers/worker-processes.ts';

const PATIENT: LockTerms = { ttlMs: 60_000, maxWaitMs: 30_000, retryMs: 2 };
const redis = await startRedis(t);

function connect(): Redis {
  const client = new Redis({ host: '127.0.0.1', port: redis.port });
  t.teardown(() => client.disconnect());
  return client;
}

const clients = [connect(), connect()] as const;

t.beforeEach(() => redis.command('FLUSHALL'));

t.test('two clients that add up under the lock lose nothing', async (t) => {
  async function add(client: Redis): Promise<void> {
    const lock = new RedisLock(client, 'lock', PATIENT);
    const token = await lock.acquire();
    await client.set('sum', Number(await client.get('sum')) + 1);
    t.equal(await lock.release(token ?? ''), true);
  }
  await Promise.all(Array.from({ length: 40 }, (_, index) => add(clients[index % 2]!)));
  t.equal(await redis.command('GET', 'sum'), '40');
});

t.test('a lock that has expired is not released by who held it', async (t) => {
  const late = new RedisLock(clients[0], 'lock', { ...PATIENT, ttlMs: 20 });
  const next = new RedisLock(clients[1], 'lock', PATIENT);
  const lateToken = (await late.acquire()) ?? '';
  const nextToken = (await next.acquire()) ?? '';
  t.equal(await late.release(lateToken), false);
  t.equal(await redis.command('GET', 'lock'), nextToken);
  t.equal(await next.release(nextToken), true);
  t.equal(await redis.command('EXISTS', 'lock'), '0');
});

t.test('who does not get the lock in time gives up, and changes nothing', async (t) => {
  const token = await new RedisLock(clients[0], 'lock:orders', PATIENT).acquire();
  const hasty = { ...PATIENT, maxWaitMs: 50 };
  t.equal(await new RedisLock(clients[1], 'lock:orders', hasty).acquire(), null);
  t.equal(await new SharedCounters(clients[1], 'orders', hasty).take(['a', 'b']), null);
  t.equal(await redis.command('GET', 'lock:orders'), token);
  t.equal(await redis.command('EXISTS', 'counters:orders'), '0');
});

t.test('workers that choose at once share the load equally, and count all of it down again', async (t) => {
  const workers = clients.map((client) => new SharedCounters(client, 'orders', PATIENT));
  const chosen = await Promise.all(
    Array.from({ length: 30 }, (_, index) => workers[index % 2]!.take(['a', 'b', 'c'])),
  );
  t.same(chosen.sort(), [...Array(10).fill('a'), ...Array(10).fill('b'), ...Array(10).fill('c')]);
  t.equal(await countInFlight(redis), 30);
  await Promise.all(chosen.map((id, index) => workers[index % 2]!.giveBack(id ?? '')));
  t.equal(await countInFlight(redis), 0);
});

t.test('the fewest requests under way decide, then whose turn it is', async (t) => {
  const counters = new SharedCounters(clients[0], 'orders', PATIENT);
  t.equal(await counters.take([]), null);
  t.equal(await counters.take(['a', 'b']), 'a');
  await counters.giveBack('a');
  t.equal(await counters.take(['a', 'b']), 'b');
  await counters.giveBack('b');
  await counters.take(['a', 'b']);
  await counters.take(['b']);
  await counters.giveBack('a');
  t.equal(await counters.take(['b', 'a']), 'a');
});

t.test(
  'a gateway that is started so balances in Redis, and refuses where the lock is not to be had',
  async (t) => {
    const origin = await startOrigin((_, connection) => connection.answer({ body: 'hello' }), { owner: t });
    const clusters = { orders: { destinations: { a: { url: origin.url }, b: { url: origin.url } } } };
    const routes = { orders: { match: { path: '/orders' }, cluster: 'orders' } };
    const environment = lockedEnvironment(redis.port);
    const gateway = await startGateway(t, { config: { clusters, routes }, environment });

    for (const turn of [1, 0]) {
      t.equal((await get(gateway.port, '/orders')).text, 'hello');
      // Counted down after the answer.
      await eventually(async () => assert.equal(await countInFlight(redis), 0));
      t.match(JSON.parse(await redis.command('GET', 'counters:orders')), { turn });
    }
    const token = await new RedisLock(clients[0], 'lock:orders', PATIENT).acquire();
    t.not(token, null);
    t.equal((await get(gateway.port, '/orders')).status, 503);
    t.equal(await countInFlight(redis), 0);
  },
);
