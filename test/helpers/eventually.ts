import { setTimeout as delay } from 'node:timers/promises';

/** Between two looks: others have to get on, too. */
const LOOK_INTERVAL_MS = 25;

/**
 * Looks again and again, until looking does not throw any more, and gives what it gave then.
 * @throws what the last look threw, after `limitMs`
 */
export async function eventually<T>(look: () => T | Promise<T>, limitMs = 15_000): Promise<T> {
  const caller = new Error('the wait began here');
  const deadlineMs = performance.now() + limitMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (performance.now() > deadlineMs) {
        throw new Error(`after ${limitMs} ms: ${(error as Error).message}`, { cause: caller });
      }
    }
    await delay(LOOK_INTERVAL_MS);
  }
}
