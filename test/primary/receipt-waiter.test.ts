/** What a writer that waits for all instances is told, whichever way the news come. */
import pino from 'pino';
import t, { type Test } from 'tap';
import type { InstanceStatus } from '../../lib/admin/control-plane.ts';
import { AppliedChain, type Standing } from '../../lib/core/config/applied-chain.ts';
import { Fleet } from '../../lib/primary/fleet.ts';
import { ReceiptWaiter } from '../../lib/primary/receipt-waiter.ts';
import type { InstanceDirectory, InstanceRecord } from '../../lib/store/shared-state.ts';

const BEFORE: Standing = { revision: 1, id: 'before' };
const CHANGE: Standing = { revision: 2, id: 'change' };

function statusAt(instance: string, { revision, id }: Standing, second = 0): InstanceStatus {
  const at = new Date(second * 1_000).toISOString();
  return {
    instance,
    version: '0',
    startedAt: new Date(0).toISOString(),
    at,
    listen: '',
    admin: '',
    ready: true,
    requestsPerSecond: 0,
    store: { kind: 'redis', source: '', writable: true, reachable: true, problem: null, since: at },
    configuration: {
      revision,
      id,
      at,
      routes: 0,
      clusters: 0,
      fingerprint: '',
      applied: true,
      degraded: null,
      refused: null,
    },
    materials: [],
    workers: [{ worker: 1, slot: 0, pid: 0, state: 'serving', revision, id, fingerprint: '' }],
  };
}

/** Lists and tells what the test says, when it says so. */
class ScriptedDirectory implements InstanceDirectory {
  listed: InstanceStatus[] = [];
  /** Called when somebody asks for the list, before it is given. */
  onList: () => void = () => {};
  lists = 0;
  #tell: (record: InstanceRecord) => void = () => {};

  tell(status: InstanceStatus): void {
    this.#tell({ ...status });
  }

  async list(): Promise<readonly InstanceRecord[]> {
    this.lists += 1;
    const listed = this.listed.map((status) => ({ ...status }));
    this.onList();
    return listed;
  }

  watch(onRecord: (record: InstanceRecord) => void): void {
    this.#tell = onRecord;
  }

  async announce(): Promise<void> {}
  async withdraw(): Promise<void> {}
}

/** This instance serves the change; what another one does, the directory says. */
function createWaiter(t: Test) {
  const directory = new ScriptedDirectory();
  const fleet = new Fleet(directory, () => statusAt('one', CHANGE), pino({ level: 'silent' }));
  fleet.start();
  t.teardown(() => fleet.close());
  const chain = new AppliedChain();
  chain.add(BEFORE);
  chain.add(CHANGE);
  return { directory, waiter: new ReceiptWaiter(chain, () => statusAt('one', CHANGE), fleet) };
}

const ALL_SERVE = [
  { instance: 'one', worker: 1, revision: 2, ok: true },
  { instance: 'two', worker: 1, revision: 2, ok: true },
];

t.test('an instance that is heard while the list is on its way is believed, not the list', async (t) => {
  const { directory, waiter } = createWaiter(t);
  directory.listed = [statusAt('two', BEFORE, 1)];
  directory.onList = () => directory.tell(statusAt('two', CHANGE, 2));
  t.strictSame(await waiter.wait(CHANGE, 'all', 10_000), ALL_SERVE);
  t.equal(directory.lists, 1);
});

t.test('an instance whose news got lost is looked up', async (t) => {
  const { directory, waiter } = createWaiter(t);
  directory.listed = [statusAt('two', BEFORE, 1)];
  directory.onList = () => {
    directory.listed = [statusAt('two', CHANGE, 2)];
  };
  t.strictSame(await waiter.wait(CHANGE, 'all', 10_000), ALL_SERVE);
  t.equal(directory.lists, 2);
});

t.test('an instance that was started again is not taken for the one before it', async (t) => {
  const { directory, waiter } = createWaiter(t);
  const startedAt = new Date(5_000).toISOString();
  directory.listed = [{ ...statusAt('two', BEFORE, 1), startedAt }];
  directory.onList = () => directory.tell(statusAt('two', CHANGE, 2));
  t.match(await waiter.wait(CHANGE, 'all', 1), [{ ok: true }, { instance: 'two', ok: false }]);
});
