/** What a console says of destinations, on its way to the workers. */
import pino from 'pino';
import t, { type Test } from 'tap';
import type { DestinationHealth, HealthReport } from '../../lib/core/health/health-report.ts';
import { HealthHub } from '../../lib/primary/health-hub.ts';
import { RedisStore } from '../../lib/store/redis/redis-store.ts';
import type { HealthDirectory } from '../../lib/store/shared-state.ts';
import { ChangeSignal } from '../helpers/change-signal.ts';
import { startRedis } from '../helpers/redis-server.ts';
import { ScriptedHealth } from './scripted-directory.ts';

const AN_HOUR_MS = 3_600_000;

const about = (destination: string, healthy: boolean, more: Partial<HealthReport> = {}): HealthReport => ({
  cluster: 'c',
  destination,
  healthy,
  sequence: 1,
  ttlMs: AN_HOUR_MS,
  ...more,
});

function createHub(t: Test, directory: HealthDirectory | null) {
  const told: DestinationHealth[] = [];
  const changed = new ChangeSignal();
  const publish = (destinations: readonly DestinationHealth[]) => {
    told.push(...destinations);
    changed.notify();
  };
  const hub = new HealthHub(directory, publish, pino({ level: 'silent' }));
  t.teardown(() => hub.close());
  const texts = () => told.map(({ destination, healthy }) => `${destination} ${healthy ? 'up' : 'down'}`);
  const untilTold = (...wanted: string[]) =>
    changed.waitFor(
      () => (wanted.every((text) => texts().includes(text)) ? true : undefined),
      10_000,
      () => `${texts()}`,
    );
  return { hub, texts, untilTold };
}

t.test('workers are told what changes, and a new one what is not healthy', async (t) => {
  const { hub, texts } = createHub(t, null);
  hub.start();
  t.equal(await hub.report([about('a', false), about('b', true)]), 2);
  t.same(texts(), ['a down']);
  t.match(hub.unhealthy(), [{ destination: 'a' }]);
  t.match(hub.all(), [{ destination: 'a' }, { destination: 'b' }]);
});

t.test('an older report is no news', async (t) => {
  const { hub, texts } = createHub(t, null);
  await hub.report([about('a', false, { sequence: 5 })]);
  t.equal(await hub.report([about('a', true, { sequence: 4 })]), 0);
  t.same(texts(), ['a down']);
});

t.test('a destination that nobody speaks of any more is usable again', async (t) => {
  const { hub, untilTold } = createHub(t, null);
  hub.start();
  await hub.report([about('a', false, { ttlMs: 50 })]);
  await untilTold('a down', 'a up');
  t.same(hub.all(), []);
});

t.test('what is shared is read at the start, and heard afterwards', async (t) => {
  const directory = new ScriptedHealth();
  directory.stored = [about('a', false)];
  const { hub, untilTold } = createHub(t, directory);
  hub.start();
  await untilTold('a down');
  directory.tell([about('b', false)]);
  await untilTold('b down');
  directory.stored.push(about('c', false));
  await hub.refresh();
  await untilTold('c down');
});

t.test('a report that could not be shared is no report; what is known stays', async (t) => {
  const directory = new ScriptedHealth();
  const { hub, texts } = createHub(t, directory);
  await hub.report([about('a', false)]);
  directory.fails = true;
  await t.rejects(hub.report([about('b', false)]), { name: 'StoreUnavailableError' });
  await hub.refresh();
  t.same([texts(), hub.unhealthy().length], [['a down'], 1]);
});

t.test('a hub that is closed keeps no process alive', (t) => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const { hub } = createHub(t, new ScriptedHealth());
  hub.start();
  hub.close();
  t.equal(timers(), before);
  t.end();
});

t.test('on one Redis all instances learn what one of them was told', async (t) => {
  const redis = await startRedis(t);
  const open = async () => {
    const store = await RedisStore.open(redis.settings());
    t.teardown(() => store.close());
    const created = createHub(t, store.health);
    created.hub.start();
    return created;
  };
  const [one, two] = [await open(), await open()];
  t.equal(await one.hub.report([about('a', false)]), 1);
  await one.untilTold('a down');
  await two.hub.refresh();
  await two.untilTold('a down');
  t.equal(await two.hub.report([about('a', false)]), 0, 'it is known already');
  const late = await open();
  await late.untilTold('a down');
});
