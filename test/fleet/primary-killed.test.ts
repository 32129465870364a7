/** The primary of one instance is killed in the middle of a change, and started again on what it left. */
import t, { type Test } from 'tap';
import {
  type Fleet,
  Fleet as FleetOf,
  routeTo,
  startFleet,
  startInstance,
  startTraffic,
} from '../helpers/fleet.ts';
import { type RedisProcess, startRedis } from '../helpers/redis-server.ts';
import { openStore, storedAgreement } from '../helpers/store-client.ts';
import { listWorkers } from '../helpers/worker-processes.ts';

const redis = await startRedis(t);
const first = await startFleet(t, { url: redis.url });
const store = await openStore(t, redis);

/** Kills the first instance and starts it again with the same state directory. */
async function restartFirst(owner: Test, { one, two }: Fleet, { url }: RedisProcess): Promise<Fleet> {
  one.gateway.signal('SIGKILL');
  const { signal } = await one.gateway.exited;
  owner.equal(signal, 'SIGKILL');
  const { stateDirectory } = one.gateway;
  return new FleetOf(await startInstance(t, 'one', url, { stateDirectory }), two);
}

t.test('killed while a change is on its way, it ends at what the store holds', async (t) => {
  const traffic = await startTraffic(t, [first.two]);
  // Whether this is written before the end, nobody can say: either is right, if all agree.
  const writing = first.one.admin.put('routes', 'on-its-way', routeTo('/on-its-way')).catch(() => null);
  let fleet = await restartFirst(t, first, redis);
  await writing;
  t.same(await storedAgreement(store), await fleet.agree());
  await fleet.assertTakesChanges();

  const large = Object.fromEntries(
    Array.from({ length: 3_000 }, (_, index) => [`large-${index}`, routeTo(`/large/${index}`)]),
  );
  const body = { ...large, steady: routeTo('/steady') };
  const taken = fleet.one.gateway.waitForNextLog(({ msg }) => msg === 'configuration changed');
  const largeWriting = fleet.one.admin.write('PUT', 'routes?wait=all', { body }).catch(() => null);
  const { revision } = await taken;
  const workers = [...listWorkers(fleet.one.gateway).values()];
  fleet = await restartFirst(t, fleet, redis);
  await largeWriting;
  const after = await fleet.agree();
  t.same(await storedAgreement(store), after);
  t.equal(after.revision, revision, 'what was written before the end is there');
  t.same(await fleet.statusOf('/large/2999'), [200, 200]);
  t.equal(workers.length, 2);
  t.same(workers.filter(isAlive), [], 'the workers did not outlive their primary');
  await fleet.assertTakesChanges();
  await traffic.assertUnharmed();
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
