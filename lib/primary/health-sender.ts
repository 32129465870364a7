import type { DestinationHealth } from '../core/health/health-report.ts';
import type { ToWorker } from '../ipc/protocol.ts';

/** Destinations a message. */
const SLICE_LENGTH = 500;

/** How a message reaches the worker; the callback comes when it has left, never before this call returns. */
export type SendToWorker = (message: ToWorker, onSent?: () => void) => void;

/**
 * Tells one worker the health of destinations: the newest word on each, at once while the way is free, and
 * in slices, each when the one before has left. What waits is bounded by the number of destinations.
 */
export class HealthSender {
  readonly #send: SendToWorker;
  readonly #waiting = new Map<string, DestinationHealth>();
  #underWay = false;
  #onAllSent: (() => void) | null = null;

  constructor(send: SendToWorker) {
    this.#send = send;
  }

  add(destinations: readonly DestinationHealth[]): void {
    for (const health of destinations) this.#waiting.set(`${health.cluster} ${health.destination}`, health);
    if (!this.#underWay) this.#sendSlice();
  }

  /** Calls back when nothing waits to be sent any more, at once where nothing does. */
  whenSent(onAllSent: () => void): void {
    if (this.#waiting.size === 0) onAllSent();
    else this.#onAllSent = onAllSent;
  }

  #sendSlice(): void {
    const destinations = this.#takeSlice();
    this.#underWay = destinations.length > 0;
    if (!this.#underWay) return;
    this.#send({ type: 'health', destinations }, () => this.#sendSlice());
    if (this.#waiting.size > 0) return;
    this.#onAllSent?.();
    this.#onAllSent = null;
  }

  #takeSlice(): DestinationHealth[] {
    const slice: DestinationHealth[] = [];
    for (const [key, health] of this.#waiting) {
      if (slice.length === SLICE_LENGTH) break;
      slice.push(health);
      this.#waiting.delete(key);
    }
    return slice;
  }
}
