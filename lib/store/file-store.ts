import { randomUUID } from 'node:crypto';
import type { Head } from '../core/config/change.ts';
import { formatProblem, type Problem } from '../core/config/problem.ts';
import { ChangeLog, follows } from './change-log.ts';
import {
  type LoggedChange,
  type NewChange,
  RevisionConflictError,
  type StoredConfiguration,
  UnreadableStoreError,
  type WritableConfigStore,
} from './config-store.ts';
import { DirectoryLock } from './directory-lock.ts';
import { type EntryTable, findOperationProblems } from './entry-table.ts';
import { type FileStoreState, headOf, loadState, saveSnapshot } from './file-store-state.ts';
import { SerialQueue } from './serial-queue.ts';

const MAX_WAITING_JOBS = 1_000;
const MAX_CHANGE_CHARACTERS = 67_108_864;

export interface FileStoreOptions {
  /** Told what an operator should know and what is no error: a line that was cut off, say. */
  readonly onNote?: (note: string) => void;
  /** The log becomes part of the snapshot after so many changes (default 1,000) … */
  readonly compactAfterChanges?: number;
  /** … or when it has this size (default 16 MiB). */
  readonly compactAfterBytes?: number;
  /** Older logs that are kept for `changesSince` (default 10: the last 10,000 changes, if they are small). */
  readonly keptLogs?: number;
}

/** Operations that cannot be applied, whatever the configuration; nothing was written. */
class MalformedChangeError extends Error {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(`malformed change: ${problems.map(formatProblem).join('; ')}`);
    this.name = 'MalformedChangeError';
    this.problems = problems;
  }
}

/**
 * The embedded store: a snapshot and a log of changes in the state directory, which one process at a time
 * may use. The values that `read` and `changesSince` return are shared and must not be changed.
 */
export class FileStore implements WritableConfigStore {
  readonly kind = 'file';
  readonly source = 'file';
  readonly writable = true;
  readonly #directory: string;
  readonly #options: Required<FileStoreOptions>;
  readonly #lock: DirectoryLock;
  readonly #log: ChangeLog;
  readonly #entries: EntryTable;
  readonly #queue = new SerialQueue(MAX_WAITING_JOBS);
  readonly #hintListeners: (() => void)[] = [];
  #head: Head | null;
  /** The changes in the current log. */
  #changes: LoggedChange[];
  #compactAtChanges: number;
  #compactAtBytes: number;
  #closed = false;

  private constructor(
    directory: string,
    options: Required<FileStoreOptions>,
    lock: DirectoryLock,
    log: ChangeLog,
    state: FileStoreState,
  ) {
    this.#directory = directory;
    this.#options = options;
    this.#lock = lock;
    this.#log = log;
    this.#head = state.head;
    this.#entries = state.entries;
    this.#changes = state.changes;
    this.#compactAtChanges = options.compactAfterChanges;
    this.#compactAtBytes = options.compactAfterBytes;
  }

  /**
   * Opens the store in a state directory, which must exist.
   * @throws UnreadableStoreError where its files are damaged; Error where another process uses the
   *   directory, or where it cannot be read or written.
   */
  static async open(directory: string, options: FileStoreOptions = {}): Promise<FileStore> {
    const settings = {
      onNote: () => {},
      compactAfterChanges: 1_000,
      compactAfterBytes: 16_777_216,
      keptLogs: 10,
      ...options,
    };
    const lock = await DirectoryLock.acquire(directory);
    try {
      const log = new ChangeLog(directory);
      const state = await loadState(directory, log, settings.onNote);
      return new FileStore(directory, settings, lock, log, state);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  async read(): Promise<StoredConfiguration | null> {
    if (this.#head === null) return null;
    return { head: this.#head, document: this.#entries.toDocument() };
  }

  watch(onHint: () => void): void {
    this.#hintListeners.push(onHint);
  }

  /**
   * Writes one change; it is on disk when this resolves.
   * @throws RevisionConflictError, MalformedChangeError, or an Error that says what could not be written
   *   and where. The store then stands where it stood.
   */
  async publish(change: NewChange): Promise<Head> {
    if (this.#closed) throw new Error('the store is closed');
    const operations = copyOperations(change);
    const { actor, message, expectedRevision } = change;
    return this.#queue.run(async () => {
      const current = this.#head?.revision ?? 0;
      if (expectedRevision !== undefined && expectedRevision !== current) {
        throw new RevisionConflictError(expectedRevision, current);
      }
      await this.#lock.verify();
      const head: Head = {
        revision: current + 1,
        id: randomUUID(),
        parent: this.#head?.id ?? null,
        at: new Date().toISOString(),
      };
      await this.#write({ ...head, actor, message, operations });
      return head;
    });
  }

  async changesSince(revision: number): Promise<readonly LoggedChange[] | null> {
    return this.#queue.run(async () => {
      const current = this.#head?.revision ?? 0;
      if (revision === current) return [];
      if (!Number.isSafeInteger(revision) || revision < 0 || revision > current) return null;
      const changes = await this.#collectChanges(revision);
      return isChain(changes, revision) && changes.at(-1)?.id === this.#head?.id ? changes : null;
    });
  }

  /** Waits for what is being written, then gives the directory free. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#hintListeners.length = 0;
    await this.#queue.drain();
    await this.#lock.release();
  }

  async #write(change: LoggedChange): Promise<void> {
    await this.#log.append(change);
    this.#entries.apply(change.operations);
    this.#changes.push(change);
    this.#head = headOf(change);
    for (const onHint of this.#hintListeners) queueMicrotask(onHint);
    if (this.#changes.length >= this.#compactAtChanges || this.#log.lengthBytes >= this.#compactAtBytes) {
      await this.#compact();
    }
  }

  /**
   * Makes the log a part of the snapshot. It never fails a change, which is safe in the log already. The
   * order matters: a crash after the snapshot leaves changes in the log that opening skips; a log that was
   * rotated before it would be missing from the snapshot.
   */
  async #compact(): Promise<void> {
    const head = this.#head;
    if (head === null) return;
    try {
      await saveSnapshot(this.#directory, head, this.#entries);
      await this.#log.rotate(head.revision);
      this.#changes = [];
      this.#compactAtChanges = this.#options.compactAfterChanges;
      this.#compactAtBytes = this.#options.compactAfterBytes;
      await this.#log.prune(this.#options.keptLogs);
    } catch (error) {
      // Nothing is lost, the log only grows: so not again with the very next change.
      this.#compactAtChanges = this.#changes.length + Math.ceil(this.#options.compactAfterChanges / 10);
      this.#compactAtBytes = this.#log.lengthBytes + Math.ceil(this.#options.compactAfterBytes / 10);
      this.#options.onNote(
        `compacting the store failed, it will be tried again: ${(error as Error).message}`,
      );
    }
  }

  async #collectChanges(revision: number): Promise<LoggedChange[]> {
    const collected = this.#changes.filter((change) => change.revision > revision);
    for (const lastRevision of (await this.#log.listRotated()).reverse()) {
      if (lastRevision <= revision || collected[0]?.revision === revision + 1) break;
      const oldest = collected[0]?.revision ?? Number.POSITIVE_INFINITY;
      const older = await this.#readHistory(lastRevision);
      collected.unshift(...older.filter((change) => change.revision > revision && change.revision < oldest));
    }
    return collected;
  }

  async #readHistory(lastRevision: number): Promise<LoggedChange[]> {
    try {
      return await this.#log.readRotated(lastRevision);
    } catch (error) {
      if (!(error instanceof UnreadableStoreError)) throw error;
      this.#options.onNote(`the history is incomplete: ${error.message}`);
      return [];
    }
  }
}

/** A copy as a later reading of the log would give it, so that what is held equals what is on disk. */
function copyOperations({ operations, actor, message }: NewChange): NewChange['operations'] {
  const text = JSON.stringify(operations ?? null);
  if (text.length > MAX_CHANGE_CHARACTERS) {
    const tooLarge = `the change has ${text.length} characters, the limit is ${MAX_CHANGE_CHARACTERS}`;
    throw new MalformedChangeError([{ pointer: '', message: tooLarge, hint: 'split it into several' }]);
  }
  const copy = JSON.parse(text) as NewChange['operations'];
  const problems = findOperationProblems(copy);
  if (typeof actor !== 'string' || typeof message !== 'string') {
    problems.push({ pointer: '', message: 'actor and message of a change are strings' });
  }
  if (problems.length > 0) throw new MalformedChangeError(problems);
  return copy;
}

function isChain(changes: readonly LoggedChange[], afterRevision: number): boolean {
  return changes.every((change, index) => {
    const previous = changes[index - 1];
    return previous === undefined ? change.revision === afterRevision + 1 : follows(change, previous);
  });
}
