/** The last good configuration cannot be saved: told, and of no consequence for traffic and changes. */
import { execFileSync, spawnSync } from 'node:child_process';
import { rename, writeFile } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { type Fleet, startFleet, startTraffic } from '../helpers/fleet.ts';
import type { GatewayProcess, LogLine } from '../helpers/gateway-process.ts';
import { savedRevisionOf, waitUntilSaved } from '../helpers/last-good.ts';
import { startRedis } from '../helpers/redis-server.ts';
import { waitForMetrics } from '../helpers/worker-processes.ts';

const UNSAVED = 'gateway_last_good_configuration_unsaved';
const canLimitFiles = spawnSync('prlimit', ['--version']).status === 0;
const redis = await startRedis(t);
/**
 * Node ignores the signal that comes with the limit below; what watches processes under test listens for it,
 * and ends them where nobody else does.
 */
const ignoreSignal = `--import=data:text/javascript,${encodeURIComponent("process.on('SIGXFSZ',()=>{})")}`;
const fleet = await startFleet(t, {
  url: redis.url,
  environment: { NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} ${ignoreSignal}`.trim() },
});

const isUnsaved = ({ msg }: LogLine) => msg === 'last good configuration could not be saved';
const isSavedAgain = ({ msg }: LogLine) => msg === 'last good configuration saved again';

/** Makes a change while the first instance cannot save, then one when it can again. */
async function checkTrouble(
  t: Test,
  { one, two }: Fleet,
  begin: () => unknown,
  reason: RegExp,
  end: () => unknown,
): Promise<void> {
  const { revision } = await fleet.agree();
  await waitUntilSaved(one.gateway, revision);
  const traffic = await startTraffic(t, fleet.instances);
  const told = one.gateway.waitForNextLog(isUnsaved, 20_000);
  await begin();
  await fleet.assertTakesChanges();
  t.match(await told, { level: 'error', reason });
  await waitForMetrics(one.gateway, (metrics) => metrics.get(UNSAVED) === 1);
  t.match(await one.admin.status(), { ready: true, configuration: { degraded: null, applied: true } });
  t.equal((await two.gateway.metrics()).get(UNSAVED), 0, 'the other one has no trouble');

  // It may try again as soon as it can, which is before `end` has returned.
  const saved = one.gateway.waitForNextLog(isSavedAgain, 20_000);
  await end();
  await fleet.assertTakesChanges();
  await saved;
  await waitForMetrics(one.gateway, (metrics) => metrics.get(UNSAVED) === 0);
  await waitUntilSaved(one.gateway, (await fleet.agree()).revision);
  await traffic.assertUnharmed();
}

/** No file of the process may grow beyond this any more: a disk that is full, as it sees it. */
function limitFiles({ pid }: GatewayProcess, bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`]);
}

t.test('no room for the file', { skip: canLimitFiles ? false : 'prlimit is missing' }, async (t) => {
  const { gateway } = fleet.one;
  const before = await fleet.agree();
  await waitUntilSaved(gateway, before.revision);
  const limit = () => limitFiles(gateway, 64);
  const end = async () => {
    t.ok((await savedRevisionOf(gateway)) >= before.revision, 'what was there before is still whole');
    limitFiles(gateway, 'unlimited');
  };
  await checkTrouble(t, fleet, limit, /last-good\.json.*EFBIG/, end);
});

t.test('the directory cannot be written to', async (t) => {
  const { stateDirectory } = fleet.one.gateway;
  const aside = `${stateDirectory}.aside`;
  t.teardown(() => rename(aside, stateDirectory).catch(() => {}));
  // Permissions would not keep root from writing; a file in the place of the directory does.
  const begin = async () => {
    await rename(stateDirectory, aside);
    await writeFile(stateDirectory, '');
  };
  const end = async () => {
    await rename(stateDirectory, `${stateDirectory}.file`);
    await rename(aside, stateDirectory);
  };
  await checkTrouble(t, fleet, begin, new RegExp(stateDirectory), end);
});
