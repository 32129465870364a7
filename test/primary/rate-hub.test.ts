/** The primary's part in rate limits: who is told which part of them, and when. */
import t, { type Test } from 'tap';
import type { RateDemand } from '../../lib/core/policy/rate-demand.ts';
import type { ToWorker } from '../../lib/ipc/protocol.ts';
import { RateHub, type RateTaker } from '../../lib/primary/rate-hub.ts';
import type { RateExchange } from '../../lib/store/shared-state.ts';
import { ChangeSignal } from '../helpers/change-signal.ts';

type RateShares = Extract<ToWorker, { type: 'rateShares' }>;

const DEMAND: RateDemand = [7, 20, 0, 100, 0.01];
const changed = new ChangeSignal();

class ListeningWorker implements RateTaker {
  readonly id: number;
  readonly state: string;
  readonly told: RateShares[] = [];

  constructor(id: number, state = 'serving') {
    this.id = id;
    this.state = state;
  }

  send(message: ToWorker): void {
    if (message.type === 'rateShares') this.told.push(message);
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
  readonly #watchers: ((instance: string, demands: readonly RateDemand[]) => void)[] = [];

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

function start(t: Test, instance: string, channel: RateExchange | null, hearsOthers = true): Started {
  const workers = [new ListeningWorker(1), new ListeningWorker(2)];
  const hub = new RateHub({ instance, workers: 2 }, channel, {
    workers: () => workers,
    hearsOthers: () => hearsOthers,
  });
  t.teardown(() => hub.close());
  hub.start();
  return { hub, workers };
}

const shareOf = ({ shares: [share] }: RateShares): number | undefined => share?.[1] ?? undefined;

t.test('a worker that starts is told its default share', async (t) => {
  const { hub, workers } = start(t, 'one', null);
  hub.greet(workers[0]!);
  t.same(workers[0]!.told, [{ type: 'rateShares', defaultShare: 0.5, shares: [] }]);
});

t.test('demand moves the shares, and they move back', async (t) => {
  const { hub, workers } = start(t, 'one', null);
  const [one, two] = [workers[0]!, workers[1]!];
  hub.onDemands(one, [DEMAND]);
  t.ok((await one.until(shareOf)) > 0.9);
  t.ok((await two.until(shareOf)) < 0.1);
  const isReleased = ({ shares }: RateShares) => shares.some(([, share]) => share === null) || undefined;
  t.ok(await one.until(isReleased), 'without further demand');
});

t.test('the demand of a worker that is gone is forgotten', async (t) => {
  const { hub, workers } = start(t, 'one', null);
  hub.onDemands(workers[0]!, [DEMAND]);
  hub.onWorkerGone(workers[0]!);
  hub.onDemands(workers[1]!, [DEMAND]);
  t.ok((await workers[1]!.until(shareOf)) > 0.9);
});

t.test('instances count each other, and share what both demand', async (t) => {
  const channel = new SharedChannel();
  const [here, there] = [start(t, 'one', channel), start(t, 'two', channel)];
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
  const { hub, workers } = start(t, 'one', new SharedChannel());
  hub.noteInstance('two');
  t.equal(hub.defaultShare, 0.25);
  await workers[0]!.until(({ defaultShare }) => (defaultShare === 0.5 ? true : undefined));
  t.equal(hub.defaultShare, 0.5);
});

t.test('while others cannot be heard, each instance keeps to its equal part', async (t) => {
  const { hub, workers } = start(t, 'one', new SharedChannel(), false);
  hub.noteInstance('two');
  hub.onDemands(workers[0]!, [DEMAND]);
  const share = await workers[0]!.until(shareOf);
  t.ok(share > 0.45 && share <= 0.5, `${share}`);
});

t.test('without demand nothing is published, and alone neither', async (t) => {
  const channel = new SharedChannel();
  const [alone, other] = [start(t, 'one', channel), start(t, 'two', channel)];
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
  const { hub } = start(t, 'one', new SharedChannel());
  hub.close();
  t.equal(timers(), before);
});
