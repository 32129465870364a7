import type { Head } from '../core/config/change.ts';
import type { Configuration } from '../core/config/model.ts';
import type { LastGoodContent, LastGoodFile } from './last-good-file.ts';

export interface LastGoodSaverOptions {
  /** The store that the configurations come from. */
  readonly source: string;
  /**
   * Whether the configuration that was noted with this head is still what it was then. One that has moved on
   * is not saved under the old head, but when it is noted again.
   */
  readonly isCurrent: (head: Head) => boolean;
  /** Told when saves begin to fail, when the reason changes, and with null when they succeed again. */
  readonly onOutcome?: (problem: string | null) => void;
  /** Between the beginnings of two saves (default 2,000). */
  readonly minIntervalMs?: number;
  /** After a save that failed, the newest configuration is tried again (default 10,000). */
  readonly retryAfterMs?: number;
}

/**
 * Saves the configuration that is in use, at once where the last save is some time ago, and not more often
 * than a disk can take where changes come fast. A save that failed is repeated until one succeeds. Its timers
 * keep no process alive.
 */
export class LastGoodSaver {
  readonly #file: LastGoodFile;
  readonly #options: Required<LastGoodSaverOptions>;
  /** What is not on disk yet. */
  #newest: LastGoodContent | null = null;
  #saving: Promise<void> | null = null;
  #startedAtMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #problem: string | null = null;

  constructor(file: LastGoodFile, options: LastGoodSaverOptions) {
    this.#file = file;
    this.#options = { onOutcome: () => {}, minIntervalMs: 2_000, retryAfterMs: 10_000, ...options };
  }

  /** Why the last save failed; null where it succeeded, or there was none. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Takes a configuration that every worker serves now. */
  note(head: Head, configuration: Configuration): void {
    this.#newest = { source: this.#options.source, head, configuration };
    if (this.#saving === null) this.#saveAfterInterval();
  }

  /** Saves what is not on disk yet, without waiting for its time; resolves when that was tried. */
  async flush(): Promise<void> {
    await this.#saving;
    this.#save();
    await this.#saving;
  }

  #saveAfterInterval(): void {
    this.#saveIn(this.#startedAtMs + this.#options.minIntervalMs - performance.now());
  }

  #saveIn(delayMs: number): void {
    this.#stopTimer();
    if (delayMs <= 0) this.#save();
    else this.#timer = setTimeout(() => this.#save(), delayMs).unref();
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #save(): void {
    this.#stopTimer();
    const content = this.#newest;
    if (this.#saving !== null || content === null || !this.#options.isCurrent(content.head)) return;
    this.#newest = null;
    this.#startedAtMs = performance.now();
    this.#saving = this.#saveNow(content);
  }

  async #saveNow(content: LastGoodContent): Promise<void> {
    const problem = await this.#file.save(content).then(
      () => null,
      (error: Error) => error.message,
    );
    this.#saving = null;
    if (problem !== null) {
      this.#newest ??= content;
      this.#saveIn(this.#options.retryAfterMs);
    } else if (this.#newest !== null) {
      this.#saveAfterInterval();
    }
    this.#noteOutcome(problem);
  }

  #noteOutcome(problem: string | null): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#options.onOutcome(problem);
  }
}
