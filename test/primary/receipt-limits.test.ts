/** How long a writer waits, for whom, and what he is told when it does not come to be. */
import pino from 'pino';
import t, { type Test } from 'tap';
import type { InstanceStatus } from '../../lib/admin/control-plane.ts';
import { AppliedChain, type Standing } from '../../lib/core/config/applied-chain.ts';
import { Fleet } from '../../lib/primary/fleet.ts';
import { ReceiptWaiter } from '../../lib/primary/receipt-waiter.ts';
import { ScriptedDirectory } from './scripted-directory.ts';
import { statusAt } from './statuses.ts';

const BEFORE: Standing = { revision: 1, id: 'before' };
const CHANGE: Standing = { revision: 2, id: 'change' };
const LONG_MS = 30_000;

function createWaiter(t: Test, ownAt: Standing = CHANGE) {
  const directory = new ScriptedDirectory();
  const own = { status: statusAt('one', ownAt) };
  const fleet = new Fleet(directory, () => own.status, pino({ level: 'silent' }));
  fleet.start();
  t.teardown(() => fleet.close());
  const chain = new AppliedChain();
  chain.add(BEFORE);
  chain.add(CHANGE);
  return { directory, own, chain, fleet, waiter: new ReceiptWaiter(chain, () => own.status, fleet) };
}

const refusing = (status: InstanceStatus): InstanceStatus => ({
  ...status,
  configuration: {
    ...status.configuration,
    refused: {
      revision: CHANGE.revision,
      at: status.at,
      problems: [{ pointer: '', message: 'not for me' }],
      problemCount: 1,
    },
  },
});

t.test('who waits for nobody gets no receipts, and nobody is asked', async (t) => {
  const { waiter, directory } = createWaiter(t, BEFORE);
  t.same([await waiter.wait(CHANGE, 'none', LONG_MS), directory.lists], [[], 0]);
});

t.test('who waits for this instance is not told of the others', async (t) => {
  const { waiter, directory } = createWaiter(t);
  directory.listed = [statusAt('two', BEFORE)];
  t.match(await waiter.wait(CHANGE, 'instance', LONG_MS), [{ instance: 'one', ok: true }]);
  t.equal(directory.lists, 0);
});

t.test('a worker that confirms ends the wait', async (t) => {
  const { waiter, own } = createWaiter(t, BEFORE);
  const waited = waiter.wait(CHANGE, 'instance', LONG_MS);
  own.status = statusAt('one', CHANGE);
  waiter.notify();
  t.match(await waited, [{ ok: true, revision: 2 }]);
});

t.test('a worker that never does is named when the time is over', async (t) => {
  const { waiter } = createWaiter(t, BEFORE);
  for (const [waitFor, timeoutMs] of [
    ['instance', 20],
    ['all', 20],
    ['instance', 0],
    ['all', 0],
  ] as const) {
    const receipts = await waiter.wait(CHANGE, waitFor, timeoutMs);
    t.match(receipts, [
      { instance: 'one', worker: 1, ok: false, problem: 'the instance has not taken the change yet' },
    ]);
  }
});

t.test('an instance that refuses is named with its reason', async (t) => {
  const { waiter, directory } = createWaiter(t);
  directory.listed = [refusing(statusAt('two', BEFORE))];
  const receipts = await waiter.wait(CHANGE, 'all', 20);
  t.match(receipts, [
    { ok: true },
    { instance: 'two', ok: false, problem: /refuses the configuration: not for me/ },
  ]);
});

t.test('an instance that tells by itself is not waited for any longer', async (t) => {
  const { waiter, directory } = createWaiter(t);
  directory.listed = [statusAt('two', BEFORE)];
  const waited = waiter.wait(CHANGE, 'all', LONG_MS);
  await directory.waitFor(() => directory.lists === 1);
  setImmediate(() => directory.tell(statusAt('two', CHANGE)));
  t.match(await waited, [{ ok: true }, { instance: 'two', ok: true }]);
});

t.test('an instance that comes up meanwhile is waited for, too', async (t) => {
  const { waiter, directory, own } = createWaiter(t, BEFORE);
  const waited = waiter.wait(CHANGE, 'all', LONG_MS);
  await directory.waitFor(() => directory.lists === 1);
  directory.listed = [statusAt('new', BEFORE)];
  directory.tell(statusAt('new', BEFORE));
  own.status = statusAt('one', CHANGE);
  waiter.notify();
  directory.listed = [statusAt('new', CHANGE)];
  t.match(
    await waited,
    [{ ok: true }, { instance: 'new', ok: true }],
    'found by looking it up: its news got lost',
  );
});

t.test('an instance that vanishes is named, with the last that it said', async (t) => {
  const { waiter, directory } = createWaiter(t);
  directory.listed = [statusAt('two', BEFORE), statusAt('three', CHANGE)];
  const waited = waiter.wait(CHANGE, 'all', 1_500);
  await directory.waitFor(() => directory.lists === 1);
  directory.listed = [];
  const receipts = await waited;
  t.match(
    receipts.find(({ instance }) => instance === 'two'),
    { ok: false, problem: /^silent since 1970/ },
  );
  t.match(
    receipts.find(({ instance }) => instance === 'three'),
    { ok: true },
    'it did serve the change',
  );
});

t.test('others that cannot be listed are no others that agree', async (t) => {
  const { waiter, directory } = createWaiter(t);
  directory.fails = true;
  t.match(await waiter.wait(CHANGE, 'all', 20), [
    { instance: 'one', ok: true },
    { instance: '', ok: false, problem: /could not be listed: the store is gone/ },
  ]);
  const waited = waiter.wait(CHANGE, 'all', LONG_MS);
  await directory.waitFor(() => directory.lists === 2);
  directory.fails = false;
  t.match(await waited, [{ instance: 'one', ok: true }], 'and are asked again');
});

t.test('an instance that cannot be understood is one that did not confirm', async (t) => {
  const { waiter, directory } = createWaiter(t);
  directory.listed = [{ instance: 'odd' } as InstanceStatus];
  t.match(await waiter.wait(CHANGE, 'all', 20), [{ ok: true }, { instance: 'odd', ok: false, worker: 0 }]);
});

t.test('a change that the store loses while it is waited for is not confirmed any more', async (t) => {
  const { waiter, chain, own } = createWaiter(t, BEFORE);
  const waited = waiter.wait(CHANGE, 'instance', 200);
  chain.restart();
  const other = { revision: 2, id: 'another' };
  chain.add(other);
  own.status = statusAt('one', other);
  waiter.notify();
  t.match(await waited, [{ ok: false, revision: 2, problem: /does not hold the change any more/ }]);
});

t.test('beyond a thousand waiting writers the others are told at once how things stand', async (t) => {
  const { waiter, own } = createWaiter(t, BEFORE);
  const waiting = Array.from({ length: 1_000 }, () => waiter.wait(CHANGE, 'instance', LONG_MS));
  t.match(await waiter.wait(CHANGE, 'instance', LONG_MS), [{ ok: false }]);
  own.status = statusAt('one', CHANGE);
  waiter.notify();
  t.ok((await Promise.all(waiting)).every(([receipt]) => receipt?.ok));
});

t.test('a wait that is over leaves nothing behind that keeps the process alive', async (t) => {
  const { waiter, directory } = createWaiter(t, BEFORE);
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  await waiter.wait(CHANGE, 'all', 700);
  t.equal(timers(), before);
  const { lists } = directory;
  waiter.notify();
  directory.tell(statusAt('two', CHANGE));
  t.equal(directory.lists, lists);
});

t.test('nor do waits that overlap, whichever ends last', async (t) => {
  const { waiter, directory } = createWaiter(t);
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  directory.listed = [statusAt('two', BEFORE)];
  const first = waiter.wait(CHANGE, 'all', LONG_MS);
  await directory.waitFor(() => directory.lists === 1);
  await new Promise((resolve) => setImmediate(resolve));
  // The second one asks for the list; before that is there the first one has ended.
  const list = Promise.withResolvers<void>();
  directory.holdList = list.promise;
  const second = waiter.wait(CHANGE, 'all', LONG_MS);
  await directory.waitFor(() => directory.lists === 2);
  directory.tell(statusAt('two', CHANGE));
  t.match(await first, [{ ok: true }, { ok: true }]);
  directory.listed = [statusAt('two', CHANGE)];
  list.resolve();
  t.match(await second, [{ ok: true }, { ok: true }]);
  t.equal(timers(), before);
});
