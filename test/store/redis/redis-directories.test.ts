import t, { type Test } from 'tap';
import type { HealthReport } from '../../../lib/core/health/health-report.ts';
import { StoreUnavailableError, UnreadableStoreError } from '../../../lib/store/config-store.ts';
import { RedisStore } from '../../../lib/store/redis/redis-store.ts';
import type { InstanceRecord } from '../../../lib/store/shared-state.ts';
import { ChangeSignal } from '../../helpers/change-signal.ts';
import { startRedis } from '../../helpers/redis-server.ts';
import { StoreWatch } from './store-watch.ts';

const redis = await startRedis(t);
let places = 0;

interface Place {
  readonly key: (name: string) => string;
  readonly open: () => Promise<RedisStore>;
}

function createPlace(t: Test): Place {
  places += 1;
  const prefix = `{place-${places}}:`;
  const open = async (): Promise<RedisStore> => {
    const store = await RedisStore.open(redis.settings(prefix));
    t.teardown(() => store.close());
    return store;
  };
  return { key: (name) => prefix + name, open };
}

function reportOf(destination: string, sequence: number, more: Partial<HealthReport> = {}): HealthReport {
  return { cluster: 'orders', destination, healthy: false, sequence, ttlMs: 60_000, ...more };
}

/** Asks again until the answer is as expected. */
async function until(ask: () => Promise<boolean>): Promise<void> {
  for (let attempt = 1; !(await ask()); attempt += 1) {
    if (attempt > 2_000) throw new Error('it did not come to that');
  }
}

class Collector<T> {
  readonly all: T[] = [];
  readonly #changed = new ChangeSignal();

  readonly add = (item: T): void => {
    this.all.push(item);
    this.#changed.notify();
  };

  async count(count: number): Promise<readonly T[]> {
    const find = () => (this.all.length >= count ? this.all : undefined);
    return this.#changed.waitFor(find, 10_000, () => JSON.stringify(this.all));
  }
}

t.test('an instance that announces itself is listed, and told to those who watch', async (t) => {
  const { open } = createPlace(t);
  const [here, there] = [await open(), await open()];
  const records = new Collector<InstanceRecord>();
  there.instances.watch(records.add);
  await new StoreWatch(there).hintAfter(0);
  const record = { instance: 'a é"\n', revision: 7, workers: [] };
  t.strictSame(await there.instances.list(), []);
  await here.instances.announce(record, 60_000);
  t.strictSame(await there.instances.list(), [record]);
  t.strictSame(await records.count(1), [record]);
  await here.instances.announce({ ...record, revision: 8 }, 60_000);
  await here.instances.announce({ instance: 'b' }, 60_000);
  t.strictSame(
    (await there.instances.list()).toSorted((one, other) => one.instance.localeCompare(other.instance)),
    [{ ...record, revision: 8 }, { instance: 'b' }],
  );
  await here.instances.withdraw(record.instance);
  t.strictSame(await there.instances.list(), [{ instance: 'b' }]);
  await here.instances.withdraw('never-there');
});

t.test('an instance that falls silent vanishes, its name too', async (t) => {
  const { open, key } = createPlace(t);
  const store = await open();
  await store.instances.announce({ instance: 'brief' }, 30);
  await store.instances.announce({ instance: 'lasting' }, 60_000);
  await until(async () => (await store.instances.list()).length === 1);
  t.strictSame(await store.instances.list(), [{ instance: 'lasting' }]);
  t.equal(await redis.command('ZRANGE', key('instances'), '0', '-1'), 'lasting');
  t.equal(await redis.command('EXISTS', key('instance:brief')), '0');
});

t.test('records that are none are left out, and a list of another type is told', async (t) => {
  const { open, key } = createPlace(t);
  const store = await open();
  await store.instances.announce({ instance: 'good' }, 60_000);
  for (const [instance, text] of [
    ['bad', 'no JSON'],
    ['list', '[]'],
    ['nameless', '{}'],
  ] as const) {
    await redis.command('ZADD', key('instances'), '9999999999999', instance);
    await redis.command('SET', key(`instance:${instance}`), text);
  }
  t.strictSame(await store.instances.list(), [{ instance: 'good' }]);
  await redis.command('DEL', key('instances'));
  await redis.command('SET', key('instances'), 'x');
  await t.rejects(store.instances.list(), UnreadableStoreError);
  await t.rejects(store.instances.announce({ instance: 'good' }, 60_000), UnreadableStoreError);
});

t.test('a record that is too large, and an instance too many, are refused', async (t) => {
  const { open, key } = createPlace(t);
  const store = await open();
  await t.rejects(
    store.instances.announce({ instance: 'a', text: 'x'.repeat(1_048_576) }, 1_000),
    RangeError,
  );
  await store.instances.announce({ instance: 'a' }, 60_000);
  const fill = "for i = 1, 9999 do redis.call('ZADD', KEYS[1], 9999999999999, 'i' .. i) end";
  await redis.command('EVAL', fill, '1', key('instances'));
  await t.rejects(store.instances.announce({ instance: 'b' }, 1_000), /as many instances as it may have/);
  await store.instances.announce({ instance: 'a', again: true }, 60_000);
  t.strictSame(await store.instances.list(), [{ instance: 'a', again: true }]);
});

t.test('health is kept by destination, and only what is newer replaces it', async (t) => {
  const { open } = createPlace(t);
  const [here, there] = [await open(), await open()];
  const told = new Collector<readonly HealthReport[]>();
  there.health.watch(told.add);
  await new StoreWatch(there).hintAfter(0);
  const reason = 'connect ECONNREFUSED "é\n';
  const [one, two] = [reportOf('one', 5, { reason }), reportOf('two', 1, { healthy: true })];
  t.equal(await here.health.report([one, two]), 2);
  t.equal(await here.health.report([reportOf('one', 5, { healthy: true }), reportOf('two', 0)]), 0);
  t.equal(await here.health.report([reportOf('one', 6, { healthy: true }), reportOf('two', 1)]), 1);
  t.strictSame(await told.count(2), [[one, two], [reportOf('one', 6, { healthy: true })]]);
  const read = await there.health.read();
  t.ok(read.every(({ ttlMs }) => ttlMs > 0 && ttlMs <= 60_000));
  t.strictSame(
    read
      .map((report) => ({ ...report, ttlMs: 60_000 }))
      .toSorted((a, b) => a.destination.localeCompare(b.destination)),
    [reportOf('one', 6, { healthy: true }), two],
  );
  t.equal(await here.health.report([]), 0);
});

t.test('health expires by the clock of Redis; then an older report is as good as any', async (t) => {
  const { open, key } = createPlace(t);
  const store = await open();
  await store.health.report([reportOf('one', 9, { ttlMs: 30 }), reportOf('two', 1)]);
  await until(async () => (await store.health.read()).length === 1);
  t.equal(await redis.command('HLEN', key('health')), '2');
  t.equal(await store.health.report([reportOf('two', 2)]), 1);
  t.equal(await redis.command('HLEN', key('health')), '1', 'who writes next removes what has expired');
  t.equal(await store.health.report([reportOf('one', 3)]), 1);
});

t.test('thousands of reports that have expired are gone after a few more', async (t) => {
  const { open, key } = createPlace(t);
  const store = await open();
  const many = Array.from({ length: 2_000 }, (_, index) => reportOf(`d${index}`, 1, { ttlMs: 20 }));
  t.equal(await store.health.report(many), 2_000);
  await until(async () => (await store.health.read()).length === 0);
  let sequence = 1;
  await until(async () => {
    sequence += 1;
    await store.health.report([reportOf('new', sequence)]);
    return (await redis.command('HLEN', key('health'))) === '1';
  });
  t.ok(sequence < 200, `${sequence} reports`);
});

t.test('what somebody else wrote among the reports is left out, and goes', async (t) => {
  const { open, key } = createPlace(t);
  const store = await open();
  await redis.command(
    'HSET',
    key('health'),
    'orders/one',
    'no JSON',
    'noslash',
    '{}',
    'orders/two',
    '{"healthy":1}',
  );
  t.strictSame(await store.health.read(), []);
  t.equal(await store.health.report([reportOf('one', 0)]), 1);
  t.match(await store.health.read(), [{ destination: 'one', sequence: 0 }]);
  t.equal(await redis.command('HLEN', key('health')), '1');
});

t.test('more destinations than fit are refused, and nothing is written', async (t) => {
  const { open, key } = createPlace(t);
  const store = await open();
  const fill = `for i = 1, 100000 do redis.call('HSET', KEYS[1], 'c/' .. i, '{"healthy":true,"sequence":1,"expiresAtMs":9999999999999}') end`;
  await redis.command('EVAL', fill, '1', key('health'));
  const error = await store.health.report([reportOf('one', 1)]).catch((reason: unknown) => reason);
  t.ok(error instanceof StoreUnavailableError);
  t.match(error, { notWritten: true, message: /as many destinations as it may have/ });
  t.equal(await redis.command('HLEN', key('health')), '100000');
});

t.test('reports that are not valid are refused', async (t) => {
  const { open } = createPlace(t);
  const store = await open();
  for (const wrong of [
    { sequence: -1 },
    { sequence: 1.5 },
    { ttlMs: -1 },
    { cluster: '' },
    { healthy: 'yes' },
  ]) {
    const report = { ...reportOf('one', 1), ...wrong } as HealthReport;
    await t.rejects(store.health.report([report]), /report 0 is not valid/, JSON.stringify(wrong));
  }
  t.strictSame(await store.health.read(), []);
});
