import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

const POLL_INTERVAL_MS = 1_000;
const SETTLE_MS = 25;
/** A writer that truncates first leaves an empty file for a moment: believe in one only after a second. */
const EMPTY_SETTLE_ROUNDS = 40;
/** A file that never stops changing is looked at after two seconds all the same. */
const MAX_SETTLE_ROUNDS = 80;

const MISSING = 'missing';

/**
 * Tells when a file has changed or gone and has come to rest. It watches the directory, not the file, so that it
 * survives editors that rename a new file over the old one and the symbolic links that Kubernetes swaps;
 * a look every second covers what the directory does not show (a link into another directory, network
 * file systems, a directory that was replaced). It keeps no process alive.
 */
export class FileWatcher {
  readonly #path: string;
  readonly #onSettled: () => void;
  readonly #pollTimer: NodeJS.Timeout;
  #directoryWatcher: FSWatcher | null = null;
  #settleTimer: NodeJS.Timeout | null = null;
  #closed = false;
  /** What the file looked like when it was last reported. */
  #reported = '';
  /** What it looked like a round ago, and for how many rounds it has looked so. */
  #latest = '';
  #calmRounds = 0;
  #rounds = 0;

  /** `onSettled` is called once for what is there at the start, if only nothing, and after each change. */
  constructor(path: string, onSettled: () => void) {
    this.#path = path;
    this.#onSettled = onSettled;
    this.#pollTimer = setInterval(() => this.#poll(), POLL_INTERVAL_MS).unref();
    this.#poll();
  }

  /** The file is reported once more, changed or not. */
  forget(): void {
    this.#reported = '';
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#pollTimer);
    if (this.#settleTimer !== null) clearTimeout(this.#settleTimer);
    this.#directoryWatcher?.close();
  }

  #poll(): void {
    if (this.#directoryWatcher === null) this.#watchDirectory();
    this.#lookSoon();
  }

  #watchDirectory(): void {
    try {
      const watcher = watch(dirname(this.#path), { persistent: false }, () => this.#lookSoon());
      watcher.on('error', () => this.#stopWatchingDirectory());
      this.#directoryWatcher = watcher;
    } catch {
      // The directory is missing, or the system has no watch left: polling does, and tries this again.
    }
  }

  #stopWatchingDirectory(): void {
    this.#directoryWatcher?.close();
    this.#directoryWatcher = null;
  }

  #lookSoon(): void {
    if (this.#closed || this.#settleTimer !== null) return;
    this.#settleTimer = setTimeout(() => {
      this.#settleTimer = null;
      void this.#look();
    }, SETTLE_MS).unref();
  }

  async #look(): Promise<void> {
    const { signature, empty } = await describeFile(this.#path);
    if (this.#closed) return;
    this.#calmRounds = signature === this.#latest ? this.#calmRounds + 1 : 0;
    this.#latest = signature;
    this.#rounds += 1;
    if (signature === this.#reported) {
      this.#rounds = 0;
    } else if (this.#calmRounds < (empty ? EMPTY_SETTLE_ROUNDS : 1) && this.#rounds < MAX_SETTLE_ROUNDS) {
      this.#lookSoon();
    } else {
      this.#rounds = 0;
      this.#reported = signature;
      this.#onSettled();
    }
  }
}

interface FileDescription {
  readonly signature: string;
  readonly empty: boolean;
}

async function describeFile(path: string): Promise<FileDescription> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return { signature: `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`, empty: size === 0n };
  } catch {
    return { signature: MISSING, empty: false };
  }
}
