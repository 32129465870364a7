import { type FileHandle, open, readdir, rename, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { changeLinePieces, readChangeLogFile } from './change-log-file.ts';
import { type LoggedChange, StoreUnavailableError } from './config-store.ts';
import { fileError } from './file-error.ts';
import { chunksOf } from './text-chunks.ts';
import { syncDirectory } from './write-file-atomically.ts';

const FILE_NAME = 'changes.log';
/** A log that was rotated is named after the last revision in it. */
const ROTATED_NAME = /^changes\.(\d{1,16})\.log$/;

/**
 * The log that changes are written to, and the older ones before it, which a snapshot makes mere history:
 *
 *     configuration.json   changes.2000.log   changes.3000.log   changes.log
 *     snapshot at 3000     1001 … 2000        2001 … 3000        3001 … now
 */
export class ChangeLog {
  readonly path: string;
  readonly #directory: string;
  #changes: LoggedChange[] = [];
  /** Everything behind it is the rest of an append that failed. */
  #lengthBytes = 0;
  /** Whether there is such a rest, which could not be cut off yet. */
  #hasRest = false;

  constructor(directory: string) {
    this.#directory = directory;
    this.path = join(directory, FILE_NAME);
  }

  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  /** The changes in the current log, oldest first. */
  get changes(): readonly LoggedChange[] {
    return this.#changes;
  }

  /**
   * Reads the current log, and cuts off a last line that was not written to its end.
   * @throws UnreadableStoreError where anything else is damaged.
   */
  async open(onNote: (note: string) => void): Promise<void> {
    const { changes, lengthBytes, tornBytes } = await readChangeLogFile(this.path);
    this.#changes = changes;
    this.#lengthBytes = lengthBytes;
    if (tornBytes > 0) {
      await truncate(this.path, lengthBytes).catch((error: unknown) => {
        throw fileError('cut a torn line off', this.path, error);
      });
      onNote(
        `${this.path}: cut off ${tornBytes} bytes at the end, a change that was being written when the gateway stopped`,
      );
    }
  }

  /**
   * Appends one change; it is on disk when this resolves.
   * @throws StoreUnavailableError that names the file and the reason; the log then holds what it held before,
   *   but for a rest that could not be cut off, which the next append does.
   */
  async append(change: LoggedChange): Promise<void> {
    try {
      // Opened anew each time: a log that was removed or replaced by somebody is then noticed.
      const handle = await open(this.path, 'a', 0o600);
      try {
        await this.#cutRest(handle);
        this.#lengthBytes += await this.#appendDurably(handle, change);
      } finally {
        await handle.close();
      }
    } catch (error) {
      const { message } = fileError('write the change to', this.path, error);
      throw new StoreUnavailableError(message, { notWritten: !this.#hasRest, cause: error });
    }
    this.#changes.push(change);
  }

  /** Removes what an append that failed has left, where it could not do so itself. */
  async #cutRest(handle: FileHandle): Promise<void> {
    const { size } = await handle.stat();
    if (size < this.#lengthBytes) {
      throw new Error('somebody else has shortened or removed it; restart the gateway');
    }
    if (size > this.#lengthBytes) await handle.truncate(this.#lengthBytes);
    this.#hasRest = false;
  }

  /** Returns how many bytes the change takes. */
  async #appendDurably(handle: FileHandle, change: LoggedChange): Promise<number> {
    try {
      let lengthBytes = 0;
      for await (const chunk of chunksOf(changeLinePieces(change))) {
        await handle.appendFile(chunk);
        lengthBytes += chunk.length;
      }
      await handle.sync();
      if (this.#lengthBytes === 0) await syncDirectory(this.#directory);
      return lengthBytes;
    } catch (error) {
      await handle.truncate(this.#lengthBytes).catch(() => {
        this.#hasRest = true;
      });
      throw error;
    }
  }

  /** Begins a new log, where there is anything in the current one. */
  async rotate(): Promise<void> {
    const last = this.#changes.at(-1);
    if (last === undefined) return;
    try {
      await rename(this.path, this.#rotatedPath(last.revision));
      this.#changes = [];
      this.#lengthBytes = 0;
      await syncDirectory(this.#directory);
    } catch (error) {
      throw fileError('rename', this.path, error);
    }
  }

  /** The last revisions of the older logs, oldest first. */
  async listRotated(): Promise<number[]> {
    const names = await readdir(this.#directory);
    return names
      .map((name) => Number(ROTATED_NAME.exec(name)?.[1]))
      .filter((revision) => !Number.isNaN(revision))
      .sort((a, b) => a - b);
  }

  /**
   * The changes in an older log; none where it was removed meanwhile.
   * @throws UnreadableStoreError where it is damaged.
   */
  async readRotated(lastRevision: number): Promise<readonly LoggedChange[]> {
    return (await readChangeLogFile(this.#rotatedPath(lastRevision))).changes;
  }

  /** Removes the logs that are part of the snapshot at `revision`, all but the newest `kept`. */
  async prune(revision: number, kept: number): Promise<void> {
    const covered = (await this.listRotated()).filter((lastRevision) => lastRevision <= revision);
    for (const lastRevision of covered.slice(0, Math.max(0, covered.length - kept))) {
      await rm(this.#rotatedPath(lastRevision), { force: true });
    }
  }

  #rotatedPath(lastRevision: number): string {
    return join(this.#directory, `changes.${lastRevision}.log`);
  }
}
