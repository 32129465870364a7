/** How helpers wait: for a condition, looked at again whenever something happened, never for a time. */

export const DEFAULT_LIMIT_MS = 10_000;

/** Wakes those who wait for a condition whenever something changed that it may depend on. */
export class ChangeSignal {
  readonly #listeners = new Set<() => void>();

  /** To be called after every change. */
  notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /**
   * Waits until `find` returns something else than undefined and gives that; what `find` throws rejects.
   * @throws Error after `limitMs`, with what `describe` says then.
   */
  async waitFor<T>(find: () => T | undefined, limitMs: number, describe: () => string): Promise<T> {
    const caller = new Error('the wait began here');
    const present = find();
    if (present !== undefined) return present;
    return new Promise<T>((resolve, reject) => {
      const settle = (finish: () => void) => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        finish();
      };
      const look = () => {
        try {
          const found = find();
          if (found !== undefined) settle(() => resolve(found));
        } catch (error) {
          settle(() => reject(error));
        }
      };
      const giveUp = () => reject(new Error(`after ${limitMs} ms: ${describe()}`, { cause: caller }));
      const timer = setTimeout(() => settle(giveUp), limitMs);
      this.#listeners.add(look);
    });
  }
}
