import { setImmediate as nextTurn } from 'node:timers/promises';

/** Long enough to get on, short enough that what comes meanwhile does not notice. */
const SLICE_MS = 4;

/**
 * Lets the event loop turn within long work, which asks after each small step:
 * `if (breather.isDue) await breather.breathe();`. Short work thus ends without a turn.
 */
export class Breather {
  #sliceStartMs = performance.now();

  get isDue(): boolean {
    return performance.now() - this.#sliceStartMs >= SLICE_MS;
  }

  async breathe(): Promise<void> {
    await nextTurn();
    this.#sliceStartMs = performance.now();
  }
}
