import { randomUUID } from 'node:crypto';
import { open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileError } from './file-error.ts';

/** No write takes this long: an older temporary file belongs to a process that died. */
const ABANDONED_AFTER_MS = 3_600_000;

/** What a file is to hold: at once, or in chunks, which are written as they come. */
export type FileContent = string | Uint8Array | AsyncIterable<Uint8Array>;

/**
 * Replaces the content of `path` as one step: whoever reads the file, also after a crash or a loss of
 * power, finds the old content or the new, never a mixture. Where `path` is a symbolic link, the link is
 * replaced. Chunks are asked for one at a time, and the event loop turns while each is written.
 * @throws Error that names the file and the reason; the old content is then untouched, unless only the
 *   last step (making the new name durable) failed.
 */
export async function writeFileAtomically(path: string, data: FileContent, mode = 0o600): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeDurably(temporary, data, mode);
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw fileError('write', path, error);
  }
}

/** Makes new, renamed and removed names in a directory survive a loss of power. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes what writers of `path` left beside it when they died. Never throws: it is only tidying. */
export async function removeAbandonedFiles(path: string): Promise<void> {
  const names = await readdir(dirname(path)).catch(() => []);
  const prefix = `${basename(path)}.`;
  for (const name of names) {
    if (!name.startsWith(prefix) || !name.endsWith('.tmp')) continue;
    const abandoned = join(dirname(path), name);
    const modifiedAtMs = await stat(abandoned).then(
      (stats) => stats.mtimeMs,
      () => Number.POSITIVE_INFINITY,
    );
    if (Date.now() - modifiedAtMs > ABANDONED_AFTER_MS) await rm(abandoned, { force: true }).catch(() => {});
  }
}

async function writeDurably(path: string, data: FileContent, mode: number): Promise<void> {
  const handle = await open(path, 'wx', mode);
  try {
    await writeFile(handle, data);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
