import { randomUUID } from 'node:crypto';
import type { Head, Operation } from '../core/config/change.ts';
import { Breather } from './breather.ts';
import { ChangeHistory } from './change-history.ts';
import { ChangeLog } from './change-log.ts';
import { ConditionRecord } from './condition-record.ts';
import {
  type LoggedChange,
  type NewChange,
  RevisionConflictError,
  type StoreCondition,
  type StoredConfiguration,
  type StoreListener,
  StoreUnavailableError,
  type WritableConfigStore,
} from './config-store.ts';
import { copyOperations } from './copy-change.ts';
import { DirectoryLock } from './directory-lock.ts';
import type { EntryTable } from './entry-table.ts';
import { type FileStoreState, headOf, loadState } from './file-store-state.ts';
import { SerialQueue } from './serial-queue.ts';
import { type SnapshotContent, SnapshotWriter } from './snapshot-writer.ts';
import { StoreListeners } from './store-listeners.ts';
import { UndoRecord } from './undo-record.ts';

const MAX_WAITING_JOBS = 1_000;
/** A snapshot costs what the table holds: this many entries for each change keep that a small share. */
const ENTRIES_PER_CHANGE = 10;

export interface FileStoreOptions {
  /** Told what an operator should know and what is no error: a line that was cut off, say. */
  readonly onNote?: (note: string) => void;
  /** The log becomes part of the snapshot after so many changes (default 1,000; more for large tables) … */
  readonly compactAfterChanges?: number;
  /** … or when it has this size (default 16 MiB). */
  readonly compactAfterBytes?: number;
  /** Older logs that are kept for the history (default 10: the last 10,000 changes, if they are small). */
  readonly keptLogs?: number;
}

/**
 * The embedded store: a snapshot and a log of changes in the state directory, which one process at a time
 * may use. What a change costs does not depend on the size of the table. The values that are returned are
 * shared and must not be changed.
 */
export class FileStore implements WritableConfigStore {
  readonly kind = 'file';
  readonly source = 'file';
  readonly writable = true;
  readonly #options: Required<FileStoreOptions>;
  readonly #lock: DirectoryLock;
  readonly #log: ChangeLog;
  readonly #history: ChangeHistory;
  readonly #snapshots: SnapshotWriter;
  readonly #entries: EntryTable;
  readonly #queue = new SerialQueue(MAX_WAITING_JOBS);
  readonly #listeners = new StoreListeners();
  readonly #condition = new ConditionRecord((condition) => this.#listeners.tellCondition(condition));
  #head: Head | null;
  #writeProblem: string | null = null;
  #compactionProblem: string | null = null;
  /** How much more than usual the log may hold, because it could not be rotated. */
  #rotationDelay = 1;
  #closed = false;

  private constructor(
    directory: string,
    options: Required<FileStoreOptions>,
    lock: DirectoryLock,
    log: ChangeLog,
    state: FileStoreState,
  ) {
    this.#options = options;
    this.#lock = lock;
    this.#log = log;
    this.#history = new ChangeHistory(log, options.onNote);
    this.#head = state.head;
    this.#entries = state.entries;
    this.#snapshots = new SnapshotWriter({
      directory,
      lock,
      log,
      keptLogs: options.keptLogs,
      onOutcome: (problem) => this.#noteCompaction(problem),
    });
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

  /** Always reachable; `problem` is why the last change, or else the last snapshot, could not be written. */
  get condition(): StoreCondition {
    return this.#condition.current;
  }

  async readHead(): Promise<Head | null> {
    return this.#head;
  }

  async read(): Promise<StoredConfiguration | null> {
    const content = await this.#queue.run(async () => this.#copyContent());
    return content && { head: content.head, document: await content.entries.toDocument() };
  }

  watch(listener: StoreListener): void {
    this.#listeners.add(listener);
  }

  /**
   * Writes one change; it is on disk when this resolves. The change must not be touched until then.
   * @throws RevisionConflictError, MalformedChangeError, or a StoreUnavailableError that says what could not
   *   be written and where. The store then stands where it stood.
   */
  async publish(change: NewChange): Promise<Head> {
    this.#checkOpen();
    const copied = copyOperations(change);
    // Its failure is that of the job below; where the queue takes no job, nobody asks for it.
    copied.catch(() => {});
    return this.#queue.run(async () => this.#publishCopied(change, await copied));
  }

  async changesSince(revision: number): Promise<readonly LoggedChange[] | null> {
    return this.#history.since(revision, this.#head);
  }

  async history(limit: number, before = Number.POSITIVE_INFINITY): Promise<readonly LoggedChange[]> {
    return this.#history.newest(limit, before);
  }

  /** Waits for what is being written, then gives the directory free. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#listeners.clear();
    await this.#queue.drain();
    await this.#snapshots.settle();
    await this.#lock.release();
  }

  #checkOpen(): void {
    if (this.#closed) throw new StoreUnavailableError('the store is closed', { notWritten: true });
  }

  async #publishCopied(change: NewChange, operations: readonly Operation[]): Promise<Head> {
    const { actor, message, expectedRevision, expectedId, revisionFloor = 0 } = change;
    const current = this.#head?.revision ?? 0;
    const isOther = expectedId !== undefined && expectedId !== this.#head?.id;
    if (expectedRevision !== undefined && (expectedRevision !== current || isOther)) {
      throw new RevisionConflictError(expectedRevision, current);
    }
    const head: Head = {
      revision: Math.max(current, revisionFloor) + 1,
      id: randomUUID(),
      parent: this.#head?.id ?? null,
      at: new Date().toISOString(),
    };
    await this.#write({ ...head, actor, message, operations, undo: await this.#findUndo(operations) });
    return head;
  }

  async #findUndo(operations: readonly Operation[]): Promise<Operation[]> {
    const record = new UndoRecord();
    const breather = new Breather();
    for (const { kind, id } of operations) {
      record.note(kind, id, this.#entries.get(kind, id));
      if (breather.isDue) await breather.breathe();
    }
    const undo: Operation[] = [];
    for (const operation of record.operations()) {
      undo.push(operation);
      if (breather.isDue) await breather.breathe();
    }
    return undo;
  }

  async #write(change: LoggedChange): Promise<void> {
    try {
      await this.#verifyLock();
      await this.#log.append(change);
    } catch (error) {
      this.#noteWrite((error as Error).message);
      throw error;
    }
    await this.#apply(change.operations);
    this.#head = headOf(change);
    this.#noteWrite(null);
    this.#listeners.tellChange({ ...this.#head, operations: change.operations });
    await this.#rotateWhenDue();
  }

  /** In slices, which others do not see: whatever looks at the table waits in the queue. */
  async #apply(operations: readonly Operation[]): Promise<void> {
    const breather = new Breather();
    for (const operation of operations) {
      this.#entries.apply(operation);
      if (breather.isDue) await breather.breathe();
    }
  }

  #copyContent(): SnapshotContent | null {
    return this.#head && { head: this.#head, entries: this.#entries.copy() };
  }

  async #verifyLock(): Promise<void> {
    try {
      await this.#lock.verify();
    } catch (error) {
      throw new StoreUnavailableError((error as Error).message, { notWritten: true, cause: error });
    }
  }

  /** It never fails a change, which is safe in the log already: where it cannot be rotated it grows. */
  async #rotateWhenDue(): Promise<void> {
    const { compactAfterChanges, compactAfterBytes } = this.#options;
    const maxChanges = Math.max(compactAfterChanges, this.#entries.size / ENTRIES_PER_CHANGE);
    const { changes, lengthBytes } = this.#log;
    const share = Math.max(changes.length / maxChanges, lengthBytes / compactAfterBytes);
    if (share < this.#rotationDelay) return;
    try {
      await this.#log.rotate();
      this.#rotationDelay = 1;
      const content = this.#copyContent();
      if (content !== null) this.#snapshots.save(content);
    } catch (error) {
      // Not again with the very next change.
      this.#rotationDelay = share + 0.1;
      this.#noteCompaction(
        `compacting the store failed, it will be tried again: ${(error as Error).message}`,
      );
    }
  }

  #noteCompaction(problem: string | null): void {
    if (problem !== null) this.#options.onNote(problem);
    this.#compactionProblem = problem;
    this.#noteCondition();
  }

  #noteWrite(problem: string | null): void {
    this.#writeProblem = problem;
    this.#noteCondition();
  }

  #noteCondition(): void {
    this.#condition.note(true, this.#writeProblem ?? this.#compactionProblem);
  }
}
