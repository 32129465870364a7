/** Demand for rate limits, from instance to instance. */
import t from 'tap';
import type { RateDemand } from '../../../lib/core/policy/rate-demand.ts';
import { formatRateMessage, parseRateMessage } from '../../../lib/store/redis/rate-message.ts';
import { RedisStore } from '../../../lib/store/redis/redis-store.ts';
import { ChangeSignal } from '../../helpers/change-signal.ts';
import { startRedis } from '../../helpers/redis-server.ts';
import { StoreWatch } from './store-watch.ts';

const DEMAND: RateDemand = [2 ** 53 - 1, 12, 3.25, 100, 0.01];

t.test('what one instance tells, all of them hear', async (t) => {
  const redis = await startRedis(t);
  const open = async () => {
    const store = await RedisStore.open(redis.settings());
    t.teardown(() => store.close());
    return store;
  };
  const [one, two] = [await open(), await open()];
  const heard: (readonly [string, readonly RateDemand[]])[] = [];
  const changed = new ChangeSignal();
  two.rates.watch((instance, demands) => {
    heard.push([instance, demands]);
    changed.notify();
  });
  await new StoreWatch(two).hintAfter(0);
  one.rates.publish('gateway-1', [DEMAND]);
  const find = () => (heard.length > 0 ? heard : undefined);
  t.same(await changed.waitFor(find, 10_000, () => 'nothing was heard'), [['gateway-1', [DEMAND]]]);
  await redis.kill();
  one.rates.publish('gateway-1', [DEMAND]);
  t.pass('without Redis nothing is told, and nothing fails');
});

t.test('instances that start at once agree on one secret, which stays', async (t) => {
  const redis = await startRedis(t);
  const open = async () => {
    const store = await RedisStore.open(redis.settings());
    t.teardown(() => store.close());
    return store.rates;
  };
  const exchanges = await Promise.all(Array.from({ length: 4 }, open));
  const proposals = exchanges.map((_, index) => `a secret of instance ${index}`.replaceAll(' ', '-'));
  const agreed = await Promise.all(
    exchanges.map((exchange, index) => exchange.agreeOnSecret(proposals[index]!)),
  );
  const [secret = ''] = agreed;
  t.same(new Set(agreed), new Set([secret]));
  t.ok(proposals.includes(secret));
  t.equal(await redis.command('GET', '{gateway}:rate-secret'), secret);
  t.equal(await exchanges[3]!.agreeOnSecret('one-that-comes-too-late'), secret);
});

t.test('a secret that is lost is given again, and what is none is replaced', async (t) => {
  const redis = await startRedis(t);
  const store = await RedisStore.open(redis.settings());
  t.teardown(() => store.close());
  const key = '{gateway}:rate-secret';
  for (const words of [['FLUSHALL'], ['SET', key, 'short'], ['HSET', key, 'a', 'b']]) {
    await redis.command('DEL', key);
    await redis.command(...words);
    t.equal(await store.rates.agreeOnSecret('that-of-the-fleet'), 'that-of-the-fleet', words.join(' '));
    t.equal(await redis.command('GET', key), 'that-of-the-fleet');
  }
  await redis.kill();
  await t.rejects(store.rates.agreeOnSecret('another-one-of-mine'), { name: 'StoreUnavailableError' });
});

t.test('a message is read as it was written', async (t) => {
  const message = { instance: 'gateway-1', demands: [DEMAND] };
  t.same(parseRateMessage(formatRateMessage(message)), message);
});

t.test('what is no message is none, and what is no demand is left out', async (t) => {
  for (const text of [
    '',
    'null',
    '[]',
    '{"instance":1,"demands":[]}',
    '{"instance":"a"}',
    ' '.repeat(300_000),
  ])
    t.equal(parseRateMessage(text), null, text.slice(0, 40));
  const wrong = [
    null,
    [],
    [1, 2, 3],
    ['1', 1, 0, 1, 1],
    [-1, 1, 0, 1, 1],
    [1.5, 1, 0, 1, 1],
    [1, -1, 0, 1, 1],
    [1, 1, -1, 1, 1],
    [1, 1, 1e10, 1, 1],
    [1, 1, 0, 0, 1],
    [1, 1, 0, 1, 0],
    [1, 1, 0, 1, null],
  ];
  const text = JSON.stringify({ instance: 'a', demands: [...wrong, DEMAND] });
  t.same(parseRateMessage(text)?.demands, [DEMAND]);
  const many = new Array<RateDemand>(1_500).fill([1, 1, 0, 1, 1]);
  t.equal(parseRateMessage(formatRateMessage({ instance: 'a', demands: many }))?.demands.length, 1_000);
});
