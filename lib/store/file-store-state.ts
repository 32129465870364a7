/** What the file store has in its directory: reading the snapshot, and the log over it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Head } from '../core/config/change.ts';
import { type ChangeLog, follows } from './change-log.ts';
import { DamagedTextError, decodeChecksummed, encodeChecksummed } from './checksummed-json.ts';
import { type LoggedChange, UnreadableStoreError } from './config-store.ts';
import { EntryTable } from './entry-table.ts';
import { errorCodeOf, fileError } from './file-error.ts';
import { isHead, isRecord } from './stored-shape.ts';
import { removeAbandonedFiles, writeFileAtomically } from './write-file-atomically.ts';

const FORMAT = 'fengling-gateway/snapshot/1';
const FILE_NAME = 'configuration.json';

export interface FileStoreState {
  /** Null while nothing was ever published. */
  readonly head: Head | null;
  readonly entries: EntryTable;
  /** The changes in the current log, oldest first; `head` is the last of them where there is one. */
  readonly changes: LoggedChange[];
}

/**
 * Reads the snapshot and replays the log over it. A crash between writing a snapshot and rotating the
 * log leaves changes in the log that the snapshot holds already: they are skipped.
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
  const changes = await log.open(onNote);
  if (snapshot === null) {
    const rotated = await log.listRotated();
    if (rotated.length > 0)
      throw unreadable(path, `it is missing, but the changes up to ${rotated.at(-1)} are there`);
  }
  const entries = snapshot?.entries ?? new EntryTable();
  const baseRevision = snapshot?.head.revision ?? 0;
  checkContinuation(log.path, snapshot?.head ?? null, changes);
  for (const change of changes) {
    if (change.revision > baseRevision) entries.apply(change.operations);
  }
  const last = changes.at(-1);
  const head = last !== undefined && last.revision > baseRevision ? headOf(last) : (snapshot?.head ?? null);
  return { head, entries, changes };
}

/** Writes the snapshot as one step. */
export async function saveSnapshot(directory: string, head: Head, entries: EntryTable): Promise<void> {
  const content = encodeChecksummed(FORMAT, { head, document: entries.toDocument() });
  await writeFileAtomically(join(directory, FILE_NAME), `${content}\n`);
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

/** The log must lead on from the snapshot: from its head, or through it where the snapshot is newer. */
function checkContinuation(path: string, base: Head | null, changes: readonly LoggedChange[]): void {
  const first = changes[0];
  if (first === undefined) return;
  if (base === null) {
    if (first.revision !== 1 || first.parent !== null) {
      throw unreadable(
        path,
        `it begins with revision ${first.revision}, but the snapshot before it is missing`,
      );
    }
    return;
  }
  const same = changes.find((change) => change.revision === base.revision);
  const continues = same === undefined ? follows(first, base) : same.id === base.id;
  // A log that ends before the snapshot cannot arise: rotation comes directly after the snapshot.
  if (!continues) {
    throw unreadable(path, `its changes do not lead on from revision ${base.revision} of ${FILE_NAME}`);
  }
}

function unreadable(path: string, reason: string): UnreadableStoreError {
  const message = `${path}: ${reason}`;
  const hint = 'restore the state directory from a backup, or move its files away to start empty';
  return new UnreadableStoreError(`${message} (${hint})`, [{ pointer: '', message, hint }]);
}
