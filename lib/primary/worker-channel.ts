import type { MaterialValue } from '../auth/materials.ts';
import type { Delta, Head, Operation } from '../core/config/change.ts';
import type { Configuration } from '../core/config/model.ts';
import type { DestinationHealth } from '../core/health/health-report.ts';
import type { Target, ToWorker } from '../ipc/protocol.ts';
import type { MaterialNews } from './materials/material-news.ts';
import { NewsSender } from './news-sender.ts';
import { copyAsPuts, sliceOperations, weightOf } from './operation-slices.ts';
import { PendingChanges } from './pending-changes.ts';

/** What a worker applies in one go, in a few ms. Beyond, its requests would notice: it gets a transfer. */
const MAXIMUM_DELTA_WEIGHT = 500;
/** Destinations a message. */
const HEALTH_SLICE = 500;
/** Characters of materials a message; one alone may have more. */
const MATERIAL_SLICE = 262_144;

/** How a message reaches the worker; the callback comes when it has left, never before this call returns. */
export type SendToWorker = (message: ToWorker, onSent?: () => void) => void;

/** What the channel reads from: the configuration as it stands. Its maps may change later. */
export interface CurrentConfiguration {
  readonly head: Head;
  readonly configuration: Configuration;
}

/** What a worker serves. */
export interface AppliedConfiguration extends Target {
  /** Of all that the worker holds. */
  readonly fingerprint: string;
}

/**
 * Keeps one worker's configuration in step: first all of it, then changes, one under way at a time. What
 * changes in the meantime is folded together and sent after the worker's answer. A small change is one
 * message; what is larger goes as a transfer, in slices, each sent when the one before has left.
 */
export class WorkerChannel {
  readonly #send: SendToWorker;
  readonly #health: NewsSender<DestinationHealth>;
  readonly #materials: NewsSender<MaterialNews>;
  readonly #pending = new PendingChanges();
  #pendingTarget: Target | null = null;
  #started = false;
  #sent: Target | null = null;
  #sentAtMs = 0;
  #applied: AppliedConfiguration | null = null;

  constructor(send: SendToWorker) {
    this.#send = send;
    this.#health = new NewsSender(
      (destinations, onSent) => send({ type: 'health', destinations }, onSent),
      ({ cluster, destination }) => `${cluster} ${destination}`,
      HEALTH_SLICE,
    );
    this.#materials = new NewsSender(
      (news, onSent) => send({ type: 'materials', ...materialsIn(news) }, onSent),
      ({ name }) => name,
      MATERIAL_SLICE,
      ({ name, value }) => name.length + (value?.length ?? 0),
    );
  }

  /** What the worker serves; null before it has its first configuration. */
  get applied(): AppliedConfiguration | null {
    return this.#applied;
  }

  /** How long an answer has been outstanding, in ms; 0 where none is. */
  waitingMs(nowMs: number): number {
    return this.#sent === null ? 0 : nowMs - this.#sentAtMs;
  }

  /**
   * Sends all of the configuration as it is now, after what is known of the health of destinations and the
   * materials. What is published from now on follows as a change.
   */
  start(
    current: CurrentConfiguration,
    health: readonly DestinationHealth[] = [],
    materials: readonly MaterialNews[] = [],
  ): void {
    this.#started = true;
    const { revision, id } = current.head;
    const puts = copyAsPuts(current.configuration);
    this.#noteSent({ revision, id });
    this.#health.add(health);
    this.#materials.add(materials);
    this.#health.whenSent(() => this.#materials.whenSent(() => this.#transfer(null, puts, { revision, id })));
  }

  publish(delta: Delta): void {
    if (!this.#started) return;
    this.#pending.add(delta.operations);
    this.#pendingTarget = { revision: delta.revision, id: delta.id };
    if (this.#sent === null) this.#sendPending();
  }

  /** Tells the worker about destinations, whatever else is under way. Before the start that has all there is to say. */
  sendHealth(destinations: readonly DestinationHealth[]): void {
    if (this.#started) this.#health.add(destinations);
  }

  /** Tells the worker about materials, in the same way. */
  sendMaterials(news: readonly MaterialNews[]): void {
    if (this.#started) this.#materials.add(news);
  }

  /** Tells the worker that what is newer of a material has been sent, if there is any, and whether it was looked for. */
  sendRefreshed(name: string, hasLooked: boolean): void {
    this.#materials.whenSent(() => this.#send({ type: 'refreshed', name, hasLooked }));
  }

  onApplied({ revision, id, fingerprint }: AppliedConfiguration): void {
    this.#applied = { revision, id, fingerprint };
    if (this.#sent?.id === id) this.#sent = null;
    if (this.#sent === null && this.#pendingTarget !== null) this.#sendPending();
  }

  #sendPending(): void {
    const target = this.#pendingTarget;
    const parent = this.#applied;
    if (target === null || parent === null) return;
    this.#pendingTarget = null;
    this.#noteSent(target);
    const operations = this.#pending.take();
    if (isSmall(operations)) this.#send({ type: 'delta', ...target, parent: parent.id, operations });
    else this.#transfer(parent.id, operations, target);
  }

  #transfer(parent: string | null, operations: Iterable<Operation>, target: Target): void {
    this.#send({ type: 'transferBegin', parent });
    this.#sendSlices(sliceOperations(operations), target);
  }

  /** One slice after the other has left: the channel's buffer stays small, whatever the size of the table. */
  #sendSlices(slices: Iterator<Operation[], void>, target: Target): void {
    // The wait for an answer is counted from the last slice: a large table is not a slow worker.
    this.#sentAtMs = performance.now();
    const slice = slices.next();
    if (slice.done === true) this.#send({ type: 'transferEnd', ...target });
    else
      this.#send({ type: 'transferPart', operations: slice.value }, () => this.#sendSlices(slices, target));
  }

  #noteSent(target: Target): void {
    this.#sent = target;
    this.#sentAtMs = performance.now();
  }
}

function materialsIn(news: readonly MaterialNews[]): { materials: MaterialValue[]; gone: string[] } {
  const materials: MaterialValue[] = [];
  const gone: string[] = [];
  for (const { name, value } of news) {
    if (value === undefined) gone.push(name);
    else materials.push({ name, value });
  }
  return { materials, gone };
}

/** Whether it may go in one message. Its heaviest operation cannot be divided either way, so it does not count. */
function isSmall(operations: readonly Operation[]): boolean {
  let weight = 0;
  let heaviest = 0;
  for (const operation of operations) {
    const own = weightOf(operation);
    weight += own;
    heaviest = Math.max(heaviest, own);
    if (weight - heaviest > MAXIMUM_DELTA_WEIGHT) return false;
  }
  return true;
}
