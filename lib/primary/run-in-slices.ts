import { Breather } from '../store/breather.ts';

/** Runs a generator that yields between pieces of work, and lets the event loop turn after each few ms. */
export async function runInSlices<T>(work: Generator<unknown, T>): Promise<T> {
  const breather = new Breather();
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    if (breather.isDue) await breather.breathe();
  }
}
