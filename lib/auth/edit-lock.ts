import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { errorCodeOf, fileError } from '../store/file-error.ts';

const POLL_INTERVAL_MS = 20;
const PATIENCE_MS = 15_000;
/** An edit takes milliseconds. */
const ABANDONED_AFTER_MS = 5_000;

/** @throws Error where the lock was taken over in the meantime, as this process stood still for too long */
type VerifyLock = () => Promise<void>;

/**
 * Runs an edit of `path` while no other process runs one: a file beside it, named `….lock`, is the lock.
 * The edit calls `verify` right before it writes. A lock that is seen unchanged for `abandonedAfterMs`
 * belongs to a process that died, and is taken over.
 * @throws Error where the lock cannot be had within 15 s; and whatever the edit throws
 */
export async function editExclusively<T>(
  path: string,
  edit: (verify: VerifyLock) => Promise<T>,
  abandonedAfterMs = ABANDONED_AFTER_MS,
): Promise<T> {
  const lockPath = `${path}.lock`;
  const mark = randomUUID();
  await acquire(lockPath, mark, abandonedAfterMs);
  const isOurs = async () => (await readMark(lockPath)) === mark;
  try {
    return await edit(async () => {
      if (!(await isOurs()))
        throw new Error(`the lock ${lockPath} was taken over by another process: try again`);
    });
  } finally {
    if (await isOurs()) await rm(lockPath, { force: true }).catch(() => {});
  }
}

async function acquire(path: string, mark: string, abandonedAfterMs: number): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  let seenMark: string | null = null;
  let seenSince = 0;
  while (!(await tryCreate(path, mark))) {
    const holder = await readMark(path);
    if (holder !== seenMark) {
      seenMark = holder;
      seenSince = performance.now();
    }
    if (holder !== null && performance.now() - seenSince > abandonedAfterMs) {
      await removeAbandoned(path, holder);
    } else if (performance.now() > deadline) {
      throw new Error(
        `${path} is held by another process: try again, or remove it if nothing else is running`,
      );
    } else {
      await delay(POLL_INTERVAL_MS);
    }
  }
}

async function tryCreate(path: string, mark: string): Promise<boolean> {
  try {
    await writeFile(path, mark, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (errorCodeOf(error) === 'EEXIST') return false;
    throw fileError('create the lock', path, error);
  }
}

function readMark(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null);
}

/** Renames first and looks again: a slower process must not remove the lock that a quicker one has just taken. */
async function removeAbandoned(path: string, mark: string): Promise<void> {
  const aside = `${path}.${randomUUID()}.tmp`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return;
    throw fileError('take over the lock', path, error);
  }
  if ((await readMark(aside)) !== mark) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}
