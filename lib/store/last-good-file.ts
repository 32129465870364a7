import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Head } from '../core/config/change.ts';
import { documentSlices } from '../core/config/document.ts';
import type { Configuration } from '../core/config/model.ts';
import { checksummedPieces, DamagedTextError, decodeChecksummed } from './checksummed-json.ts';
import { errorCodeOf, fileError } from './file-error.ts';
import { isHead, isRecord } from './stored-shape.ts';
import { chunksOf } from './text-chunks.ts';
import { removeAbandonedFiles, writeFileAtomically } from './write-file-atomically.ts';

const FORMAT = 'fengling-gateway/last-good/1';
const FILE_NAME = 'last-good.json';
const DAMAGED_PREFIX = 'last-good.damaged-';
const KEPT_DAMAGED_FILES = 5;

interface Origin {
  /** The store that the configuration came from. */
  readonly source: string;
  readonly head: Head;
}

/** A configuration that is valid and in use. */
export interface LastGoodContent extends Origin {
  readonly configuration: Configuration;
}

/** One that was. */
export interface LastGood extends Origin {
  readonly document: unknown;
}

export type LoadedLastGood =
  | ({ readonly kind: 'loaded' } & LastGood)
  | { readonly kind: 'missing' }
  | {
      readonly kind: 'damaged';
      readonly reason: string;
      /** Where the damaged file is now; null where it could not be renamed. */
      readonly setAsideAs: string | null;
    };

interface PendingSave {
  content: LastGoodContent;
  readonly done: PromiseWithResolvers<void>;
}

/** The copy of the last good configuration that the gateway starts from when its store is out of reach. */
export class LastGoodFile {
  readonly path: string;
  readonly #directory: string;
  #pending: PendingSave | null = null;
  #writing = false;

  constructor(stateDirectory: string) {
    this.#directory = stateDirectory;
    this.path = join(stateDirectory, FILE_NAME);
  }

  /**
   * Resolves when this content, or one that was saved later, is on disk. It is written in slices, and copied
   * before the first of them: the entries may come and go afterwards. Saves that come faster than the disk
   * takes them are coalesced: only the newest waits, and is copied when its turn has come.
   * @throws Error that names the file and the reason; the file then holds what it held before.
   */
  save(content: LastGoodContent): Promise<void> {
    if (this.#pending === null) this.#pending = { content, done: Promise.withResolvers() };
    else this.#pending.content = content;
    const saved = this.#pending.done.promise;
    if (!this.#writing) void this.#writePending();
    return saved;
  }

  /**
   * Reads the file back. What is damaged is set aside under another name, never returned.
   * @throws Error where there is a file that cannot be read at all (permissions, a failing disk).
   */
  async load(): Promise<LoadedLastGood> {
    await removeAbandonedFiles(this.path);
    let text: string;
    try {
      text = await readFile(this.path, 'utf8');
    } catch (error) {
      if (errorCodeOf(error) === 'ENOENT') return { kind: 'missing' };
      throw fileError('read', this.path, error);
    }
    try {
      return { kind: 'loaded', ...decodeLastGood(text) };
    } catch (error) {
      if (!(error instanceof DamagedTextError)) throw error;
      return {
        kind: 'damaged',
        reason: `${this.path}: ${error.message}`,
        setAsideAs: await this.#setAside(),
      };
    }
  }

  async #writePending(): Promise<void> {
    this.#writing = true;
    while (this.#pending !== null) {
      const { content, done } = this.#pending;
      this.#pending = null;
      try {
        await writeFileAtomically(this.path, chunksOf(linePieces(content)));
        done.resolve();
      } catch (error) {
        done.reject(error);
      }
    }
    this.#writing = false;
  }

  async #setAside(): Promise<string | null> {
    const timestamp = new Date().toISOString().replaceAll(':', '');
    const target = join(this.#directory, `${DAMAGED_PREFIX}${timestamp}.json`);
    try {
      await rename(this.path, target);
      await this.#removeOldDamagedFiles();
      return target;
    } catch {
      return null;
    }
  }

  async #removeOldDamagedFiles(): Promise<void> {
    const names = (await readdir(this.#directory)).filter((name) => name.startsWith(DAMAGED_PREFIX));
    // The timestamps sort as text.
    for (const name of names.sort().slice(0, -KEPT_DAMAGED_FILES)) {
      await rm(join(this.#directory, name), { force: true });
    }
  }
}

/** The entries are copied at the call. */
function linePieces({ source, head, configuration }: LastGoodContent): Iterable<string> {
  return checksummedLine(source, head, documentSlices(configuration));
}

function* checksummedLine(source: string, head: Head, document: Iterable<string>): Generator<string> {
  yield* checksummedPieces(FORMAT, contentPieces(source, head, document));
  yield '\n';
}

function* contentPieces(source: string, head: Head, document: Iterable<string>): Generator<string> {
  yield `{"source":${JSON.stringify(source)},"head":${JSON.stringify(head)},"document":`;
  yield* document;
  yield '}';
}

function decodeLastGood(text: string): LastGood {
  const content = decodeChecksummed(FORMAT, text);
  if (!isRecord(content) || !isHead(content.head)) throw new DamagedTextError('it has no valid head');
  const { source, head, document } = content;
  if (typeof source !== 'string') throw new DamagedTextError('it does not say where it came from');
  return { source, head, document };
}
