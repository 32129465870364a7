/** One file of the change log: a checksummed line of JSON for each change. */
import { readFile } from 'node:fs/promises';
import { Breather } from './breather.ts';
import { checksummedPieces, DamagedTextError, decodeChecksummed } from './checksummed-json.ts';
import { type LoggedChange, UnreadableStoreError } from './config-store.ts';
import { findOperationProblems } from './entry-table.ts';
import { errorCodeOf, fileError } from './file-error.ts';
import { jsonPieces } from './json-pieces.ts';
import { isHead, isRecord } from './stored-shape.ts';

const FORMAT = 'fengling-gateway/change/2';

const LINE_FEED = 0x0a;

export interface ChangeLogContent {
  readonly changes: LoggedChange[];
  readonly lengthBytes: number;
  /** The length of a last line that was not written to its end. */
  readonly tornBytes: number;
}

/** The line of a change, its line feed included. */
export function* changeLinePieces(change: LoggedChange): Generator<string> {
  yield* checksummedPieces(FORMAT, jsonPieces(change, 2));
  yield '\n';
}

/**
 * Reads a log in slices; one that is missing is empty.
 * @throws UnreadableStoreError that names the line where anything but the end of the last one is damaged
 */
export async function readChangeLogFile(path: string): Promise<ChangeLogContent> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return { changes: [], lengthBytes: 0, tornBytes: 0 };
    throw fileError('read', path, error);
  }
  const changes: LoggedChange[] = [];
  const breather = new Breather();
  let lineStart = 0;
  while (lineStart < bytes.length) {
    const lineEnd = bytes.indexOf(LINE_FEED, lineStart);
    const line = bytes.subarray(lineStart, lineEnd === -1 ? bytes.length : lineEnd);
    if (isTorn(line, lineEnd, bytes.length)) break;
    changes.push(decodeChange(line.toString('utf8'), path, changes));
    lineStart = lineEnd + 1;
    if (breather.isDue) await breather.breathe();
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
    findOperationProblems(value.operations).length === 0 &&
    findOperationProblems(value.undo).length === 0
  );
}

/** True where `change` is the one made directly on `previous`. Revisions may leap, over a floor. */
export function follows(
  change: { readonly revision: number; readonly parent: string | null },
  previous: { readonly revision: number; readonly id: string },
): boolean {
  return change.revision > previous.revision && change.parent === previous.id;
}
