import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DamagedTextError, decodeChecksummed, encodeChecksummed } from './checksummed-json.ts';
import { errorCodeOf, fileError } from './file-error.ts';
import { isRecord } from './stored-shape.ts';
import { removeAbandonedFiles, writeFileAtomically } from './write-file-atomically.ts';

const FORMAT = 'fengling-gateway/instances/1';
const FILE_NAME = 'instances.json';

/** Keeps how many instances there are, for a start while nobody can be asked. */
export class InstanceCountFile {
  readonly path: string;
  readonly #onProblem: (problem: string) => void;
  #count = 1;
  #saved = 1;
  #writing: Promise<void> | null = null;

  /** @param onProblem told why the file cannot be read or written; everything else goes on */
  constructor(stateDirectory: string, onProblem: (problem: string) => void) {
    this.path = join(stateDirectory, FILE_NAME);
    this.#onProblem = onProblem;
  }

  /** How many instances there were, this one included; 1 where the file does not tell. */
  async load(): Promise<number> {
    await removeAbandonedFiles(this.path);
    try {
      this.#count = decodeCount(await readFile(this.path, 'utf8'));
      this.#saved = this.#count;
    } catch (error) {
      if (error instanceof DamagedTextError) this.#onProblem(`${this.path}: ${error.message}`);
      else if (errorCodeOf(error) !== 'ENOENT') this.#onProblem(fileError('read', this.path, error).message);
    }
    return this.#count;
  }

  /** Keeps another count. Of those that come while one is written only the last is. */
  save(count: number): void {
    this.#count = count;
    if (this.#writing === null && count !== this.#saved) this.#writing = this.#write();
  }

  /** Resolves when nothing is left to be written. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    try {
      while (this.#saved !== this.#count) {
        const count = this.#count;
        await writeFileAtomically(this.path, `${encodeChecksummed(FORMAT, { instances: count })}\n`);
        this.#saved = count;
      }
    } catch (error) {
      this.#onProblem((error as Error).message);
    }
    this.#writing = null;
  }
}

function decodeCount(text: string): number {
  const content = decodeChecksummed(FORMAT, text);
  if (!isRecord(content) || !Number.isSafeInteger(content.instances) || (content.instances as number) < 1) {
    throw new DamagedTextError('it has no number of instances');
  }
  return content.instances as number;
}
