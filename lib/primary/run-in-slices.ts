import { setImmediate as nextTurn } from 'node:timers/promises';

/** Long enough to get on, short enough that a connection that comes meanwhile does not notice. */
const SLICE_MS = 8;

/** Runs a generator that yields between pieces of work, and lets the event loop turn after each few ms. */
export async function runInSlices<T>(work: Generator<unknown, T>): Promise<T> {
  let sliceStartMs = performance.now();
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    if (performance.now() - sliceStartMs >= SLICE_MS) {
      await nextTurn();
      sliceStartMs = performance.now();
    }
  }
}
