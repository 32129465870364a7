import { MaterialFile } from './material-file.ts';
import {
  addressOf,
  type MaterialReading,
  type MaterialSource,
  type TakeReadings,
} from './material-source.ts';

const POLL_INTERVAL_MS = 2_000;
/** Files are looked at for a tenth of the time at most, however many there are. */
const POLL_PAUSE_FACTOR = 10;
/** Files that change are read when none has changed for so long: a certificate and its key are written one after the other. */
const SETTLE_MS = 200;
/** Where some file never comes to rest, the others are not kept waiting for longer than two seconds. */
const MAX_SETTLE_ROUNDS = 10;
const FILES_AT_ONCE = 32;

/**
 * Materials that are files, read at once and again whenever they change. A file that cannot be read any more,
 * or is empty, has the content that it had. All files that changed together are told together.
 */
export class FileMaterials implements MaterialSource {
  readonly #take: TakeReadings;
  readonly #pollIntervalMs: number;
  readonly #files = new Map<string, MaterialFile>();
  #timer: NodeJS.Timeout | null = null;
  #settleRounds = 0;
  #closed = false;

  /** @param pollIntervalMs how often the files are looked at */
  constructor(take: TakeReadings, pollIntervalMs = POLL_INTERVAL_MS) {
    this.#take = take;
    this.#pollIntervalMs = pollIntervalMs;
  }

  add(names: readonly string[]): void {
    const files = names.map((name) => new MaterialFile(name, addressOf(name)));
    for (const file of files) this.#files.set(file.name, file);
    void this.#readFirst(files);
    if (this.#timer === null && files.length > 0) this.#lookAfter(this.#pollIntervalMs);
  }

  remove(name: string): void {
    this.#files.delete(name);
  }

  /** There is nothing to ask: changes are seen by themselves. */
  async refresh(): Promise<boolean> {
    return false;
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async #readFirst(files: readonly MaterialFile[]): Promise<void> {
    for (const some of chunksOf(files)) this.#tell(await Promise.all(some.map(readingOf)));
  }

  #lookAfter(delayMs: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#look(), delayMs).unref();
  }

  async #look(): Promise<void> {
    const beganAtMs = performance.now();
    const { changed, isCalm } = await this.#findChanged();
    if (!isCalm && this.#settleRounds < MAX_SETTLE_ROUNDS) {
      this.#settleRounds += 1;
      this.#lookAfter(SETTLE_MS);
      return;
    }
    this.#settleRounds = 0;
    const readings: MaterialReading[] = [];
    for (const some of chunksOf(changed)) readings.push(...(await Promise.all(some.map(readingOf))));
    this.#tell(readings);
    const tookMs = performance.now() - beganAtMs;
    this.#lookAfter(Math.max(this.#pollIntervalMs, tookMs * POLL_PAUSE_FACTOR));
  }

  /** The files that look other than when they were read, and whether they all look as they did a moment ago. */
  async #findChanged(): Promise<{ changed: readonly MaterialFile[]; isCalm: boolean }> {
    const changed: MaterialFile[] = [];
    let isCalm = true;
    const look = async (file: MaterialFile): Promise<void> => {
      const signature = await file.look();
      if (signature === file.readAs) return;
      changed.push(file);
      if (signature !== file.seenAs) isCalm = false;
      file.seenAs = signature;
    };
    for (const some of chunksOf([...this.#files.values()])) await Promise.all(some.map(look));
    return { changed, isCalm };
  }

  #tell(readings: readonly MaterialReading[]): void {
    const wanted = readings.filter(({ name }) => this.#files.has(name));
    if (wanted.length > 0 && !this.#closed) this.#take(wanted);
  }
}

async function readingOf(file: MaterialFile): Promise<MaterialReading> {
  const problem = await file.read();
  return { name: file.name, value: file.content, problem };
}

function* chunksOf(files: readonly MaterialFile[]): Generator<readonly MaterialFile[]> {
  for (let start = 0; start < files.length; start += FILES_AT_ONCE) {
    yield files.slice(start, start + FILES_AT_ONCE);
  }
}
