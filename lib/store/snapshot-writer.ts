import type { Head } from '../core/config/change.ts';
import type { ChangeLog } from './change-log.ts';
import type { DirectoryLock } from './directory-lock.ts';
import type { EntryCopy } from './entry-copy.ts';
import { saveSnapshot } from './file-store-state.ts';

export interface SnapshotContent {
  readonly head: Head;
  readonly entries: EntryCopy;
}

export interface SnapshotWriterOptions {
  readonly directory: string;
  readonly lock: DirectoryLock;
  readonly log: ChangeLog;
  /** So many logs that the snapshot holds already are kept as history. */
  readonly keptLogs: number;
  /** Told after each attempt: why it failed, or null. */
  readonly onOutcome: (problem: string | null) => void;
}

/**
 * Saves snapshots of the store while changes go on being written to the log, which is why it may fail: the
 * logs that it would have made history are kept then, and nothing is lost.
 */
export class SnapshotWriter {
  readonly #options: SnapshotWriterOptions;
  #next: SnapshotContent | null = null;
  #running: Promise<void> | null = null;

  constructor(options: SnapshotWriterOptions) {
    this.#options = options;
  }

  /** Begins to save a snapshot. Where one is being saved, it follows; of those that wait only the newest. */
  save(content: SnapshotContent): void {
    this.#next = content;
    this.#running ??= this.#run();
  }

  /** Resolves when nothing is being saved any more. */
  async settle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#next !== null) {
      const content = this.#next;
      this.#next = null;
      await this.#saveNow(content);
    }
    this.#running = null;
  }

  async #saveNow({ head, entries }: SnapshotContent): Promise<void> {
    const { directory, lock, log, keptLogs, onOutcome } = this.#options;
    try {
      await saveSnapshot(directory, lock, head, entries);
      await log.prune(head.revision, keptLogs);
      onOutcome(null);
    } catch (error) {
      onOutcome(`compacting the store failed, it will be tried again: ${(error as Error).message}`);
    }
  }
}
