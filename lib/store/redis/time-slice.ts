import { setImmediate as nextTurn } from 'node:timers/promises';

const SLICE_MS = 5;

/** Cuts long work into slices, so that the event loop turns between them. */
export class TimeSlice {
  #startMs = performance.now();

  get isOver(): boolean {
    return performance.now() - this.#startMs >= SLICE_MS;
  }

  /** Resolves when everything that waited for the event loop has had its turn. */
  async next(): Promise<void> {
    await nextTurn();
    this.#startMs = performance.now();
  }
}
