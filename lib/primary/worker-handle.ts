import type { Worker } from 'node:cluster';
import type { Socket } from 'node:net';
import type { Explanation } from '../core/explain/explanation.ts';
import type { RateDemand } from '../core/policy/rate-demand.ts';
import type { ToPrimary, ToWorker, WorkerSample } from '../ipc/protocol.ts';
import type { ConnectionTaker } from './connection-taker.ts';
import { WorkerChannel } from './worker-channel.ts';

/**
 *   starting ──started──► loading ──applied──► serving ──drain──► draining ──► gone
 *      └────────────────────┴───────────────────────┴──── dies ─────────────────▲
 */
export type WorkerState = 'starting' | 'loading' | 'serving' | 'draining' | 'gone';

/** What a worker process reports beyond its configuration. */
export interface WorkerEvents {
  onStarted(worker: WorkerHandle): void;
  onApplied(worker: WorkerHandle): void;
  onRejected(worker: WorkerHandle, problem: string): void;
  onAccepted(worker: WorkerHandle): void;
  /** Connections are closed, by the addresses that they came with. */
  onClosed(worker: WorkerHandle, addresses: readonly string[]): void;
  onMissed(worker: WorkerHandle): void;
  onSample(worker: WorkerHandle, collection: number, sample: WorkerSample): void;
  onExplained(worker: WorkerHandle, question: number, explanation: Explanation): void;
  /** It has reason to think that a material is out of date. */
  onRefresh(worker: WorkerHandle, material: string): void;
  onRateDemands(worker: WorkerHandle, demands: readonly RateDemand[]): void;
  onDrained(worker: WorkerHandle, cutOff: number): void;
  onExit(worker: WorkerHandle, code: number | null, signal: string | null): void;
}

/** The primary's side of one worker process. */
export class WorkerHandle implements ConnectionTaker {
  readonly id: number;
  readonly slot: number;
  readonly startedAtMs = performance.now();
  readonly channel: WorkerChannel;
  state: WorkerState = 'starting';
  lastHeardMs = performance.now();
  /** Why it was killed; null where it was not. */
  killedFor: 'hung' | 'rejected' | null = null;
  readonly #process: Worker;
  #givenConnections = 0;

  constructor(id: number, slot: number, worker: Worker, events: WorkerEvents) {
    this.id = id;
    this.slot = slot;
    this.#process = worker;
    this.channel = new WorkerChannel((message, onSent) => this.send(message, onSent));
    worker.on('message', (message) => this.#receive(message as ToPrimary, events));
    worker.on('exit', (code, signal) => {
      this.state = 'gone';
      events.onExit(this, code, signal);
    });
    // Writing to a process that just died fails; its exit event says all there is to say.
    worker.process.on('error', () => {});
  }

  get pid(): number {
    return this.#process.process.pid ?? 0;
  }

  /** @param onSent called when the message has left, in another turn of the event loop: a long row of messages lets it go on */
  send(message: ToWorker, onSent?: () => void): void {
    if (!this.#process.isConnected()) return;
    this.#process.send(message, (error: Error | null) => {
      if (error === null && onSent !== undefined) setImmediate(onSent);
    });
  }

  give(socket: Socket, secure: boolean, address: string): boolean {
    if (!this.#process.isConnected() || socket.destroyed) return false;
    const message: ToWorker = { type: 'connection', secure, address };
    this.#givenConnections += 1;
    this.#process.process.send(message, socket, { keepOpen: true }, ignore);
    return true;
  }

  probe(): void {
    this.send({ type: 'probe', connections: this.#givenConnections });
  }

  kill(): void {
    this.#process.process.kill('SIGKILL');
  }

  #receive(message: ToPrimary, events: WorkerEvents): void {
    this.lastHeardMs = performance.now();
    switch (message.type) {
      case 'started':
        // One that was told to leave before it was up must not come into service any more.
        if (this.state !== 'starting') break;
        this.state = 'loading';
        events.onStarted(this);
        break;
      case 'applied':
        this.channel.onApplied(message);
        events.onApplied(this);
        break;
      case 'rejected':
        events.onRejected(this, message.problem);
        break;
      case 'accepted':
        events.onAccepted(this);
        break;
      case 'closed':
        events.onClosed(this, message.addresses);
        break;
      case 'missed':
        events.onMissed(this);
        break;
      case 'sample':
        events.onSample(this, message.collection, message);
        break;
      case 'explained':
        events.onExplained(this, message.question, message.explanation);
        break;
      case 'refresh':
        events.onRefresh(this, message.name);
        break;
      case 'rateDemand':
        events.onRateDemands(this, message.demands);
        break;
      case 'drained':
        events.onDrained(this, message.cutOff);
        break;
    }
  }
}

function ignore(): void {}
