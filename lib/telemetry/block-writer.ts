/** Writes lines on standard output in blocks: a call of the system for each would cost as much as the line. */
import { fstatSync } from 'node:fs';
import pino from 'pino';

/** What several processes write into one pipe stays apart up to this (POSIX: PIPE_BUF). */
const LONGEST_WRITE_BYTES = 4_096;
/** Into one file they write one after the other. */
const LONGEST_WRITE_TO_FILE_BYTES = 65_536;
/** A line is out after this. */
const FLUSH_MS = 20;

/**
 * Each block goes out within a time limit, so that a process that is killed loses its last few lines. pino's own blocks
 * would be synchronised with the disk whenever they are written ahead of being full.
 */
export class BlockWriter {
  readonly #destination = pino.destination({ dest: 1, sync: true });
  readonly #longestBytes = isFile(1) ? LONGEST_WRITE_TO_FILE_BYTES : LONGEST_WRITE_BYTES;
  #block = '';
  #blockBytes = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor() {
    process.on('exit', () => this.#flush());
  }

  /** @param line with its end */
  write(line: string): void {
    const lineBytes = Buffer.byteLength(line);
    if (this.#blockBytes + lineBytes > this.#longestBytes) this.#flush();
    this.#block += line;
    this.#blockBytes += lineBytes;
    this.#timer ??= setTimeout(() => this.#endWait(), FLUSH_MS).unref();
  }

  #endWait(): void {
    this.#timer = null;
    this.#flush();
  }

  #flush(): void {
    if (this.#blockBytes === 0) return;
    this.#destination.write(this.#block);
    this.#block = '';
    this.#blockBytes = 0;
  }
}

function isFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    // It is closed: what is written to it fails then.
    return false;
  }
}
