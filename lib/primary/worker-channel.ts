import type { Delta, Head, Operation } from '../core/config/change.ts';
import type { Configuration } from '../core/config/model.ts';
import { PendingOperations } from '../core/config/pending-operations.ts';
import type { Target, ToWorker } from '../ipc/protocol.ts';

/** Entries a message: small enough that building a slice does not hold up a worker's event loop. */
const SNAPSHOT_SLICE = 200;

/** What the channel reads from: the configuration as it stands. */
export interface CurrentConfiguration {
  readonly head: Head;
  readonly configuration: Configuration;
}

/** How a message reaches the worker; the callback comes when it has left. */
export type SendToWorker = (message: ToWorker, onSent?: () => void) => void;

/**
 * Keeps one worker's configuration in step: first a snapshot in slices, then deltas, one under way at a
 * time. What changes in the meantime is folded together and sent after the worker's answer.
 */
export class WorkerChannel {
  readonly #send: SendToWorker;
  readonly #pending = new PendingOperations();
  #pendingTarget: Target | null = null;
  #started = false;
  #sent: Target | null = null;
  #sentAtMs = 0;
  #applied: Target | null = null;

  constructor(send: SendToWorker) {
    this.#send = send;
  }

  /** What the worker serves; null before its first snapshot. */
  get applied(): Target | null {
    return this.#applied;
  }

  /** How long an answer has been outstanding, in ms; 0 where none is. */
  waitingMs(nowMs: number): number {
    return this.#sent === null ? 0 : nowMs - this.#sentAtMs;
  }

  /** Sends all of the configuration. What is published from now on follows as a delta. */
  start(current: CurrentConfiguration): void {
    this.#started = true;
    this.#noteSent(current.head);
    const operations = putsOf(current.configuration);
    this.#send({ type: 'snapshotBegin' });
    this.#sendSlices(operations, 0, current.head);
  }

  #sendSlices(operations: readonly Operation[], from: number, head: Head): void {
    // The wait for an answer is counted from the last slice: a large table is not a slow worker.
    this.#sentAtMs = performance.now();
    if (from >= operations.length) {
      this.#send({ type: 'snapshotEnd', revision: head.revision, id: head.id });
      return;
    }
    // One slice after the other has left: the channel's buffer stays small, whatever the size of the table.
    this.#send({ type: 'snapshotPart', operations: operations.slice(from, from + SNAPSHOT_SLICE) }, () =>
      this.#sendSlices(operations, from + SNAPSHOT_SLICE, head),
    );
  }

  publish(delta: Delta): void {
    if (!this.#started) return;
    this.#pending.add(delta.operations);
    this.#pendingTarget = { revision: delta.revision, id: delta.id };
    if (this.#sent === null) this.#sendPending();
  }

  onApplied(target: Target): void {
    this.#applied = { revision: target.revision, id: target.id };
    if (this.#sent?.id === target.id) this.#sent = null;
    if (this.#sent === null && this.#pendingTarget !== null) this.#sendPending();
  }

  #sendPending(): void {
    const target = this.#pendingTarget;
    const parent = this.#applied;
    if (target === null || parent === null) return;
    this.#pendingTarget = null;
    this.#noteSent(target);
    this.#send({ type: 'delta', ...target, parent: parent.id, operations: this.#pending.take() });
  }

  #noteSent(target: Target): void {
    this.#sent = { revision: target.revision, id: target.id };
    this.#sentAtMs = performance.now();
  }
}

/** The configuration as operations, clusters first. Taken at once, so that later changes do not mix in. */
function putsOf(configuration: Configuration): Operation[] {
  const operations: Operation[] = [];
  for (const [id, value] of configuration.clusters)
    operations.push({ op: 'put', kind: 'cluster', id, value });
  for (const [id, value] of configuration.routes) operations.push({ op: 'put', kind: 'route', id, value });
  return operations;
}
