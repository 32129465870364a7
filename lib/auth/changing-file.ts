import { readFile, stat } from 'node:fs/promises';
import { errorCodeOf, fileError } from '../store/file-error.ts';

/** Files of tokens and keys are a few kilobytes. */
const MAX_BYTES = 1_048_576;
/** A change is seen this long after it at the latest, by the next one who asks. */
const CHECK_INTERVAL_MS = 200;

/**
 * The parsed content of a file that others replace while it is in use. It is read again where the file is
 * another one than before, which is looked at when somebody asks, at most every 200 ms.
 *
 * Where the file can no longer be read or parsed, the last good content stays in use and the problem is
 * reported once: what was known goes on working, and what is not in it stays unknown. Who breaks the file
 * by accident must not lock everybody out, and what nobody can read can let nobody in.
 */
export class ChangingFile<T> {
  readonly #path: string;
  readonly #parse: (text: string | null) => T;
  readonly #onProblem: (message: string) => void;
  #content: T;
  /** Of the file that the content was read from. */
  #fingerprint: string;
  #checkedAtMs = Number.NEGATIVE_INFINITY;
  #urgentlyCheckedAtMs = Number.NEGATIVE_INFINITY;
  #check: Promise<void> | null = null;
  #problem: string | null = null;

  private constructor(
    path: string,
    parse: (text: string | null) => T,
    onProblem: (message: string) => void,
    first: { content: T; fingerprint: string },
  ) {
    this.#path = path;
    this.#parse = parse;
    this.#onProblem = onProblem;
    this.#content = first.content;
    this.#fingerprint = first.fingerprint;
  }

  /**
   * `parse` takes the text of the file, null where there is no file, and throws where it is damaged;
   * `onProblem` hears later why the file cannot be used any more.
   * @throws Error that names the file and what is wrong with it now
   */
  static async open<T>(
    path: string,
    parse: (text: string | null) => T,
    onProblem: (message: string) => void,
  ): Promise<ChangingFile<T>> {
    const fingerprint = await fingerprintOf(path);
    const content = await readContent(path, parse, fingerprint);
    return new ChangingFile(path, parse, onProblem, { content, fingerprint });
  }

  /** The content, no older than 200 ms. Never throws. */
  async current(nowMs: number): Promise<T> {
    if (isDue(this.#checkedAtMs, nowMs)) {
      this.#checkedAtMs = nowMs;
      this.#startCheck();
    }
    await this.#check;
    return this.#content;
  }

  /**
   * The content as it is now, for what `current` does not hold: it may have been added a moment ago. At
   * most five times a second, as anybody can ask for what there is none of.
   */
  async latest(nowMs: number): Promise<T> {
    if (isDue(this.#urgentlyCheckedAtMs, nowMs)) {
      this.#urgentlyCheckedAtMs = nowMs;
      this.#startCheck();
    }
    await this.#check;
    return this.#content;
  }

  /** Whoever asks while a check is under way waits for that one. */
  #startCheck(): void {
    this.#check ??= this.#readIfChanged().finally(() => {
      this.#check = null;
    });
  }

  async #readIfChanged(): Promise<void> {
    try {
      const fingerprint = await fingerprintOf(this.#path);
      if (fingerprint !== this.#fingerprint) {
        this.#content = await readContent(this.#path, this.#parse, fingerprint);
        this.#fingerprint = fingerprint;
      }
      this.#problem = null;
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#problem) this.#onProblem(message);
      this.#problem = message;
    }
  }
}

/** A clock that was set back makes a check due as well. */
function isDue(lastMs: number, nowMs: number): boolean {
  return nowMs < lastMs || nowMs - lastMs >= CHECK_INTERVAL_MS;
}

const MISSING = 'missing';

/** Differs where the file was written or replaced; taken before reading, so that no change goes unseen. */
async function fingerprintOf(path: string): Promise<string> {
  try {
    const stats = await stat(path, { bigint: true });
    if (!stats.isFile()) throw new Error('it is not a file');
    if (stats.size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`);
    return [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(' ');
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return MISSING;
    throw fileError('read', path, error);
  }
}

async function readContent<T>(
  path: string,
  parse: (text: string | null) => T,
  fingerprint: string,
): Promise<T> {
  const text = fingerprint === MISSING ? null : await readText(path);
  try {
    return parse(text);
  } catch (error) {
    throw fileError('use', path, error);
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw fileError('read', path, error);
  }
}
