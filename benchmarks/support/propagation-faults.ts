/** What breaks between the instances and their store: how long until all agree again once it is mended. */
import type { Head } from '../../lib/core/config/change.ts';
import { keysWithPrefix } from '../../lib/store/redis/redis-keys.ts';
import { RedisStore } from '../../lib/store/redis/redis-store.ts';
import { startTcpRelay, type TcpRelay } from '../../test/helpers/tcp-relay.ts';
import { check, type Figure, figure, spread } from './figures.ts';
import { consoleChange, fingerprintsOf, GatewayFleet, INSTANCES, WORKERS } from './gateway-fleet.ts';
import { ManyRoutes } from './many-routes.ts';
import { failedCount, loadFigures, type PacedLoad, startLoad } from './paced-load.ts';
import { ROUTES_A_CLUSTER, type Sizes, sleep } from './propagation-sizes.ts';
import { sendInline } from './redis-inline.ts';
import type { Scope } from './scope.ts';

const REQUESTS_PER_SECOND = 200;
const ROUTES_IN_USE = 50;
const POLL_MS = 10;
const LIMIT_MS = 120_000;
const DOWN_MS = 3_000;
const FEED_CUTS = 20;
const MISSED_CHANGES = 50;
const PREFIX = '{gateway}:';

export async function measureFaults(scope: Scope, sizes: Sizes): Promise<Figure[]> {
  const trial = await FaultTrial.create(scope, sizes.routes);
  return [
    ...(await trial.restartRedis()),
    ...(await trial.pauseRedis(sizes.pauseSeconds)),
    ...(await trial.cutFeeds()),
    ...(await trial.trimLog()),
    ...(await trial.killWorker()),
    ...(await trial.killPrimary()),
    ...(await trial.emptyRedis()),
    check('different fingerprints at the end', fingerprintsOf(await trial.fleet.statuses()).length, 1),
  ];
}

class FaultTrial {
  readonly fleet: GatewayFleet;
  readonly #config: ManyRoutes;
  readonly #relay: TcpRelay;
  readonly #load: PacedLoad;
  #turn = 0;

  private constructor(fleet: GatewayFleet, config: ManyRoutes, relay: TcpRelay, load: PacedLoad) {
    this.fleet = fleet;
    this.#config = config;
    this.#relay = relay;
    this.#load = load;
  }

  /** Instance two talks to Redis by a relay that can be cut. */
  static async create(scope: Scope, routes: number): Promise<FaultTrial> {
    const fleet = await GatewayFleet.create(scope, { appendOnly: true });
    const relay = await startTcpRelay(scope, fleet.redis.port);
    const config = new ManyRoutes(Math.ceil(routes / ROUTES_A_CLUSTER), fleet.originPort);
    const store = await fleet.openStore();
    await store.publish(consoleChange(config.operations(routes)));
    await store.close();
    await fleet.start('one', { redisUrl: fleet.redis.url });
    await fleet.start('two', { redisUrl: `redis://127.0.0.1:${relay.port}/0` });
    const inUse = Array.from({ length: ROUTES_IN_USE }, (_, index) => index);
    const load = startLoad(scope, {
      ports: fleet.ports,
      routes: inUse,
      requestsPerSecond: REQUESTS_PER_SECOND,
    });
    await sleep(DOWN_MS);
    await load.take();
    return new FaultTrial(fleet, config, relay, load);
  }

  async restartRedis(): Promise<Figure[]> {
    await this.fleet.redis.kill();
    await sleep(DOWN_MS);
    await this.fleet.redis.start();
    const seconds = await this.#secondsOf(async () => this.#untilAgreed(await this.#change()));
    return [
      figure('s after Redis was killed and is back with its data, for a change made then', seconds),
      ...(await this.#lossless('Redis was gone')),
    ];
  }

  async pauseRedis(pauseSeconds: number): Promise<Figure[]> {
    this.fleet.redis.pause();
    await sleep(pauseSeconds * 1_000);
    this.fleet.redis.resume();
    const seconds = await this.#secondsOf(async () => this.#untilAgreed(await this.#change()));
    return [
      figure(`s after Redis hung for ${pauseSeconds} s, for a change made then`, seconds),
      ...(await this.#lossless('Redis hung')),
    ];
  }

  async cutFeeds(): Promise<Figure[]> {
    const seconds: number[] = [];
    for (let turn = 0; turn < FEED_CUTS; turn += 1) {
      const agreed = async (): Promise<void> => {
        const cut = sendInline(this.fleet.redis.port, 'CLIENT KILL TYPE pubsub');
        const [head] = await Promise.all([this.#change(), cut]);
        await this.#untilAgreed(head);
      };
      seconds.push(await this.#secondsOf(agreed));
      await sleep(DOWN_MS / 10);
    }
    return [
      figure(`s for a change while its messages are cut, p50 / p99 / max of ${FEED_CUTS}`, spread(seconds)),
      ...(await this.#lossless('messages were cut')),
    ];
  }

  async trimLog(): Promise<Figure[]> {
    this.#relay.refuse();
    this.#relay.cut();
    let head = await this.#change();
    for (let turn = 1; turn < MISSED_CHANGES; turn += 1) head = await this.#change();
    await this.fleet.redis.command('XTRIM', keysWithPrefix(PREFIX).log, 'MAXLEN', '1');
    await sleep(DOWN_MS);
    this.#relay.restore();
    const seconds = await this.#secondsOf(() => this.#untilAgreed(head));
    return [
      figure('s after one instance was cut off, until it has what the log does not hold any more', seconds),
      ...(await this.#lossless('one instance was cut off')),
    ];
  }

  async killWorker(): Promise<Figure[]> {
    const { admin } = this.fleet.get('one');
    const [worker] = (await admin.status()).workers;
    const seconds = await this.#secondsOf(async () => {
      process.kill(worker!.pid, 'SIGKILL');
      await this.#untilAgreed(await this.#change());
    });
    return [
      figure('s after a worker was killed, until its successor serves a change made then', seconds),
      figure('requests lost with it', failedCount(await this.#load.take())),
    ];
  }

  async killPrimary(): Promise<Figure[]> {
    const { gateway } = this.fleet.get('two');
    const listen = `127.0.0.1:${gateway.port}`;
    const { stateDirectory } = gateway;
    gateway.signal('SIGKILL');
    await gateway.exited;
    const head = await this.#change();
    const redisUrl = `redis://127.0.0.1:${this.#relay.port}/0`;
    const seconds = await this.#secondsOf(async () => {
      await this.fleet.start('two', { redisUrl, stateDirectory, listen });
      await this.#untilAgreed(head);
    });
    const { failed } = await this.#load.take();
    const elsewhere = Object.keys(failed).filter((kind) => !kind.startsWith(listen.split(':')[1] ?? ''));
    return [
      figure(
        's from the start of an instance whose primary was killed, until it serves what it missed',
        seconds,
      ),
      check('failed requests at the other instance meanwhile', elsewhere.length, 0),
    ];
  }

  async emptyRedis(): Promise<Figure[]> {
    await this.fleet.redis.restart({ keepData: false });
    const noticed = await this.#secondsOf(() =>
      this.#until('the empty store is noticed', async () =>
        (await this.fleet.statuses()).every(({ configuration }) =>
          /empty/.test(configuration.degraded ?? ''),
        ),
      ),
    );
    const written = await this.#secondsOf(async () => {
      this.#turn += 1;
      const body = JSON.stringify(this.#config.route(0, this.#turn));
      const answer = await this.fleet.get('one').admin.send('PUT', '/routes/r0?wait=none', body);
      if (answer.status !== 200)
        throw new Error(`PUT answered ${answer.status}: ${JSON.stringify(answer.body)}`);
      const { revision, id } = answer.body as Head;
      await this.#untilAgreed({ revision, id });
    });
    return [
      figure('s until both instances say that Redis came back empty', noticed),
      figure('s for the first write then, which fills it again', written),
      ...(await this.#lossless('Redis was empty')),
    ];
  }

  /** A change by a console that connects only now: how it noticed the fault is not what is measured. */
  async #change(): Promise<Head> {
    const store = await RedisStore.open(this.fleet.redis.settings());
    try {
      this.#turn += 1;
      return await store.publish(
        consoleChange([this.#config.putRoute(this.#turn % ROUTES_IN_USE, this.#turn)]),
      );
    } finally {
      await store.close();
    }
  }

  #untilAgreed({ revision, id }: Pick<Head, 'revision' | 'id'>): Promise<void> {
    return this.#until(`all agree on revision ${revision}`, async () => {
      const statuses = await this.fleet.statuses();
      const workers = statuses.flatMap((status) => status.workers);
      return (
        workers.length === INSTANCES.length * WORKERS &&
        workers.every((worker) => worker.state === 'serving' && worker.id === id) &&
        statuses.every(({ configuration }) => configuration.degraded === null && configuration.id === id) &&
        fingerprintsOf(statuses).length === 1
      );
    });
  }

  async #until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const deadlineMs = performance.now() + LIMIT_MS;
    while (!(await isSo())) {
      if (performance.now() > deadlineMs) {
        throw new Error(`not so in time: ${what}: ${JSON.stringify(await this.fleet.statuses())}`);
      }
      await sleep(POLL_MS);
    }
  }

  async #secondsOf(work: () => Promise<void>): Promise<number> {
    const startMs = performance.now();
    await work();
    return (performance.now() - startMs) / 1_000;
  }

  async #lossless(when: string): Promise<Figure[]> {
    return loadFigures(await this.#load.take(), `while ${when}`).slice(0, 1);
  }
}
