/** What instances tell each other: that they are there, and how they are. */
import pino from 'pino';
import t, { type Test } from 'tap';
import type { InstanceStatus } from '../../lib/admin/control-plane.ts';
import { Fleet } from '../../lib/primary/fleet.ts';
import { RedisStore } from '../../lib/store/redis/redis-store.ts';
import type { InstanceDirectory } from '../../lib/store/shared-state.ts';
import { eventually } from '../helpers/eventually.ts';
import { startRedis } from '../helpers/redis-server.ts';
import { ScriptedDirectory } from './scripted-directory.ts';
import { statusAt } from './statuses.ts';

const HELD = { revision: 1, id: 'a' };

function joinFleet(t: Test, directory: InstanceDirectory | null, own: { status: InstanceStatus }) {
  const lines: { msg: string }[] = [];
  const logger = pino({ base: null }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const fleet = new Fleet(directory, () => own.status, logger);
  t.teardown(() => fleet.close());
  return { fleet, lines };
}

t.test('an instance on a store of its own is alone', async (t) => {
  const { fleet } = joinFleet(t, null, { status: statusAt('one', HELD) });
  fleet.start();
  fleet.touch();
  t.same(await fleet.others(), { statuses: [], unknown: [] });
  await fleet.close();
});

t.test('an instance says that it is there, when something is new, and when it leaves', async (t) => {
  const directory = new ScriptedDirectory();
  const own = { status: statusAt('one', HELD) };
  const { fleet } = joinFleet(t, directory, own);
  fleet.start();
  await directory.waitFor(() => directory.announced.length === 1);
  own.status = statusAt('one', { revision: 2, id: 'b' });
  fleet.touch();
  await directory.waitFor(() => directory.announced.length === 2);
  t.match(directory.announced, [{ configuration: { revision: 1 } }, { configuration: { revision: 2 } }]);
  await fleet.close();
  t.same(directory.withdrawn, ['one']);
  fleet.touch();
  t.equal(directory.announced.length, 2, 'and nothing after that');
});

t.test('without news it says so all the same', async (t) => {
  const directory = new ScriptedDirectory();
  const { fleet } = joinFleet(t, directory, { status: statusAt('one', HELD) });
  fleet.start();
  await directory.waitFor(() => directory.announced.length >= 2);
});

t.test('a burst of news is few announcements, and the last of them tells all', async (t) => {
  const directory = new ScriptedDirectory();
  const own = { status: statusAt('one', HELD) };
  const { fleet } = joinFleet(t, directory, own);
  const held = Promise.withResolvers<void>();
  directory.hold = held.promise;
  fleet.start();
  for (let revision = 2; revision <= 500; revision += 1) {
    own.status = statusAt('one', { revision, id: `id-${revision}` });
    fleet.touch();
  }
  held.resolve();
  await directory.waitFor(() => directory.announced.length === 2);
  t.match(directory.announced.at(-1), { configuration: { revision: 500 } });
});

t.test('a directory that is out of reach is told again later, and a leave does not fail', async (t) => {
  const directory = new ScriptedDirectory();
  directory.fails = true;
  const { fleet } = joinFleet(t, directory, { status: statusAt('one', HELD) });
  fleet.start();
  await directory.waitFor(() => directory.announced.length === 1);
  await t.rejects(fleet.others(), { name: 'StoreUnavailableError' });
  fleet.touch();
  await directory.waitFor(() => directory.announced.length === 2);
  await fleet.close();
});

t.test('who listens hears the others, not itself, and no nonsense', async (t) => {
  const directory = new ScriptedDirectory();
  const own = { status: statusAt('one', HELD) };
  const { fleet, lines } = joinFleet(t, directory, own);
  fleet.start();
  const heard: string[] = [];
  const stop = fleet.listen(({ instance }) => heard.push(instance));
  directory.tell(own.status);
  directory.tell({ instance: 'three', configuration: 7 });
  directory.tell(statusAt('two', HELD));
  stop();
  directory.tell(statusAt('two', HELD));
  t.same([heard, lines], [['two'], []]);
});

t.test('another instance of the same name is an error that is logged once', async (t) => {
  const directory = new ScriptedDirectory();
  const { fleet, lines } = joinFleet(t, directory, { status: statusAt('one', HELD) });
  fleet.start();
  const namesake = statusAt('one', HELD, { startedAt: '2030-01-01T00:00:00.000Z' });
  directory.tell(namesake);
  directory.tell(namesake);
  t.match(lines, [{ msg: /another instance uses the same --instance/ }]);
  t.equal(lines.length, 1);
});

t.test('the others are those that are listed; what cannot be understood is named', async (t) => {
  const directory = new ScriptedDirectory();
  const { fleet } = joinFleet(t, directory, { status: statusAt('one', HELD) });
  directory.listed = [statusAt('one', HELD), statusAt('two', HELD), { instance: 'odd' } as InstanceStatus];
  const { statuses, unknown } = await fleet.others();
  t.same(
    statuses.map(({ instance }) => instance),
    ['two'],
  );
  t.match(unknown, [{ instance: 'odd', problem: /not understood/ }]);
});

t.test('who shares a name is nobody to rely on, as long as the other one is heard', async (t) => {
  const directory = new ScriptedDirectory();
  const { fleet } = joinFleet(t, directory, { status: statusAt('one', HELD) });
  fleet.start();
  directory.tell(statusAt('one', HELD));
  t.same((await fleet.others()).unknown, [], 'one hears oneself');
  directory.tell(statusAt('one', HELD, { startedAt: '2030-01-01T00:00:00.000Z' }));
  t.match((await fleet.others()).unknown, [{ instance: 'one', problem: /the same name/ }]);
});

t.test('who asks for the others at the same time gets one answer', async (t) => {
  const directory = new ScriptedDirectory();
  const { fleet } = joinFleet(t, directory, { status: statusAt('one', HELD) });
  await Promise.all([fleet.others(), fleet.others(), fleet.others()]);
  t.equal(directory.lists, 1);
  await fleet.others();
  t.equal(directory.lists, 2, 'and later a new one');
});

t.test('two instances on one Redis know each other, until one leaves', async (t) => {
  const redis = await startRedis(t);
  const [one, two] = await Promise.all(
    ['one', 'two'].map(async (name) => {
      const store = await RedisStore.open(redis.settings());
      t.teardown(() => store.close());
      const own = { status: statusAt(name, HELD) };
      return { own, ...joinFleet(t, store.instances, own) };
    }),
  );
  if (one === undefined || two === undefined) throw new Error('two were started');
  const heard: number[] = [];
  one.fleet.listen(({ configuration }) => heard.push(configuration.revision));
  one.fleet.start();
  two.fleet.start();
  await eventually(async () => {
    const others = await Promise.all([one.fleet.others(), two.fleet.others()]);
    if (others.some(({ statuses }) => statuses.length !== 1)) throw new Error('not both are there');
  });
  two.own.status = statusAt('two', { revision: 2, id: 'b' });
  await eventually(() => {
    two.fleet.touch();
    if (!heard.includes(2)) throw new Error('the news have not come');
  });
  await two.fleet.close();
  t.same(await one.fleet.others(), { statuses: [], unknown: [] });
});
