/** Fetched keys, kept for a start at which they cannot be fetched. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DamagedTextError, decodeChecksummed, encodeChecksummed } from '../../store/checksummed-json.ts';
import { errorCodeOf, fileError } from '../../store/file-error.ts';
import { isRecord } from '../../store/stored-shape.ts';
import { removeAbandonedFiles, writeFileAtomically } from '../../store/write-file-atomically.ts';

const FORMAT = 'fengling-gateway/jwks/1';

export interface SavedKeys {
  /** The JWK Set. */
  readonly text: string;
  /** When it was fetched, in ms of the wall clock: no other clock outlives the process. */
  readonly fetchedAtMs: number;
  readonly lifetimeMs: number;
}

/** The file that keeps the keys of one URL. What is asked of it is done in the order of asking. */
export class KeySetFile {
  readonly path: string;
  readonly #directory: string;
  readonly #url: string;
  #last: Promise<void> = Promise.resolve();

  constructor(directory: string, url: string) {
    this.#directory = directory;
    this.#url = url;
    this.path = join(directory, fileNameOf(url));
  }

  /** @returns null where there are none. @throws Error that names the file, and says why it cannot be used */
  async load(): Promise<SavedKeys | null> {
    try {
      await removeAbandonedFiles(this.path);
      const saved = decodeSaved(await readFile(this.path, 'utf8'));
      if (saved.url !== this.#url) throw new DamagedTextError('it holds the keys of another URL');
      return saved;
    } catch (error) {
      if (errorCodeOf(error) === 'ENOENT') return null;
      throw fileError('use', this.path, error);
    }
  }

  /** @throws Error that names the file and the reason */
  save({ text, fetchedAtMs, lifetimeMs }: SavedKeys): Promise<void> {
    const content = { url: this.#url, fetchedAtMs, lifetimeMs, keys: text };
    return this.#inTurn(async () => {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      await writeFileAtomically(this.path, `${encodeChecksummed(FORMAT, content)}\n`);
    });
  }

  /** Never rejects: keys that nobody names any more are only untidy. */
  remove(): Promise<void> {
    return this.#inTurn(() => rm(this.path, { force: true })).catch(() => {});
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}

/** Removes the files of all other URLs than these: what was named when the gateway ran last. Never rejects. */
export async function removeOtherKeySets(directory: string, urls: Iterable<string>): Promise<void> {
  const wanted = new Set([...urls].map(fileNameOf));
  const names = await readdir(directory).catch(() => []);
  for (const name of names) {
    if (!/^[0-9a-f]{32}\.json$/.test(name) || wanted.has(name)) continue;
    await rm(join(directory, basename(name)), { force: true }).catch(() => {});
  }
}

function fileNameOf(url: string): string {
  return `${createHash('sha256').update(url).digest('hex').slice(0, 32)}.json`;
}

function decodeSaved(text: string): SavedKeys & { readonly url: string } {
  const content = decodeChecksummed(FORMAT, text);
  if (!isRecord(content)) throw new DamagedTextError('it holds no keys');
  const { url, fetchedAtMs, lifetimeMs, keys } = content;
  if (typeof url !== 'string' || typeof keys !== 'string' || !isTime(fetchedAtMs) || !isTime(lifetimeMs)) {
    throw new DamagedTextError('it holds no keys');
  }
  return { url, text: keys, fetchedAtMs, lifetimeMs };
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
