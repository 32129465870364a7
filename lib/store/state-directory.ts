import { randomUUID } from 'node:crypto';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { errorCodeOf, fileError } from './file-error.ts';

/**
 * Makes sure that the state directory is there (created with mode 0700) and can be written to. Returns
 * its absolute path.
 * @throws Error that names the directory and what is wrong with it.
 */
export async function openStateDirectory(path: string): Promise<string> {
  const directory = resolve(path);
  await createDirectory(directory);
  await checkWritable(directory);
  return directory;
}

async function createDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (errorCodeOf(error) !== 'EEXIST') throw fileError('create the state directory', directory, error);
  }
  const stats = await stat(directory);
  if (!stats.isDirectory()) {
    throw new Error(`the state directory ${directory} is a file: move it away, or name another directory`);
  }
}

/** Tries it: permission bits alone don't tell (root, read-only mounts, quotas). */
async function checkWritable(directory: string): Promise<void> {
  const probe = join(directory, `.probe-${randomUUID()}`);
  try {
    await writeFile(probe, 'probe', { flag: 'wx', mode: 0o600 });
  } catch (error) {
    throw fileError('write to the state directory', directory, error);
  } finally {
    await rm(probe, { force: true }).catch(() => {});
  }
}
