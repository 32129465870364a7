import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { fileError } from '../../store/file-error.ts';
import { withinLimit } from '../../store/time-limit.ts';

/** Keys, secrets and certificates with their chains are a few kilobytes. */
const MAX_BYTES = 1_048_576;
/** Less than workers wait for a first word. A file system in the network may never answer. */
const LIMIT_MS = 1_500;

const decoder = new TextDecoder('utf-8', { fatal: true });

interface FileStats {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  isFile(): boolean;
}

/** A file that holds a material, read as a whole. Symbolic links are followed each time, as Kubernetes swaps them. */
export class MaterialFile {
  readonly name: string;
  readonly #path: string;
  /** The newest content that could be read; null where there was none yet. */
  content: string | null = null;
  /** What the file looked like when it was read, and when it was last looked at. */
  readAs = '';
  seenAs = '';
  /** While the file system has not answered, it is not asked again: every question takes a thread. */
  #isAsked = false;

  constructor(name: string, path: string) {
    this.name = name;
    this.#path = path;
  }

  /** What the file looks like: it differs after each change. Never rejects. */
  async look(): Promise<string> {
    try {
      return await this.#ask(async () => signatureOf(await stat(this.#path, { bigint: true })));
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** Reads the file into `content`, which stays as it is where that fails. Returns what is wrong, null where nothing is. */
  async read(): Promise<string | null> {
    this.readAs = '';
    try {
      const { text, signature } = await this.#ask(() => readText(this.#path));
      this.content = text;
      this.readAs = signature;
      this.seenAs = signature;
      return null;
    } catch (error) {
      return fileError('read', this.#path, error).message;
    }
  }

  #ask<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isAsked) throw new Error('the file system does not answer');
    this.#isAsked = true;
    const answer = work().finally(() => {
      this.#isAsked = false;
    });
    return withinLimit(answer, LIMIT_MS);
  }
}

async function readText(path: string): Promise<{ text: string; signature: string }> {
  // Opening a named pipe would wait for a writer otherwise.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat({ bigint: true });
    checkStats(stats);
    const bytes = Buffer.alloc(Number(stats.size) + 1);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    const signature = signatureOf(stats);
    const isWhole = bytesRead === Number(stats.size);
    if (!isWhole || signature !== signatureOf(await handle.stat({ bigint: true })))
      throw new Error('it is being written');
    return { text: decodeText(bytes.subarray(0, bytesRead)), signature };
  } finally {
    await handle.close();
  }
}

function checkStats(stats: FileStats): void {
  if (!stats.isFile()) throw new Error('it is not a file');
  if (stats.size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`);
}

function decodeText(bytes: Uint8Array): string {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    throw new Error('it is not text in UTF-8: encode it, as in PEM or base64');
  }
  if (text.trim() === '') throw new Error('it is empty');
  return text;
}

function signatureOf({ dev, ino, size, mtimeNs, ctimeNs }: FileStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}
