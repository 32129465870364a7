/** Composition root of the primary process. */
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { AdminServer } from '../admin/admin-server.ts';
import type { ControlEvent, InstanceStatus } from '../admin/control-plane.ts';
import type { Delta } from '../core/config/change.ts';
import { LastGoodFile } from '../store/last-good-file.ts';
import { LastGoodSaver } from '../store/last-good-saver.ts';
import { Acceptor } from './acceptor.ts';
import type { AdminCertificate } from './admin-certificate.ts';
import { ChangeWriter } from './change-writer.ts';
import { ClientPorts } from './client-ports.ts';
import { ConfigKeeper, NoConfigurationError } from './config-keeper.ts';
import { ConnectionCounts } from './connection-counts.ts';
import { ControlEvents } from './control-events.ts';
import { Fleet } from './fleet.ts';
import { GatewayControl } from './gateway-control.ts';
import { type GatewaySettings, workerSettingsOf } from './gateway-settings.ts';
import { HealthHub } from './health-hub.ts';
import { InsecureClusters } from './insecure-clusters.ts';
import { describeInstance } from './instance-status.ts';
import { LastGoodSource } from './last-good-source.ts';
import { MaterialKeeper } from './materials/material-keeper.ts';
import { MetricsHub } from './metrics-hub.ts';
import { openPort } from './open-port.ts';
import { type OpenedResources, openResources } from './open-resources.ts';
import type { OpenedStore } from './open-store.ts';
import { RateHub } from './rate-hub.ts';
import { ReceiptWaiter } from './receipt-waiter.ts';
import { seedStore } from './seed-store.ts';
import { StoreFollower } from './store-follower.ts';
import { Supervisor } from './supervisor.ts';
import { appliedEvent, workerEvent } from './worker-events.ts';

/** How long connections that wait for a worker may wait for it when the gateway stops. */
const SETTLE_LIMIT_MS = 1_000;

/** The worker's entry, beside this file in the sources as in the build. */
const WORKER_FILE = fileURLToPath(new URL(`../worker/main${import.meta.url.slice(-3)}`, import.meta.url));

export class Gateway {
  readonly #settings: GatewaySettings;
  readonly #opened: OpenedStore;
  readonly #logger: Logger;
  readonly #startedAt = new Date().toISOString();
  readonly #acceptor: Acceptor;
  readonly #ports: ClientPorts;
  readonly #events = new ControlEvents();
  readonly #keeper: ConfigKeeper;
  readonly #follower: StoreFollower;
  readonly #lastGood: LastGoodSaver;
  readonly #health: HealthHub;
  readonly #materials: MaterialKeeper;
  readonly #rates: RateHub;
  readonly #fleet: Fleet;
  readonly #receipts: ReceiptWaiter;
  readonly #supervisor: Supervisor;
  readonly #metrics: MetricsHub;
  readonly #admin: AdminServer;
  readonly #adminCertificate: AdminCertificate | null;
  readonly #insecureClusters: InsecureClusters;
  #adminAddress = '';
  #appliedId = '';
  #prepared = false;
  #serving = false;
  #ready = false;
  #stopping = false;
  /** Called when the gateway cannot go on; set by whoever runs it. */
  onFatal: (message: string) => void = () => {};
  /** Called once, when all workers serve, with the addresses as host:port; set by whoever runs it. */
  onReady: (listen: string, admin: string) => void = () => {};

  static async create(settings: GatewaySettings, logger: Logger): Promise<Gateway> {
    return new Gateway(settings, await openResources(settings, logger), logger);
  }

  private constructor(settings: GatewaySettings, resources: OpenedResources, logger: Logger) {
    const { opened, authenticator, adminCertificate } = resources;
    const { store } = opened;
    this.#settings = settings;
    this.#opened = opened;
    this.#logger = logger;
    this.#adminCertificate = adminCertificate;
    this.#insecureClusters = new InsecureClusters(logger);
    const { connectionLimits, trustedProxies } = settings;
    this.#acceptor = new Acceptor(new ConnectionCounts(connectionLimits, trustedProxies));
    this.#ports = new ClientPorts(this.#acceptor, (keys) => this.#supervisor.sendMaterials([keys]));
    const lastGoodFile = new LastGoodFile(settings.stateDirectory);
    this.#keeper = this.#createKeeper(new LastGoodSource(lastGoodFile, store.source, logger));
    this.#follower = new StoreFollower(store, this.#keeper);
    this.#lastGood = new LastGoodSaver(lastGoodFile, {
      source: store.source,
      isCurrent: (head) => head.id === this.#keeper.head.id,
      onOutcome: (problem) => this.#onLastGood(problem),
    });
    this.#health = new HealthHub(opened.health, (health) => this.#supervisor.sendHealth(health), logger);
    this.#materials = new MaterialKeeper(settings, (news) => this.#supervisor.sendMaterials(news), logger);
    this.#rates = new RateHub(settings, opened.rates, {
      workers: () => this.#supervisor.workers,
      hearsOthers: () => store.condition.problem === null,
    });
    const status = (): InstanceStatus => this.#status();
    this.#fleet = new Fleet(opened.instances, status, logger);
    this.#receipts = new ReceiptWaiter(this.#keeper.chain, status, this.#fleet);
    this.#supervisor = this.#createSupervisor();
    this.#metrics = this.#createMetrics();
    const controlPlane = new GatewayControl({
      store,
      keeper: this.#keeper,
      writer: new ChangeWriter(store, this.#keeper, this.#follower),
      receipts: this.#receipts,
      fleet: this.#fleet,
      health: this.#health,
      supervisor: this.#supervisor,
      events: this.#events,
      status,
      restartWorkers: () => this.restartWorkers(),
    });
    this.#admin = new AdminServer({
      controlPlane,
      authenticator,
      logger,
      version: settings.version,
      tls: adminCertificate?.tls ?? null,
      probes: {
        notReadyBecause: () => this.#notReadyBecause(),
        metricsContentType: () => this.#metrics.contentType,
        renderMetrics: () => this.#metrics.render(),
      },
    });
  }

  #createKeeper(lastGood: LastGoodSource): ConfigKeeper {
    return new ConfigKeeper(
      lastGood,
      {
        onDelta: (delta) => this.#onDelta(delta),
        onRefused: ({ head, problems }) => {
          this.#metrics.countChange('refused');
          this.#events.publish({ type: 'refused', revision: head?.revision ?? null, problems });
          this.#noteNews();
        },
        onStepBack: (from, to) => {
          this.#metrics.countStepBack();
          this.#logger.error(
            { from: from.revision, fromId: from.id, to: to.revision, toId: to.id },
            'the store came back with an older or another history: it wins, changes are lost',
          );
        },
        onStoreEmpty: () => this.#noteNews(),
      },
      this.#logger,
    );
  }

  #createSupervisor(): Supervisor {
    const { workers, drainTimeoutMs, instance } = this.#settings;
    return new Supervisor(
      {
        workerFile: WORKER_FILE,
        workers,
        drainLimitMs: drainTimeoutMs,
        settings: workerSettingsOf(this.#settings),
      },
      this.#acceptor,
      () => this.#keeper.current,
      {
        onWorkersChanged: () => this.#onWorkersChanged(),
        onApplied: (worker) => this.#publish(appliedEvent(instance, worker)),
        onWorkerState: (worker, reason) => {
          if (worker.state === 'serving') this.#rates.greet(worker);
          this.#publish(workerEvent(instance, worker, reason));
          this.#fleet.touch();
        },
        onSample: (worker, collection, sample) => this.#metrics.onSample(worker, collection, sample),
        onWorkerGone: (worker) => {
          this.#metrics.onWorkerGone(worker);
          this.#rates.onWorkerGone(worker);
        },
        onRateDemands: (worker, demands) => this.#rates.onDemands(worker, demands),
        onRefresh: (worker, name) =>
          void this.#materials
            .refresh(name)
            .then((hasLooked) => worker.channel.sendRefreshed(name, hasLooked)),
        onRestart: (reason) => this.#metrics.countRestart(reason),
        onHopeless: () => this.onFatal('the workers die before they serve: see the log lines above'),
      },
      this.#logger,
    );
  }

  #createMetrics(): MetricsHub {
    const { store } = this.#opened;
    return new MetricsHub({
      workers: () => this.#supervisor.workers,
      isConfigured: (route, cluster) =>
        this.#keeper.current.configuration.routes.get(route)?.cluster === cluster,
      configurationRevision: () => this.#keeper.head.revision,
      isRefused: () => this.#keeper.refused !== null,
      droppedConnections: () => this.#acceptor.droppedCount,
      refusedConnections: () => this.#acceptor.refusedCount,
      isDegraded: () => this.#status().configuration.degraded !== null,
      storeCondition: () => store.condition,
      isLastGoodUnsaved: () => this.#lastGood.problem !== null,
      materialCounts: () => this.#materials.counts(),
      certificateExpiries: () => this.#materials.certificateExpiries(),
      unhealthyDestinations: () => this.#health.unhealthy().length,
    });
  }

  /**
   * Loads the configuration, opens the ports, starts the workers. Where a shared store cannot be reached and
   * there is no last good configuration, it returns and goes on trying, not ready.
   * @throws SettingsError, NoConfigurationError
   */
  async start(): Promise<void> {
    const { store } = this.#opened;
    this.#adminAddress = await openPort('--admin', this.#settings.admin, this.#admin);
    this.#adminCertificate?.watch((tls) => {
      this.#admin.renewTls(tls);
      this.#materials.takeAdminCertificate(tls.cert);
    });
    const hasLastGood = await this.#keeper.loadLastGood();
    store.watch({ onHint: () => {}, onCondition: (condition) => this.#onCondition(condition) });
    await this.#follower.start();
    this.#noteStart(hasLastGood);
    this.#health.start();
    await this.#rates.start();
    this.#fleet.listen(({ instance, configuration: { revision, id, applied } }) => {
      this.#rates.noteInstance(instance);
      this.#events.publish({ type: 'instance', instance, revision, id, applied });
    });
    this.#fleet.start();
    this.#prepared = true;
    if (this.#keeper.hasConfiguration) await this.#serve();
  }

  /** With Redis the configuration file fills a store that nobody has written to yet. */
  async #seed(): Promise<void> {
    const { redis, configFile } = this.#settings;
    if (redis === null || configFile === null || this.#keeper.head.revision !== 0) return;
    await seedStore(this.#opened.store, configFile, this.#logger);
    await this.#follower.sync();
  }

  #noteStart(hasLastGood: boolean): void {
    const { refused, head, hasConfiguration } = this.#keeper;
    const { store } = this.#opened;
    const isLocal = store.kind !== 'redis';
    if (refused !== null && !hasConfiguration && isLocal) {
      throw new NoConfigurationError('The configuration is refused:', refused.problems);
    }
    if (!hasConfiguration) {
      this.#logger.error(
        { problem: store.condition.problem },
        'no configuration yet: not ready until the store gives one',
      );
    } else if (hasLastGood && (refused !== null || !store.condition.reachable)) {
      this.#logger.warn({ revision: head.revision, savedAt: head.at }, 'serving the last good configuration');
    }
  }

  /** Opens the port for clients and starts the workers: once there is something to serve. */
  async #serve(): Promise<void> {
    if (this.#serving) return;
    this.#serving = true;
    await this.#seed();
    this.#materials.begin(this.#keeper.current.configuration);
    this.#insecureClusters.begin(this.#keeper.current.configuration.clusters);
    await this.#ports.open(this.#settings);
    // Told to stop meanwhile: workers would only be in the way.
    if (!this.#stopping) this.#supervisor.start();
  }

  #onDelta(delta: Delta): void {
    const { revision, id, at, operations } = delta;
    // First, so that what is at hand reaches the workers before what needs it.
    this.#materials.change(operations);
    this.#insecureClusters.change(operations);
    this.#supervisor.publish(delta);
    this.#metrics.countChange('applied');
    this.#logger.info({ revision, id, operations: operations.length }, 'configuration changed');
    this.#events.publish({ type: 'change', revision, id, at, operations: operations.length });
    // Others are told when the workers serve it: told twice in a row, they would hear the second time later.
    this.#receipts.notify();
    if (!this.#prepared || this.#serving) return;
    this.#serve().catch((error: Error) => this.onFatal(error.message));
  }

  #onCondition({ reachable, problem }: { reachable: boolean; problem: string | null }): void {
    const level = problem === null ? 'info' : 'error';
    this.#logger[level]({ reachable, problem }, 'the condition of the store has changed');
    this.#events.publish({ type: 'store', reachable, problem });
    this.#noteNews();
    if (reachable) void this.#health.refresh();
  }

  #onLastGood(problem: string | null): void {
    if (problem === null) this.#logger.info('last good configuration saved again');
    else this.#logger.error({ reason: problem }, 'last good configuration could not be saved');
  }

  #status(): InstanceStatus {
    const { instance, version } = this.#settings;
    return describeInstance({
      instance,
      version,
      startedAt: this.#startedAt,
      store: this.#opened.store,
      keeper: this.#keeper,
      workers: () => this.#supervisor.workers,
      addresses: () => ({ ...this.#ports.addresses, admin: this.#adminAddress }),
      isReady: () => this.#notReadyBecause() === null,
      isApplied: () => this.#supervisor.isServing(this.#keeper.head.id),
      materials: () => this.#materials.problems(),
      requestsPerSecond: () => this.#metrics.requestsPerSecond,
    });
  }

  #publish(event: ControlEvent | null): void {
    if (event !== null) this.#events.publish(event);
  }

  /** This instance, or what it holds, is not what others were told. */
  #noteNews(): void {
    this.#receipts.notify();
    this.#fleet.touch();
  }

  #notReadyBecause(): string | null {
    if (this.#stopping) return 'shutting down';
    if (!this.#keeper.hasConfiguration) return 'there is no configuration yet';
    if (!this.#ready) return `not every worker serves revision ${this.#keeper.head.revision} yet`;
    // A change on its way to the workers is no reason to take no requests: they serve the configuration before it.
    return this.#supervisor.isUp ? null : 'not every worker is up';
  }

  #onWorkersChanged(): void {
    this.#receipts.notify();
    const { head } = this.#keeper;
    if (this.#stopping || !this.#supervisor.isServing(head.id)) return;
    this.#fleet.touch();
    if (this.#appliedId !== head.id) {
      this.#appliedId = head.id;
      this.#logger.info(
        { revision: head.revision, id: head.id, workers: this.#settings.workers },
        'configuration applied',
      );
      this.#lastGood.note(head, this.#keeper.current.configuration);
    }
    if (!this.#ready) this.#announceReady(head.revision);
  }

  #announceReady(revision: number): void {
    this.#ready = true;
    const { listen, listenTls } = this.#ports.addresses;
    const admin = this.#adminAddress;
    const { workers } = this.#settings;
    this.#logger.info({ listen, listenTls, admin, workers, revision }, 'gateway ready');
    this.onReady(listen, admin);
    process.send?.('ready');
  }

  /** Replaces the workers one by one. @returns false before they are all up: there is nothing to replace */
  restartWorkers(): boolean {
    if (!this.#ready || this.#stopping) return false;
    this.#logger.info('workers are being restarted');
    void this.#supervisor.restartAll();
    return true;
  }

  /** Drains and ends everything. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#acceptor.stop();
    this.#logger.info('gateway drains');
    await this.#acceptor.settled(Math.min(this.#settings.drainTimeoutMs, SETTLE_LIMIT_MS));
    await this.#supervisor.stop();
    await this.#follower.close();
    await this.#lastGood.flush();
    this.#health.close();
    await this.#rates.close();
    this.#materials.close();
    await this.#fleet.close();
    this.#metrics.close();
    await this.#admin.close();
    this.#adminCertificate?.close();
    await this.#opened.store.close();
    await this.#opened.lock?.release();
    this.#logger.info('gateway stopped');
  }

  /** Ends at once, whatever is under way. */
  kill(): void {
    this.#supervisor.killAll();
  }
}
