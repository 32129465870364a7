/** Keeps one worker in each slot: starts, watches, replaces, restarts one by one, and lets go in the end. */
import cluster from 'node:cluster';
import type { Logger } from 'pino';
import type { Delta } from '../core/config/change.ts';
import type { ExplainRequest, Explanation } from '../core/explain/explanation.ts';
import type { DestinationHealth } from '../core/health/health-report.ts';
import { UnhealthyDestinations } from '../core/health/unhealthy-destinations.ts';
import type { RateDemand } from '../core/policy/rate-demand.ts';
import { diedYoung, restartDelayMs } from '../core/policy/restart-policy.ts';
import { WORKER_SETTINGS_VARIABLE, type WorkerSample, type WorkerSettings } from '../ipc/protocol.ts';
import type { Acceptor } from './acceptor.ts';
import type { MaterialNews } from './materials/material-news.ts';
import type { CurrentConfiguration } from './worker-channel.ts';
import { type WorkerEvents, WorkerHandle } from './worker-handle.ts';
import { WorkerQuestions } from './worker-questions.ts';

/**
 * A young generation of one size from the start: V8 would let it grow in steps over the first hundred thousand
 * requests, and a worker's memory with it.
 */
const WORKER_FLAGS = ['--min-semi-space-size=16', '--max-semi-space-size=16'];
const CHECK_INTERVAL_MS = 1_000;
/** A worker that said nothing for so long hangs. */
const SILENCE_LIMIT_MS = 5_000;
/** Until a process has started and said so. */
const START_LIMIT_MS = 30_000;
/** Until a new worker serves at a rolling restart, however large the configuration; one that hangs is killed before. */
const COME_UP_LIMIT_MS = 600_000;
/** Until a worker has answered the last message of its configuration. */
const ANSWER_LIMIT_MS = 30_000;
/** Beyond its own limit for draining, a worker gets this long to be gone. */
const EXIT_GRACE_MS = 2_000;
/** So many deaths of workers in a row, without one that ever served: this will never work. */
const HOPELESS_AFTER = 5;

export interface SupervisorOptions {
  readonly workerFile: string;
  readonly workers: number;
  readonly drainLimitMs: number;
  readonly settings: Omit<WorkerSettings, 'workerId' | 'slot'>;
}

export interface SupervisorEvents {
  /** Some worker began or ceased to serve, or came to another revision. */
  onWorkersChanged(): void;
  /** A worker serves what it was sent last. */
  onApplied(worker: WorkerHandle): void;
  /** A worker came to another state; `reason` where something went wrong. */
  onWorkerState(worker: WorkerHandle, reason?: string): void;
  onSample(worker: WorkerHandle, collection: number, sample: WorkerSample): void;
  onWorkerGone(worker: WorkerHandle): void;
  /** A worker has reason to think that a material is out of date; `sendRefreshed` of its channel answers. */
  onRefresh(worker: WorkerHandle, material: string): void;
  onRateDemands(worker: WorkerHandle, demands: readonly RateDemand[]): void;
  onRestart(reason: 'died' | 'hung' | 'rejected' | 'rolling'): void;
  /** No worker has ever come up. */
  onHopeless(): void;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #acceptor: Acceptor;
  readonly #logger: Logger;
  readonly #events: SupervisorEvents;
  readonly #current: () => CurrentConfiguration;
  readonly #workers = new Set<WorkerHandle>();
  /** What workers that start later have to be told. */
  readonly #unhealthy = new UnhealthyDestinations();
  readonly #materials = new Map<string, MaterialNews>();
  readonly #earlyDeaths: number[];
  readonly #restartTimers = new Set<NodeJS.Timeout>();
  readonly #questions = new WorkerQuestions();
  #explainCount = 0;
  readonly #timer: NodeJS.Timeout;
  #lastCheckMs = performance.now();
  #lastId = 0;
  #everServed = false;
  #deathsBeforeServing = 0;
  #stopping = false;
  #rolling: Promise<void> | null = null;
  #rollAgain = false;

  constructor(
    options: SupervisorOptions,
    acceptor: Acceptor,
    current: () => CurrentConfiguration,
    events: SupervisorEvents,
    logger: Logger,
  ) {
    this.#options = options;
    this.#acceptor = acceptor;
    this.#current = current;
    this.#events = events;
    this.#logger = logger;
    this.#earlyDeaths = new Array<number>(options.workers).fill(0);
    cluster.setupPrimary({
      exec: options.workerFile,
      args: [],
      execArgv: [...process.execArgv, ...WORKER_FLAGS],
    });
    this.#timer = setInterval(() => this.#check(), CHECK_INTERVAL_MS);
  }

  get workers(): readonly WorkerHandle[] {
    return [...this.#workers];
  }

  start(): void {
    for (let slot = 0; slot < this.#options.workers; slot += 1) this.#fork(slot);
  }

  /** True when every slot has a worker that serves the given configuration, and none serves another one. */
  isServing(configurationId: string): boolean {
    const serving = new Set<number>();
    for (const worker of this.#workers) {
      if (worker.state !== 'serving' && worker.state !== 'draining') continue;
      if (worker.channel.applied?.id !== configurationId) return false;
      if (worker.state === 'serving') serving.add(worker.slot);
    }
    return serving.size === this.#options.workers;
  }

  /** True when every slot has a worker that serves some configuration. */
  get isUp(): boolean {
    const serving = this.workers.filter(({ state }) => state === 'serving');
    return new Set(serving.map(({ slot }) => slot)).size === this.#options.workers;
  }

  publish(delta: Delta): void {
    // Also to those that drain: a kept connection may still bring them a request.
    for (const worker of this.#workers) worker.channel.publish(delta);
  }

  /** Tells all workers, also those that start later; destinations that are not named stay as they are. */
  sendHealth(destinations: readonly DestinationHealth[]): void {
    for (const health of destinations) this.#unhealthy.note(health);
    for (const worker of this.#workers) worker.channel.sendHealth(destinations);
  }

  /** Tells all workers, also those that start later. */
  sendMaterials(news: readonly MaterialNews[]): void {
    for (const one of news) {
      if (one.value === undefined) this.#materials.delete(one.name);
      else this.#materials.set(one.name, one);
    }
    for (const worker of this.#workers) worker.channel.sendMaterials(news);
  }

  #fork(slot: number): WorkerHandle {
    this.#lastId += 1;
    const settings: WorkerSettings = { ...this.#options.settings, workerId: this.#lastId, slot };
    const process = cluster.fork({ [WORKER_SETTINGS_VARIABLE]: JSON.stringify(settings) });
    const worker = new WorkerHandle(this.#lastId, slot, process, this.#workerEvents());
    this.#workers.add(worker);
    return worker;
  }

  #workerEvents(): WorkerEvents {
    return {
      onStarted: (worker) =>
        worker.channel.start(this.#current(), this.#unhealthy.list(), [...this.#materials.values()]),
      onApplied: (worker) => this.#onApplied(worker),
      onRejected: (worker, problem) => {
        this.#logger.error({ worker: worker.id, problem }, 'worker rejected the configuration');
        this.#events.onWorkerState(worker, `it rejected the configuration: ${problem}`);
        this.#replace(worker, 'rejected');
      },
      onAccepted: (worker) => this.#acceptor.onAccepted(worker, worker.state === 'serving'),
      onClosed: (worker, addresses) => this.#acceptor.onClosed(worker, addresses),
      onMissed: (worker) => {
        this.#logger.warn(
          { worker: worker.id },
          'worker has no file descriptor for another connection: raise ulimit -n',
        );
        this.#acceptor.onMissed(worker, worker.state === 'serving');
      },
      onSample: (worker, collection, sample) => this.#events.onSample(worker, collection, sample),
      onExplained: (_worker, question, explanation) => this.#questions.onExplained(question, explanation),
      onRefresh: (worker, material) => this.#events.onRefresh(worker, material),
      onRateDemands: (worker, demands) => this.#events.onRateDemands(worker, demands),
      onDrained: (worker, cutOff) => {
        if (cutOff > 0)
          this.#logger.warn(
            { worker: worker.id, connections: cutOff },
            'connections cut off at the end of the drain',
          );
        worker.send({ type: 'leave' });
      },
      onExit: (worker, code, signal) => this.#onExit(worker, code, signal),
    };
  }

  #onApplied(worker: WorkerHandle): void {
    if (worker.state === 'loading') {
      worker.state = 'serving';
      this.#everServed = true;
      this.#logger.info(
        { worker: worker.id, workerPid: worker.pid, revision: worker.channel.applied?.revision },
        'worker serves',
      );
      // First what it has to be told, then connections.
      this.#events.onWorkerState(worker);
      this.#acceptor.add(worker);
    }
    this.#events.onApplied(worker);
    this.#events.onWorkersChanged();
  }

  // ---- what goes wrong ----

  #onExit(worker: WorkerHandle, code: number | null, signal: string | null): void {
    this.#workers.delete(worker);
    this.#acceptor.onGone(worker);
    this.#questions.onGone(worker);
    this.#events.onWorkerGone(worker);
    this.#events.onWorkerState(worker, worker.killedFor ?? undefined);
    this.#events.onWorkersChanged();
    if (this.#stopping || this.#slotIsTaken(worker.slot)) return;
    if (!this.#everServed) this.#deathsBeforeServing += 1;
    if (this.#deathsBeforeServing >= HOPELESS_AFTER) {
      this.#events.onHopeless();
      return;
    }
    this.#events.onRestart(worker.killedFor ?? 'died');
    this.#restartLater(worker, code, signal);
  }

  #slotIsTaken(slot: number): boolean {
    for (const worker of this.#workers) if (worker.slot === slot && worker.state !== 'draining') return true;
    return false;
  }

  #restartLater(worker: WorkerHandle, code: number | null, signal: string | null): void {
    const { slot } = worker;
    const young = diedYoung(performance.now() - worker.startedAtMs);
    const delayMs = restartDelayMs(young ? this.#earlyDeaths[slot]! : 0);
    this.#earlyDeaths[slot] = young ? this.#earlyDeaths[slot]! + 1 : 0;
    this.#logger.error(
      { worker: worker.id, workerPid: worker.pid, code, signal, restartInMs: delayMs },
      'worker died',
    );
    const timer = setTimeout(() => {
      this.#restartTimers.delete(timer);
      if (!this.#stopping && !this.#slotIsTaken(slot)) this.#fork(slot);
    }, delayMs);
    this.#restartTimers.add(timer);
  }

  #check(): void {
    const nowMs = performance.now();
    const sinceLastMs = nowMs - this.#lastCheckMs;
    this.#lastCheckMs = nowMs;
    // After a pause of our own the workers' messages still wait to be read: they are not to blame.
    if (sinceLastMs > 2 * CHECK_INTERVAL_MS) return;
    for (const worker of this.#workers) if (worker.killedFor === null) this.#checkWorker(worker, nowMs);
  }

  #checkWorker(worker: WorkerHandle, nowMs: number): void {
    const silentMs = nowMs - worker.lastHeardMs;
    const limitMs = worker.state === 'starting' ? START_LIMIT_MS : SILENCE_LIMIT_MS;
    if (worker.state !== 'gone' && silentMs > limitMs) {
      this.#logger.error(
        { worker: worker.id, workerPid: worker.pid, silentMs: Math.round(silentMs) },
        'worker hangs',
      );
      this.#replace(worker, 'hung');
    } else if (worker.state !== 'draining' && worker.channel.waitingMs(nowMs) > ANSWER_LIMIT_MS) {
      this.#logger.error(
        { worker: worker.id, workerPid: worker.pid },
        'worker does not apply the configuration',
      );
      this.#replace(worker, 'hung');
    }
  }

  /** Kills a worker; its exit starts the next one. */
  #replace(worker: WorkerHandle, reason: 'hung' | 'rejected'): void {
    this.#acceptor.remove(worker);
    worker.killedFor = reason;
    worker.kill();
  }

  // ---- what is asked for ----

  /**
   * What a worker would do with a request; the workers are asked in turn.
   * @throws Error where none serves, or the one that was asked gives no answer in time
   */
  async explain(request: ExplainRequest): Promise<Explanation> {
    const serving = this.workers.filter((worker) => worker.state === 'serving');
    const worker = serving[this.#explainCount % serving.length];
    if (worker === undefined) throw new Error('no worker serves yet');
    this.#explainCount += 1;
    return this.#questions.ask(worker, request);
  }

  /** Replaces all workers one by one, each new one serving before the old one leaves. */
  async restartAll(): Promise<void> {
    if (this.#rolling !== null) {
      this.#rollAgain = true;
      return this.#rolling;
    }
    this.#rolling = this.#roll();
    try {
      await this.#rolling;
    } finally {
      this.#rolling = null;
    }
  }

  async #roll(): Promise<void> {
    do {
      this.#rollAgain = false;
      for (let slot = 0; slot < this.#options.workers && !this.#stopping; slot += 1) {
        if (!(await this.#restartSlot(slot))) return;
      }
    } while (this.#rollAgain && !this.#stopping);
    if (!this.#stopping) this.#logger.info('workers restarted');
  }

  async #restartSlot(slot: number): Promise<boolean> {
    const old = this.workers.filter((worker) => worker.slot === slot && worker.state !== 'draining');
    const fresh = this.#fork(slot);
    const serves = await this.#until(
      () => fresh.state === 'serving' || fresh.state === 'gone',
      COME_UP_LIMIT_MS,
    );
    if (!serves || fresh.state !== 'serving') {
      this.#logger.error({ worker: fresh.id }, 'the new worker does not come up: rolling restart given up');
      if (fresh.state !== 'gone') fresh.kill();
      return false;
    }
    this.#events.onRestart('rolling');
    await Promise.all(old.map((worker) => this.#drain(worker)));
    return true;
  }

  async #drain(worker: WorkerHandle): Promise<void> {
    if (worker.state === 'gone') return;
    this.#acceptor.remove(worker);
    worker.state = 'draining';
    this.#events.onWorkerState(worker);
    this.#events.onWorkersChanged();
    worker.send({ type: 'drain', limitMs: this.#options.drainLimitMs });
    const gone = await this.#until(() => worker.state === 'gone', this.#options.drainLimitMs + EXIT_GRACE_MS);
    if (!gone) worker.kill();
  }

  async #until(condition: () => boolean, limitMs: number): Promise<boolean> {
    const deadlineMs = performance.now() + limitMs;
    while (!condition()) {
      if (performance.now() > deadlineMs) return false;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return true;
  }

  /** Drains all workers and waits until they are gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#restartTimers) clearTimeout(timer);
    await Promise.all(this.workers.map((worker) => this.#drain(worker)));
    await this.#until(() => this.#workers.size === 0, EXIT_GRACE_MS);
    clearInterval(this.#timer);
  }

  killAll(): void {
    this.#stopping = true;
    for (const worker of this.#workers) worker.kill();
  }
}
