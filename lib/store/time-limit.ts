/** Something took longer than it may. */
export class TimeLimitError extends Error {
  constructor(limitMs: number) {
    super(`no answer within ${limitMs} ms`);
    this.name = 'TimeLimitError';
  }
}

/**
 * Settles as `work` does, or rejects after `limitMs` with a TimeLimitError, or when `signal` is aborted, with
 * its reason; what `work` does later is ignored.
 */
export function withinLimit<T>(work: Promise<T>, limitMs: number, signal?: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const giveUp = () => reject(signal?.reason);
    const timer = setTimeout(() => reject(new TimeLimitError(limitMs)), limitMs);
    signal?.addEventListener('abort', giveUp);
    if (signal?.aborted === true) giveUp();
    const release = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    };
    void work.then(resolve, reject).then(release);
  });
}
