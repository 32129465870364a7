/** Composition root of the primary process. */
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { ProbeServer } from '../admin/probe-server.ts';
import { ConfigFileStore } from '../store/config-file-store.ts';
import type { ConfigStore } from '../store/config-store.ts';
import { DirectoryLock } from '../store/directory-lock.ts';
import { FileStore } from '../store/file-store.ts';
import { LastGoodFile } from '../store/last-good-file.ts';
import { openStateDirectory } from '../store/state-directory.ts';
import { Acceptor } from './acceptor.ts';
import { ConfigKeeper } from './config-keeper.ts';
import { MetricsHub } from './metrics-hub.ts';
import { Supervisor } from './supervisor.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface GatewaySettings {
  /** Null: the store in the state directory. */
  readonly configFile: string | null;
  readonly listen: Address;
  readonly admin: Address;
  readonly workers: number;
  readonly stateDirectory: string;
  readonly instance: string;
  readonly drainTimeoutMs: number;
  readonly accessLogRate: number;
  readonly trustedProxies: readonly string[];
  readonly logLevel: string;
  readonly prettyLog: boolean;
}

/** The settings cannot work; the message is one clear line for the person at the terminal. */
export class SettingsError extends Error {}

/** How long connections that wait for a worker may wait for it when the gateway stops. */
const SETTLE_LIMIT_MS = 1_000;

/** The worker's entry, beside this file in the sources as in the build. */
const WORKER_FILE = fileURLToPath(new URL(`../worker/main${import.meta.url.slice(-3)}`, import.meta.url));

export class Gateway {
  readonly #settings: GatewaySettings;
  readonly #lock: DirectoryLock | null;
  readonly #logger: Logger;
  readonly #acceptor = new Acceptor();
  readonly #keeper: ConfigKeeper;
  readonly #supervisor: Supervisor;
  readonly #metrics: MetricsHub;
  readonly #probes: ProbeServer;
  #listenAddress = '';
  #adminAddress = '';
  #appliedId = '';
  #ready = false;
  #stopping = false;
  /** Called when the gateway cannot go on; set by whoever runs it. */
  onFatal: (message: string) => void = () => {};
  /** Called once, when all workers serve, with the addresses as host:port; set by whoever runs it. */
  onReady: (listen: string, admin: string) => void = () => {};

  static async create(settings: GatewaySettings, logger: Logger): Promise<Gateway> {
    await openStateDirectory(settings.stateDirectory);
    if (settings.configFile === null) {
      const onNote = (note: string): void => logger.warn({ note }, 'note of the store');
      return new Gateway(settings, await FileStore.open(settings.stateDirectory, { onNote }), null, logger);
    }
    // The embedded store has its own lock; without it the last good configuration needs one all the same.
    const lock = await DirectoryLock.acquire(settings.stateDirectory);
    return new Gateway(settings, new ConfigFileStore(settings.configFile), lock, logger);
  }

  private constructor(
    settings: GatewaySettings,
    store: ConfigStore,
    lock: DirectoryLock | null,
    logger: Logger,
  ) {
    this.#settings = settings;
    this.#lock = lock;
    this.#logger = logger;
    this.#keeper = new ConfigKeeper(
      store,
      new LastGoodFile(settings.stateDirectory),
      {
        onDelta: (delta) => {
          this.#supervisor.publish(delta);
          this.#metrics.countChange('applied');
          this.#logger.info(
            { revision: delta.revision, id: delta.id, operations: delta.operations.length },
            'configuration changed',
          );
        },
        onRefused: () => this.#metrics.countChange('refused'),
      },
      logger,
    );
    this.#supervisor = new Supervisor(
      {
        workerFile: WORKER_FILE,
        workers: settings.workers,
        drainLimitMs: settings.drainTimeoutMs,
        settings: {
          instance: settings.instance,
          trustedProxies: settings.trustedProxies,
          accessLogRate: settings.accessLogRate,
          logLevel: settings.logLevel,
          prettyLog: settings.prettyLog,
        },
      },
      this.#acceptor,
      () => this.#keeper.current,
      {
        onWorkersChanged: () => this.#onWorkersChanged(),
        onSample: (worker, collection, sample) => this.#metrics.onSample(worker, collection, sample),
        onWorkerGone: (worker) => this.#metrics.onWorkerGone(worker),
        onRestart: (reason) => this.#metrics.countRestart(reason),
        onHopeless: () => this.onFatal('the workers die before they serve: see the log lines above'),
      },
      logger,
    );
    this.#metrics = new MetricsHub({
      workers: () => this.#supervisor.workers,
      isConfigured: (route, cluster) =>
        this.#keeper.current.configuration.routes.get(route)?.cluster === cluster,
      configurationRevision: () => this.#keeper.current.head.revision,
      isRefused: () => this.#keeper.refused !== null,
      droppedConnections: () => this.#acceptor.droppedCount,
    });
    this.#probes = new ProbeServer({
      notReadyBecause: () => this.#notReadyBecause(),
      metricsContentType: () => this.#metrics.contentType,
      renderMetrics: () => this.#metrics.render(),
    });
  }

  /** Loads the configuration, opens the ports, starts the workers. @throws SettingsError, NoConfigurationError */
  async start(): Promise<void> {
    await this.#keeper.start();
    this.#listenAddress = await this.#open('--listen', this.#settings.listen, this.#acceptor);
    this.#adminAddress = await this.#open('--admin', this.#settings.admin, this.#probes);
    // Told to stop meanwhile: workers would only be in the way.
    if (!this.#stopping) this.#supervisor.start();
  }

  async #open(
    flag: string,
    { host, port }: Address,
    server: { listen(host: string, port: number): Promise<string> },
  ): Promise<string> {
    try {
      return await server.listen(host, port);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const mend =
        code === 'EADDRINUSE'
          ? `free the port or choose another with ${flag}`
          : `give an address of this host and a port that you may open with ${flag}`;
      throw new SettingsError(`cannot listen on ${host}:${port} (${code ?? message}): ${mend}`);
    }
  }

  #notReadyBecause(): string | null {
    if (this.#stopping) return 'shutting down';
    const { head } = this.#keeper.current;
    return this.#supervisor.isServing(head.id)
      ? null
      : `not every worker serves revision ${head.revision} yet`;
  }

  #onWorkersChanged(): void {
    const { head } = this.#keeper.current;
    if (this.#stopping || !this.#supervisor.isServing(head.id)) return;
    if (this.#appliedId !== head.id) {
      this.#appliedId = head.id;
      this.#logger.info(
        { revision: head.revision, id: head.id, workers: this.#settings.workers },
        'configuration applied',
      );
      this.#keeper.noteApplied();
    }
    if (this.#ready) return;
    this.#ready = true;
    this.#logger.info(
      {
        listen: this.#listenAddress,
        admin: this.#adminAddress,
        workers: this.#settings.workers,
        revision: head.revision,
      },
      'gateway ready',
    );
    this.onReady(this.#listenAddress, this.#adminAddress);
    process.send?.('ready');
  }

  /** Replaces the workers one by one. Before they are all up there is nothing to replace. */
  restartWorkers(): void {
    if (!this.#ready || this.#stopping) return;
    this.#logger.info('workers are being restarted');
    void this.#supervisor.restartAll();
  }

  /** Drains and ends everything. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#acceptor.stop();
    this.#logger.info('gateway drains');
    await this.#acceptor.settled(Math.min(this.#settings.drainTimeoutMs, SETTLE_LIMIT_MS));
    await this.#supervisor.stop();
    await this.#keeper.close();
    await this.#lock?.release();
    this.#metrics.close();
    await this.#probes.close();
    this.#logger.info('gateway stopped');
  }

  /** Ends at once, whatever is under way. */
  kill(): void {
    this.#supervisor.killAll();
  }
}
