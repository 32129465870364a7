/** The primary's part in rate limits: who is told which part of them, and when. */
import t, { type Test } from 'tap';
import type { RateDemand } from '../../lib/core/policy/rate-demand.ts';
import type { ToWorker } from '../../lib/ipc/protocol.ts';
import { RateHub, type RateTaker } from '../../lib/primary/rate-hub.ts';
import { InstanceCountFile } from '../../lib/store/instance-count-file.ts';
import type { RateExchange } from '../../lib/store/shared-state.ts';
import { ChangeSignal } from '../helpers/change-signal.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';

type RateShares = Extract<ToWorker, { type: 'rateShares' }>;

const DEMAND: RateDemand = [7, 20, 0, 100, 0.01];
const changed = new ChangeSignal();

class ListeningWorker implements RateTaker {
  readonly id: number;
  readonly state: string;
  readonly told: RateShares[] = [];
  readonly secrets: string[] = [];

  constructor(id: number, state = 'serving') {
    this.id = id;
    this.state = state;
  }

  send(message: ToWorker): void {
    if (message.type === 'rateShares') this.told.push(message);
    if (message.type === 'rateSecret') this.secrets.push(message.secret);
    changed.notify();
  }

  /** Waits until it is told what `find` takes. */
  until<T>(find: (message: RateShares) => T | undefined): Promise<T> {
    const look = () => this.told.map(find).find((found) => found !== undefined);
    return changed.waitFor(look, 15_000, () => JSON.stringify(this.told));
  }
}

/** What instances share, in one process. */
class SharedChannel implements RateExchange {
  readonly published: (readonly [string, readonly RateDemand[]])[] = [];
  secret: string | null = null;
  readonly #watchers: ((instance: string, demands: readonly RateDemand[]) => void)[] = [];

  async agreeOnSecret(proposed: string): Promise<string> {
    this.secret ??= proposed;
    return this.secret;
  }

  publish(instance: string, demands: readonly RateDemand[]): void {
    this.published.push([instance, demands]);
    for (const watcher of this.#watchers) watcher(instance, demands);
  }

  watch(onDemands: (instance: string, demands: readonly RateDemand[]) => void): void {
    this.#watchers.push(onDemands);
  }
}

interface Started {
  readonly hub: RateHub;
  readonly workers: readonly ListeningWorker[];
}

/** @param links `hearsOthers` where it is not always so, and the state directory where it is to be a certain one */
async function start(
  t: Test,
  instance: string,
  exchange: RateExchange | null,
  links: { hearsOthers?: () => boolean; stateDirectory?: string } = {},
): Promise<Started> {
  const workers = [new ListeningWorker(1), new ListeningWorker(2)];
  const { hearsOthers = () => true, stateDirectory = await createTemporaryDirectory(t) } = links;
  const countFile = new InstanceCountFile(stateDirectory, (problem) => t.fail(problem));
  const hub = new RateHub({ instance, workers: 2 }, exchange === null ? null : { exchange, countFile }, {
    workers: () => workers,
    hearsOthers,
  });
  t.teardown(() => hub.close());
  await hub.start();
  return { hub, workers };
}

const shareOf = ({ shares: [share] }: RateShares): number | undefined => share?.[1] ?? undefined;

t.test('a worker that starts is told its default share', async (t) => {
  const { hub, workers } = await start(t, 'one', null);
  hub.greet(workers[0]!);
  t.same(workers[0]!.told, [{ type: 'rateShares', defaultShare: 0.5, shares: [] }]);
});

t.test('demand moves the shares, and they move back', async (t) => {
  const { hub, workers } = await start(t, 'one', null);
  const [one, two] = [workers[0]!, workers[1]!];
  hub.onDemands(one, [DEMAND]);
  t.ok((await one.until(shareOf)) > 0.9);
  t.ok((await two.until(shareOf)) < 0.1);
  const isReleased = ({ shares }: RateShares) => shares.some(([, share]) => share === null) || undefined;
  t.ok(await one.until(isReleased), 'without further demand');
});

t.test('the demand of a worker that is gone is forgotten', async (t) => {
  const { hub, workers } = await start(t, 'one', null);
  hub.onDemands(workers[0]!, [DEMAND]);
  hub.onWorkerGone(workers[0]!);
  hub.onDemands(workers[1]!, [DEMAND]);
  t.ok((await workers[1]!.until(shareOf)) > 0.9);
});

t.test('instances count each other, and share what both demand', async (t) => {
  const channel = new SharedChannel();
  const [here, there] = [await start(t, 'one', channel), await start(t, 'two', channel)];
  here.hub.noteInstance('one');
  t.equal(here.hub.defaultShare, 0.5, 'oneself is no other');
  here.hub.noteInstance('two');
  there.hub.noteInstance('one');
  t.equal(here.hub.defaultShare, 0.25);
  t.same(here.workers[0]!.told, [{ type: 'rateShares', defaultShare: 0.25, shares: [] }]);
  here.hub.onDemands(here.workers[0]!, [DEMAND]);
  t.ok((await there.workers[0]!.until(shareOf)) < 0.1, 'who has no demand leaves it to the other');
  there.hub.onDemands(there.workers[1]!, [DEMAND]);
  const isHalf = (message: RateShares) => {
    const share = shareOf(message) ?? 0;
    return share > 0.4 && share < 0.6 ? true : undefined;
  };
  t.ok(await there.workers[1]!.until(isHalf));
});

t.test('an instance that falls silent is counted for a while, and its part then taken over', async (t) => {
  const { hub, workers } = await start(t, 'one', new SharedChannel());
  hub.noteInstance('two');
  t.equal(hub.defaultShare, 0.25);
  await workers[0]!.until(({ defaultShare }) => (defaultShare === 0.5 ? true : undefined));
  t.equal(hub.defaultShare, 0.5);
});

t.test('while others cannot be heard, each instance keeps to its equal part', async (t) => {
  const { hub, workers } = await start(t, 'one', new SharedChannel(), { hearsOthers: () => false });
  hub.noteInstance('two');
  hub.onDemands(workers[0]!, [DEMAND]);
  const share = await workers[0]!.until(shareOf);
  t.ok(share > 0.45 && share <= 0.5, `${share}`);
});

t.test('an instance that starts again counts the others before it hears of them', async (t) => {
  const stateDirectory = await createTemporaryDirectory(t);
  const first = await start(t, 'one', new SharedChannel(), { stateDirectory });
  first.hub.noteInstance('two');
  first.hub.noteInstance('three');
  await first.hub.close();
  let hearsOthers = false;
  const links = { stateDirectory, hearsOthers: () => hearsOthers };
  const { hub, workers } = await start(t, 'one', new SharedChannel(), links);
  t.equal(hub.defaultShare, 1 / 6);
  hub.onDemands(workers[0]!, [DEMAND]);
  const share = await workers[0]!.until(shareOf);
  t.ok(share > 0.3 && share <= 1 / 3, `${share}`);
  hearsOthers = true;
  hub.noteInstance('two');
  t.equal(hub.defaultShare, 1 / 6, 'the one that was heard is one of those that were expected');
  const isOneOther = ({ defaultShare }: RateShares) => (defaultShare === 0.25 ? true : undefined);
  const again = setInterval(() => hub.noteInstance('two'), 1_000);
  t.teardown(() => clearInterval(again));
  t.ok(await workers[0]!.until(isOneOther), 'those that are not heard then are gone');
  await hub.close();
  const last = await start(t, 'one', new SharedChannel(), { stateDirectory });
  t.equal(last.hub.defaultShare, 0.25);
});

t.test('all instances and workers hash keys by one secret, that of the store', async (t) => {
  const channel = new SharedChannel();
  const one = await start(t, 'one', channel);
  const two = await start(t, 'two', channel);
  const [first, second] = [one.workers[0]!, two.workers[0]!];
  one.hub.greet(first);
  two.hub.greet(second);
  const secretOf = (worker: ListeningWorker) =>
    changed.waitFor(
      () => (worker.secrets.at(-1) === channel.secret ? channel.secret : undefined),
      15_000,
      () => `${worker.secrets}`,
    );
  t.equal(await secretOf(first), await secretOf(second));
  channel.secret = 'another one, by whoever runs the store';
  t.equal(await secretOf(first), await secretOf(second), 'it may be changed');
});

t.test('without a store each instance has a secret of its own', async (t) => {
  const [one, two] = [await start(t, 'one', null), await start(t, 'one', null)];
  one.hub.greet(one.workers[0]!);
  two.hub.greet(two.workers[0]!);
  const [[secret = ''], [other = '']] = [one.workers[0]!.secrets, two.workers[0]!.secrets];
  t.not(secret, other);
  t.ok(secret.length >= 43 && other.length >= 43);
});

t.test('when the secret changes, what was demanded under the former is forgotten', async (t) => {
  const channel = new SharedChannel();
  const { hub, workers } = await start(t, 'one', channel);
  hub.onDemands(workers[0]!, [DEMAND]);
  await workers[0]!.until(shareOf);
  channel.secret = 'another one, by whoever runs the store';
  await changed.waitFor(
    () => workers[1]!.secrets.at(-1) === channel.secret || undefined,
    15_000,
    () => 'no secret was told',
  );
  t.same(workers[1]!.told.at(-1), { type: 'rateShares', defaultShare: 0.5, shares: [] });
});

t.test('without demand nothing is published, and alone neither', async (t) => {
  const channel = new SharedChannel();
  const [alone, other] = [await start(t, 'one', channel), await start(t, 'two', channel)];
  alone.hub.onDemands(alone.workers[0]!, [DEMAND]);
  await alone.workers[0]!.until(shareOf);
  t.same(channel.published, []);
  other.hub.noteInstance('one');
  other.hub.onDemands(other.workers[0]!, [DEMAND]);
  await alone.workers[0]!.until(({ defaultShare }) => (defaultShare === 0.25 ? true : undefined));
  t.same(channel.published[0], ['two', [DEMAND]], 'who is heard is counted');
});

t.test('a hub that is closed keeps no process alive', async (t) => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const { hub } = await start(t, 'one', new SharedChannel());
  await hub.close();
  t.equal(timers(), before);
});
