/** What the file store has in its directory: reading the snapshot, and the log over it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Head } from '../core/config/change.ts';
import type { ChangeLog } from './change-log.ts';
import { follows } from './change-log-file.ts';
import { checksummedPieces, DamagedTextError, decodeChecksummed } from './checksummed-json.ts';
import { type LoggedChange, UnreadableStoreError } from './config-store.ts';
import type { DirectoryLock } from './directory-lock.ts';
import type { EntryCopy } from './entry-copy.ts';
import { EntryTable } from './entry-table.ts';
import { errorCodeOf, fileError } from './file-error.ts';
import { isHead, isRecord } from './stored-shape.ts';
import { chunksOf } from './text-chunks.ts';
import { removeAbandonedFiles, writeFileAtomically } from './write-file-atomically.ts';

const FORMAT = 'fengling-gateway/snapshot/1';
const FILE_NAME = 'configuration.json';

export interface FileStoreState {
  /** Null while nothing was ever published. */
  readonly head: Head | null;
  readonly entries: EntryTable;
}

/**
 * Reads the snapshot and replays the logs over it. Logs are rotated before the snapshot is written, so a
 * crash in between leaves older logs that are to be replayed as well; of a log that the snapshot reaches
 * into, the changes that it holds already are skipped.
 * @throws UnreadableStoreError that names the file and the remedy.
 */
export async function loadState(
  directory: string,
  log: ChangeLog,
  onNote: (note: string) => void,
): Promise<FileStoreState> {
  const path = join(directory, FILE_NAME);
  await removeAbandonedFiles(path);
  const snapshot = await readSnapshot(path);
  const base = snapshot?.head ?? null;
  const baseRevision = base?.revision ?? 0;
  await log.open(onNote);
  const changes = [...(await readRotatedAfter(directory, baseRevision, log)), ...log.changes];
  checkContinuation(log.path, base, changes);
  const entries = snapshot?.entries ?? new EntryTable();
  for (const change of changes) {
    if (change.revision <= baseRevision) continue;
    for (const operation of change.operations) entries.apply(operation);
  }
  const last = changes.at(-1);
  return { head: last !== undefined && last.revision > baseRevision ? headOf(last) : base, entries };
}

/**
 * Writes the snapshot as one step, in slices.
 * @throws Error that says what could not be written, or that the lock is lost: whoever has the directory now
 *   may have a newer snapshot, which must stay.
 */
export async function saveSnapshot(
  directory: string,
  lock: Pick<DirectoryLock, 'verify'>,
  head: Head,
  entries: EntryCopy,
): Promise<void> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield* chunksOf(checksummedPieces(FORMAT, contentPieces(head, entries)));
    yield Buffer.from('\n');
    await lock.verify();
  }
  await writeFileAtomically(join(directory, FILE_NAME), chunks());
}

function* contentPieces(head: Head, entries: EntryCopy): Generator<string> {
  yield `{"head":${JSON.stringify(head)},"document":`;
  yield* entries.documentPieces();
  yield '}';
}

export function headOf({ revision, id, parent, at }: Head): Head {
  return { revision, id, parent, at };
}

interface Snapshot {
  readonly head: Head;
  readonly entries: EntryTable;
}

async function readSnapshot(path: string): Promise<Snapshot | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return null;
    throw fileError('read', path, error);
  }
  try {
    const content = decodeChecksummed(FORMAT, text);
    if (!isRecord(content) || !isHead(content.head) || !isRecord(content.document)) {
      throw new DamagedTextError('it has no valid head or document');
    }
    return { head: content.head, entries: EntryTable.fromDocument(content.document) };
  } catch (error) {
    if (error instanceof DamagedTextError || error instanceof RangeError)
      throw unreadable(path, error.message);
    throw error;
  }
}

async function readRotatedAfter(
  directory: string,
  revision: number,
  log: ChangeLog,
): Promise<LoggedChange[]> {
  const changes: LoggedChange[] = [];
  for (const lastRevision of await log.listRotated()) {
    if (lastRevision <= revision) continue;
    for (const change of await log.readRotated(lastRevision)) changes.push(change);
    if (changes.at(-1)?.revision !== lastRevision) {
      const path = join(directory, `changes.${lastRevision}.log`);
      throw unreadable(path, `it does not end with revision ${lastRevision}`);
    }
  }
  return changes;
}

/** The changes must lead on from the snapshot: from its head, or through it where it is newer; unbroken. */
function checkContinuation(path: string, base: Head | null, changes: readonly LoggedChange[]): void {
  const first = changes[0];
  if (first === undefined) return;
  if (base === null && first.parent !== null) {
    throw unreadable(
      path,
      `it begins with revision ${first.revision}, but the snapshot before it is missing`,
    );
  }
  const same = changes.find((change) => change.revision === base?.revision);
  const continues = same === undefined ? base === null || follows(first, base) : same.id === base?.id;
  if (!continues) {
    throw unreadable(path, `its changes do not lead on from revision ${base?.revision} of ${FILE_NAME}`);
  }
  changes.reduce((previous, change) => {
    if (change !== previous && !follows(change, previous)) {
      throw unreadable(
        path,
        `the changes between revisions ${previous.revision} and ${change.revision} are missing`,
      );
    }
    return change;
  });
}

function unreadable(path: string, reason: string): UnreadableStoreError {
  const message = `${path}: ${reason}`;
  const hint = 'restore the state directory from a backup, or move its files away to start empty';
  return new UnreadableStoreError(`${message} (${hint})`, [{ pointer: '', message, hint }]);
}
