import { StoreUnavailableError } from './config-store.ts';

/** Runs asynchronous jobs one after the other, in the order in which they came. */
export class SerialQueue {
  readonly #maxWaiting: number;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
  }

  /** Resolves or rejects as the job does. @throws StoreUnavailableError where too many are waiting already. */
  run<T>(job: () => Promise<T>): Promise<T> {
    if (this.#waiting >= this.#maxWaiting) {
      const message = `${this.#waiting} requests to the store are waiting: try again later`;
      return Promise.reject(new StoreUnavailableError(message, { notWritten: true }));
    }
    this.#waiting += 1;
    const result = this.#last.then(job).finally(() => {
      this.#waiting -= 1;
    });
    this.#last = result.catch(() => {});
    return result;
  }

  /** Resolves when all jobs so far are done. */
  async drain(): Promise<void> {
    await this.#last;
  }
}
