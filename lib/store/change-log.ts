import { type FileHandle, open, readdir, readFile, rename, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { DamagedTextError, decodeChecksummed, encodeChecksummed } from './checksummed-json.ts';
import { type LoggedChange, UnreadableStoreError } from './config-store.ts';
import { findOperationProblems } from './entry-table.ts';
import { errorCodeOf, fileError } from './file-error.ts';
import { isHead, isRecord } from './stored-shape.ts';
import { syncDirectory } from './write-file-atomically.ts';

const FORMAT = 'fengling-gateway/change/1';
const FILE_NAME = 'changes.log';
/** A log that was rotated is named after the last revision in it. */
const ROTATED_NAME = /^changes\.(\d{1,16})\.log$/;

const LINE_FEED = 0x0a;

/**
 * The changes since the last snapshot, one checksummed line of JSON each, and the older logs that are
 * kept as history:
 *
 *     configuration.json   changes.2000.log   changes.3000.log   changes.log
 *     snapshot at 3000     1001 … 2000        2001 … 3000        3001 … now
 */
export class ChangeLog {
  readonly path: string;
  readonly #directory: string;
  /** Everything behind it is the rest of an append that failed. */
  #lengthBytes = 0;

  constructor(directory: string) {
    this.#directory = directory;
    this.path = join(directory, FILE_NAME);
  }

  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  /**
   * Reads the changes of the current log, and cuts off a last line that was not written to its end.
   * @throws UnreadableStoreError where anything else is damaged.
   */
  async open(onNote: (note: string) => void): Promise<LoggedChange[]> {
    const { changes, lengthBytes, tornBytes } = await readLog(this.path);
    this.#lengthBytes = lengthBytes;
    if (tornBytes > 0) {
      await truncate(this.path, lengthBytes).catch((error: unknown) => {
        throw fileError('cut a torn line off', this.path, error);
      });
      onNote(
        `${this.path}: cut off ${tornBytes} bytes at the end, a change that was being written when the gateway stopped`,
      );
    }
    return changes;
  }

  /**
   * Appends one change; it is on disk when this resolves.
   * @throws Error that names the file and the reason; the log then holds what it held before.
   */
  async append(change: LoggedChange): Promise<void> {
    const line = Buffer.from(`${encodeChecksummed(FORMAT, change)}\n`);
    try {
      // Opened anew each time: a log that was removed or replaced by somebody is then noticed.
      const handle = await open(this.path, 'a', 0o600);
      try {
        await this.#cutRest(handle);
        await this.#appendDurably(handle, line);
      } finally {
        await handle.close();
      }
    } catch (error) {
      throw fileError('write the change to', this.path, error);
    }
    this.#lengthBytes += line.length;
  }

  /** Removes what an append that failed has left, where it could not do so itself. */
  async #cutRest(handle: FileHandle): Promise<void> {
    const { size } = await handle.stat();
    if (size < this.#lengthBytes) {
      throw new Error('somebody else has shortened or removed it; restart the gateway');
    }
    if (size > this.#lengthBytes) await handle.truncate(this.#lengthBytes);
  }

  async #appendDurably(handle: FileHandle, line: Buffer): Promise<void> {
    try {
      await handle.appendFile(line);
      await handle.sync();
      if (this.#lengthBytes === 0) await syncDirectory(this.#directory);
    } catch (error) {
      await handle.truncate(this.#lengthBytes).catch(() => {});
      throw error;
    }
  }

  /** Begins a new log: the current one, which ends with `lastRevision`, becomes history. */
  async rotate(lastRevision: number): Promise<void> {
    const rotated = join(this.#directory, `changes.${lastRevision}.log`);
    try {
      await rename(this.path, rotated);
      this.#lengthBytes = 0;
      await syncDirectory(this.#directory);
    } catch (error) {
      throw fileError('rename', this.path, error);
    }
  }

  /** The last revisions of the logs that are kept as history, oldest first. */
  async listRotated(): Promise<number[]> {
    const names = await readdir(this.#directory);
    return names
      .map((name) => Number(ROTATED_NAME.exec(name)?.[1]))
      .filter((revision) => !Number.isNaN(revision))
      .sort((a, b) => a - b);
  }

  /** @throws UnreadableStoreError where the log is damaged. */
  async readRotated(lastRevision: number): Promise<LoggedChange[]> {
    return (await readLog(join(this.#directory, `changes.${lastRevision}.log`))).changes;
  }

  /** Removes all but the newest `kept` logs of the history. */
  async prune(kept: number): Promise<void> {
    const revisions = await this.listRotated();
    for (const revision of revisions.slice(0, Math.max(0, revisions.length - kept))) {
      await rm(join(this.#directory, `changes.${revision}.log`), { force: true });
    }
  }
}

interface LogContent {
  readonly changes: LoggedChange[];
  readonly lengthBytes: number;
  readonly tornBytes: number;
}

async function readLog(path: string): Promise<LogContent> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return { changes: [], lengthBytes: 0, tornBytes: 0 };
    throw fileError('read', path, error);
  }
  const changes: LoggedChange[] = [];
  let lineStart = 0;
  while (lineStart < bytes.length) {
    const lineEnd = bytes.indexOf(LINE_FEED, lineStart);
    const line = bytes.subarray(lineStart, lineEnd === -1 ? bytes.length : lineEnd);
    if (isTorn(line, lineEnd, bytes.length)) break;
    changes.push(decodeChange(line.toString('utf8'), path, changes));
    lineStart = lineEnd + 1;
  }
  return { changes, lengthBytes: lineStart, tornBytes: bytes.length - lineStart };
}

/**
 * A last line without its line feed was never reported as written. Nor was a last line with NUL bytes:
 * those are blocks that a loss of power kept from the disk.
 */
function isTorn(line: Buffer, lineEnd: number, logLength: number): boolean {
  return lineEnd === -1 || (lineEnd === logLength - 1 && line.includes(0));
}

function decodeChange(text: string, path: string, before: readonly LoggedChange[]): LoggedChange {
  const lineNumber = before.length + 1;
  try {
    const change = decodeChecksummed(FORMAT, text);
    if (!isLoggedChange(change)) throw new DamagedTextError('it is not a change that this version knows');
    const previous = before.at(-1);
    if (previous !== undefined && !follows(change, previous)) {
      throw new DamagedTextError(
        `revision ${change.revision} does not follow revision ${previous.revision} of the line before`,
      );
    }
    return change;
  } catch (error) {
    if (!(error instanceof DamagedTextError)) throw error;
    const message = `${path}, line ${lineNumber}: ${error.message}`;
    const hint = `restore the state directory from a backup, or cut ${path} off before line ${lineNumber} to lose that change and all after it`;
    throw new UnreadableStoreError(`${message} (${hint})`, [{ pointer: '', message, hint }]);
  }
}

function isLoggedChange(value: unknown): value is LoggedChange {
  return (
    isHead(value) &&
    isRecord(value) &&
    typeof value.actor === 'string' &&
    typeof value.message === 'string' &&
    findOperationProblems(value.operations).length === 0
  );
}

/** True where `change` is the one made directly on `previous`. */
export function follows(
  change: { readonly revision: number; readonly parent: string | null },
  previous: { readonly revision: number; readonly id: string },
): boolean {
  return change.revision === previous.revision + 1 && change.parent === previous.id;
}
