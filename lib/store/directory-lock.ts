import { randomUUID } from 'node:crypto';
import { type FileHandle, link, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { errorCodeOf, fileError } from './file-error.ts';
import { isRecord } from './stored-shape.ts';

const FILE_NAME = 'store.lock';
const MAX_ATTEMPTS = 40;
const ATTEMPTS_FOR_UNWRITTEN_LOCK = 20;
const RETRY_AFTER_MS = 50;
const RENEW_INTERVAL_MS = 1_000;
const DEFAULT_PATIENCE_MS = 10_000;

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Tells the process from a later one with the same pid; null where the system does not say. */
  readonly startedAt: string | null;
  readonly token: string;
}

/** Tokens of the locks that this process holds, for systems without `/proc`. */
const heldTokens = new Set<string>();

/**
 * An exclusive lock on a directory: a file that names its owner. A lock whose owner is gone is taken
 * over. Whether a process of this host lives, the system tells (its start time too, as a restarted
 * container tends to get the same pid again); an owner on another host, or in another container,
 * must be seen renewing the lock.
 */
export class DirectoryLock {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #token: string;
  readonly #renewal: NodeJS.Timeout;

  private constructor(path: string, handle: FileHandle, token: string) {
    this.#path = path;
    this.#handle = handle;
    this.#token = token;
    heldTokens.add(token);
    this.#renewal = setInterval(() => void this.#renew(), RENEW_INTERVAL_MS).unref();
  }

  /**
   * Takes the lock. `patienceMs`: how long an owner on another host is given to renew its lock.
   * @throws Error that names the owner where the lock is held, or says why it cannot be written.
   */
  static async acquire(directory: string, patienceMs = DEFAULT_PATIENCE_MS): Promise<DirectoryLock> {
    const path = join(directory, FILE_NAME);
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const lock = await DirectoryLock.#create(path);
      if (lock !== null) return lock;
      const text = await readFile(path, 'utf8').catch(() => null);
      if (text === null) continue;
      const owner = parseOwner(text);
      if (owner === null && attempt <= ATTEMPTS_FOR_UNWRITTEN_LOCK) {
        // It may have been created a moment ago, and be about to be written.
        await delay(RETRY_AFTER_MS);
        continue;
      }
      if (owner !== null && (await isHeld(path, owner, patienceMs))) {
        throw new Error(describeOwner(directory, owner));
      }
      await removeStaleLock(path, text);
    }
    throw new Error(`cannot lock ${directory}: others keep taking and leaving ${FILE_NAME}; try again`);
  }

  static async #create(path: string): Promise<DirectoryLock | null> {
    let handle: FileHandle;
    try {
      handle = await open(path, 'wx', 0o600);
    } catch (error) {
      if (errorCodeOf(error) === 'EEXIST') return null;
      throw fileError('create the lock', path, error);
    }
    try {
      const token = randomUUID();
      const owner: Owner = {
        pid: process.pid,
        host: hostname(),
        startedAt: await readStartTime(process.pid),
        token,
      };
      await handle.writeFile(`${JSON.stringify(owner)}\n`);
      return new DirectoryLock(path, handle, token);
    } catch (error) {
      await handle.close();
      await rm(path, { force: true });
      throw fileError('write the lock', path, error);
    }
  }

  /** @throws Error where the lock was removed or taken over by somebody else in the meantime. */
  async verify(): Promise<void> {
    const ours = await this.#handle.stat();
    const current = await stat(this.#path).catch(() => null);
    if (current === null || current.ino !== ours.ino || current.dev !== ours.dev) {
      throw new Error(
        `the lock ${this.#path} is no longer held by this process: another gateway may use the directory; restart`,
      );
    }
  }

  async release(): Promise<void> {
    clearInterval(this.#renewal);
    const ours = await this.verify().then(
      () => true,
      () => false,
    );
    if (ours) await rm(this.#path, { force: true }).catch(() => {});
    heldTokens.delete(this.#token);
    await this.#handle.close();
  }

  async #renew(): Promise<void> {
    const now = new Date();
    await this.#handle.utimes(now, now).catch(() => {});
  }
}

async function isHeld(path: string, owner: Owner, patienceMs: number): Promise<boolean> {
  if (owner.host !== hostname()) return isRenewed(path, patienceMs);
  if (!isAlive(owner.pid)) return false;
  const startedAt = await readStartTime(owner.pid);
  if (startedAt !== null && owner.startedAt !== null) return startedAt === owner.startedAt;
  return owner.pid !== process.pid || heldTokens.has(owner.token);
}

/** Watches the lock instead of comparing its time with ours: clocks of two hosts differ. */
async function isRenewed(path: string, patienceMs: number): Promise<boolean> {
  const before = await stat(path).catch(() => null);
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline; ) {
    await delay(Math.min(RENEW_INTERVAL_MS, patienceMs));
    const now = await stat(path).catch(() => null);
    if (now === null) return false;
    if (before === null || now.ino !== before.ino || now.mtimeMs !== before.mtimeMs) return true;
  }
  return false;
}

/**
 * Two processes may find the same stale lock, and the slower one must not remove what the quicker one has
 * put in its place: so the file is renamed first, looked at again, and put back if it is another.
 */
async function removeStaleLock(path: string, staleText: string): Promise<void> {
  const aside = `${path}.${randomUUID()}.tmp`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return;
    throw fileError('take over the lock', path, error);
  }
  const text = await readFile(aside, 'utf8');
  if (text !== staleText) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCodeOf(error) === 'EPERM';
  }
}

/** When a process started, as Linux tells it: the boot, and field 22 of proc_pid_stat(5). */
async function readStartTime(pid: number): Promise<string | null> {
  try {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    const status = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the name of the command, in parentheses, and may hold spaces.
    const fieldsFromThird = status.slice(status.lastIndexOf(')') + 2).split(' ');
    return `${boot.trim()}/${fieldsFromThird[19]}`;
  } catch {
    return null;
  }
}

function parseOwner(text: string): Owner | null {
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value)) return null;
    const { pid, host, startedAt, token } = value;
    const complete = Number.isSafeInteger(pid) && typeof host === 'string' && typeof token === 'string';
    if (!complete || (startedAt !== null && typeof startedAt !== 'string')) return null;
    return { pid: pid as number, host, startedAt, token };
  } catch {
    return null;
  }
}

function describeOwner(directory: string, owner: Owner): string {
  const where = owner.host === hostname() ? '' : ` on ${owner.host}`;
  return `${directory} is in use by the gateway with process id ${owner.pid}${where}: stop it first, or use another state directory`;
}
