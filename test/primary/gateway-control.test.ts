/** What the management API is answered by the primary; the HTTP around it is tested elsewhere. */
import pino from 'pino';
import t, { type Test } from 'tap';
import type { InstanceStatus } from '../../lib/admin/control-plane.ts';
import { ERRORS } from '../../lib/core/errors.ts';
import { Acceptor } from '../../lib/primary/acceptor.ts';
import { ConnectionCounts } from '../../lib/primary/connection-counts.ts';
import { ControlEvents } from '../../lib/primary/control-events.ts';
import { Fleet } from '../../lib/primary/fleet.ts';
import { GatewayControl } from '../../lib/primary/gateway-control.ts';
import { HealthHub } from '../../lib/primary/health-hub.ts';
import { ReceiptWaiter } from '../../lib/primary/receipt-waiter.ts';
import { Supervisor } from '../../lib/primary/supervisor.ts';
import { ConfigFileStore } from '../../lib/store/config-file-store.ts';
import {
  type ConfigStore,
  StoreUnavailableError,
  UnreadableStoreError,
} from '../../lib/store/config-store.ts';
import { FileStore } from '../../lib/store/file-store.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import { followStore, orderOf, putCluster, putRoute, refusalOf, removeRoute } from './followed-store.ts';
import { ScriptedDirectory, ScriptedHealth } from './scripted-directory.ts';
import { ScriptedStore } from './scripted-store.ts';
import { statusAt } from './statuses.ts';
import { QUIET_SETTINGS } from './worker-settings.ts';

const logger = pino({ level: 'silent' });

/** A control plane whose one worker, unless it is stuck, serves what is held. The workers themselves never start. */
async function createControl(t: Test, store: ConfigStore) {
  const followed = await followStore(t, store);
  const { keeper, follower, writer } = followed;
  const directory = new ScriptedDirectory();
  const healthDirectory = new ScriptedHealth();
  const own = { stuckAt: null as { revision: number; id: string } | null, canRestart: true };
  const status = (): InstanceStatus => {
    const { configuration, ...rest } = statusAt('one', keeper.head);
    const { workers } = statusAt('one', own.stuckAt ?? keeper.head);
    return { ...rest, configuration: { ...configuration, applied: own.stuckAt === null }, workers };
  };
  const fleet = new Fleet(directory, status, logger);
  const ignore = () => {};
  const supervisor = new Supervisor(
    {
      workerFile: 'none',
      workers: 1,
      drainLimitMs: 0,
      settings: QUIET_SETTINGS,
    },
    new Acceptor(new ConnectionCounts({ total: 0, perAddress: 0 }, [])),
    () => keeper.current,
    {
      onWorkersChanged: ignore,
      onApplied: ignore,
      onWorkerState: ignore,
      onSample: ignore,
      onWorkerGone: ignore,
      onRefresh: ignore,
      onRateDemands: ignore,
      onRestart: ignore,
      onHopeless: ignore,
    },
    logger,
  );
  t.teardown(() => supervisor.stop());
  const control = new GatewayControl({
    store,
    keeper,
    writer,
    receipts: new ReceiptWaiter(keeper.chain, status, fleet),
    fleet,
    health: new HealthHub(healthDirectory, ignore, logger),
    supervisor,
    events: new ControlEvents(),
    status,
    restartWorkers: () => own.canRestart,
  });
  await follower.start();
  return { ...followed, control, directory, healthDirectory, own };
}

async function openControl(t: Test) {
  const store = await FileStore.open(await createTemporaryDirectory(t));
  t.teardown(() => store.close());
  return { store, ...(await createControl(t, store)) };
}

const waiting = { wait: 'instance', timeoutMs: 20_000 } as const;

t.test('a write is answered with what it changed and who serves it', async (t) => {
  const { control } = await openControl(t);
  const receipt = await control.change(orderOf([putCluster(), putRoute('a')], waiting));
  t.match(receipt, {
    revision: 1,
    changed: true,
    complete: true,
    difference: [
      { kind: 'cluster', id: 'one', action: 'add' },
      { kind: 'route', id: 'a', action: 'add' },
    ],
    applied: [{ instance: 'one', worker: 1, revision: 1, ok: true }],
  });
  const second = await control.change(orderOf([putRoute('a', '/b')], { ...waiting, wait: 'all' }));
  t.match(second.difference, [
    { id: 'a', action: 'change', changes: [{ pointer: '/match/path', before: '/a', after: '/b' }] },
  ]);
  t.match(control.current(), { head: { revision: 2 } });
});

t.test('a dry run waits for nobody, and says what would be', async (t) => {
  const { control } = await openControl(t);
  const receipt = await control.change(orderOf([putCluster()], { ...waiting, dryRun: true }));
  t.match(receipt, { revision: 0, changed: false, complete: true, applied: [], difference: [{ id: 'one' }] });
});

t.test(
  'where there was nothing to change one learns who serves it, also of an empty configuration',
  async (t) => {
    const { control } = await openControl(t);
    const receipt = await control.change(orderOf({ document: {} }, waiting));
    t.match(receipt, {
      revision: 0,
      changed: false,
      complete: true,
      difference: [],
      applied: [{ ok: true }],
    });
  },
);

t.test('with a worker that never answers a write is made, and not complete', async (t) => {
  const { control, keeper, own } = await openControl(t);
  own.stuckAt = keeper.head;
  const order = orderOf([putCluster()], { wait: 'all', timeoutMs: 20 });
  const receipt = await control.change(order);
  t.match(receipt, { revision: 1, changed: true, complete: false });
  t.match(receipt.applied, [{ ok: false, problem: 'the worker has not confirmed the change yet' }]);
  t.match(await control.change(orderOf([putRoute('a')])), { revision: 2, complete: true, applied: [] });
});

t.test('a rollback is answered as a write is', async (t) => {
  const { control } = await openControl(t);
  await control.change(orderOf([putCluster(), putRoute('a')]));
  await control.change(orderOf([removeRoute('a')]));
  const { content: _, ...order } = orderOf([], waiting);
  const receipt = await control.rollback({ ...order, revision: 1 });
  t.match(receipt, { revision: 3, complete: true, difference: [{ id: 'a', action: 'add' }] });
});

t.test('of a very large change the first thousand differences are described', async (t) => {
  const { control } = await openControl(t);
  const routes = Array.from({ length: 1_200 }, (_, index) => putRoute(`r${index}`));
  const receipt = await control.change(orderOf([putCluster(), ...routes], waiting));
  t.equal(receipt.difference.length, 1_000);
  t.equal((await control.history(1))[0]?.difference.length, 1_000);
});

t.test('the history tells newest first who changed what, and why', async (t) => {
  const { control } = await openControl(t);
  await control.change(orderOf([putCluster(), putRoute('a')], { actor: 'alice', message: 'begin' }));
  await control.change(orderOf([putRoute('a', '/b')], { actor: 'bob', message: 'move' }));
  t.match(await control.history(10), [
    { revision: 2, actor: 'bob', message: 'move', difference: [{ id: 'a', action: 'change' }] },
    { revision: 1, parent: null, actor: 'alice', difference: [{ id: 'one' }, { id: 'a', action: 'add' }] },
  ]);
  t.match(await control.history(10, 2), [{ revision: 1 }]);
  t.same(await control.history(0), []);
});

t.test('a configuration file has no history, and is not there until it was read', async (t) => {
  const directory = await createTemporaryDirectory(t);
  const { control } = await createControl(t, new ConfigFileStore(`${directory}/missing.yaml`));
  await t.rejects(control.history(1), refusalOf({ definition: ERRORS.readOnly }));
  t.throws(() => control.current(), refusalOf({ definition: ERRORS.notReady }));
});

t.test('a store that is out of reach, or holds nonsense, is answered as such', async (t) => {
  const store = new ScriptedStore();
  const { control, directory, healthDirectory } = await createControl(t, store);
  directory.fails = true;
  healthDirectory.fails = true;
  const unavailable = refusalOf({ definition: ERRORS.storeUnavailable, message: /gone/ });
  await t.rejects(control.instances(), unavailable);
  await t.rejects(control.reportHealth([]), unavailable);
  store.history = () => Promise.reject(new StoreUnavailableError('gone', { notWritten: true }));
  await t.rejects(control.history(1), unavailable);
  const problems = [{ pointer: '', message: 'the log is no log' }];
  store.history = () => Promise.reject(new UnreadableStoreError('nonsense', problems));
  await t.rejects(
    control.history(1),
    refusalOf({ definition: ERRORS.storeUnavailable, details: { problems } }),
  );
});

t.test('of the fleet one learns who lags: by what is held, or by what a worker serves', async (t) => {
  const { control, directory } = await openControl(t);
  await control.change(orderOf([putCluster()]));
  const { id } = await control.change(orderOf([putRoute('a')]));
  const now = { revision: 2, id };
  const before = { revision: 1, id: 'y' };
  const current = statusAt('three', now);
  directory.listed = [
    statusAt('zero', now, { workers: statusAt('zero', before).workers }),
    statusAt('two', before),
    current,
    { ...current, instance: 'four', configuration: { ...current.configuration, applied: false } },
  ];
  t.same(
    (await control.instances()).map(({ instance, lags }) => [instance, lags]),
    [
      ['four', true],
      ['one', false],
      ['three', false],
      ['two', true],
      ['zero', true],
    ],
  );
});

t.test('without workers nothing can be explained or restarted', async (t) => {
  const { control, own } = await openControl(t);
  const request = { method: 'GET', url: 'http://h/', headers: [] };
  await t.rejects(control.explain(request), refusalOf({ definition: ERRORS.notReady }));
  control.restartWorkers();
  own.canRestart = false;
  t.throws(() => control.restartWorkers(), refusalOf({ definition: ERRORS.notReady }));
});

t.test('health that was reported is there until it expires', async (t) => {
  const { control } = await openControl(t);
  const report = { cluster: 'one', destination: 'd', healthy: false, sequence: 1, ttlMs: 3_600_000 };
  t.equal(await control.reportHealth([report]), 1);
  t.match(control.health(), [{ destination: 'd', healthy: false }]);
});

t.test('who subscribes is told until he leaves', async (t) => {
  const { control } = await openControl(t);
  const stop = control.subscribe(() => t.fail('nothing happened'));
  stop();
});
