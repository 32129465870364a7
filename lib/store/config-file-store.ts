import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { formatProblem, type Problem } from '../core/config/problem.ts';
import { ConditionRecord } from './condition-record.ts';
import {
  type ConfigStore,
  type StoreCondition,
  type StoredConfiguration,
  type StoreListener,
  UnreadableStoreError,
} from './config-store.ts';
import { errorCodeOf, fileError } from './file-error.ts';
import { FileWatcher } from './file-watcher.ts';
import { type DocumentFormat, findSizeProblem, formatOf, parseDocument } from './parse-document.ts';
import { StoreListeners } from './store-listeners.ts';
import { describeLocation } from './text-location.ts';

const RETRY_READ_AFTER_MS = 25;
const MAX_READ_ATTEMPTS = 40;

/** A configuration file that people edit: the file is the configuration, the gateway only reads it. */
export class ConfigFileStore implements ConfigStore {
  readonly kind = 'config-file';
  readonly source: string;
  readonly writable = false;
  readonly #path: string;
  readonly #format: DocumentFormat;
  readonly #listeners = new StoreListeners();
  readonly #condition = new ConditionRecord((condition) => this.#listeners.tellCondition(condition));
  #watcher: FileWatcher | null = null;
  /** Stands for the content that was last read or hinted at. */
  #knownContent: string | null = null;

  /** `path` ends in `.json` for JSON; anything else is YAML. */
  constructor(path: string) {
    this.#path = resolve(path);
    this.source = `config-file:${this.#path}`;
    this.#format = formatOf(path);
  }

  /** Not reachable while the file cannot be read. What is wrong within it is not a matter of the store. */
  get condition(): StoreCondition {
    return this.#condition.current;
  }

  /** @throws UnreadableStoreError with every problem, also where the file is missing or unreadable. */
  async read(): Promise<StoredConfiguration> {
    const bytes = await this.#readBytesToUse();
    // A change may have been seen and hinted at while the older content was being read.
    this.#watcher?.forget();
    const { document, problems } = parseDocument(this.#decode(bytes), this.#format);
    if (problems.length > 0) throw this.#unreadable(problems);
    return { document };
  }

  /** Hints when the content, not just the file, is another than the one last read or hinted at. */
  watch(listener: StoreListener): void {
    this.#listeners.add(listener);
    this.#watcher ??= new FileWatcher(this.#path, () => void this.#compareContent());
  }

  async close(): Promise<void> {
    this.#watcher?.close();
    this.#listeners.clear();
  }

  async #compareContent(): Promise<void> {
    const content = await this.#describeContent();
    if (content === null || content === this.#knownContent) return;
    this.#knownContent = content;
    this.#listeners.tellHint();
  }

  async #describeContent(): Promise<string | null> {
    try {
      return hashOf(await this.#readBytes());
    } catch (error) {
      return describeFailure(error);
    }
  }

  async #readBytesToUse(): Promise<Buffer> {
    try {
      const bytes = await this.#readBytes();
      this.#knownContent = hashOf(bytes);
      return bytes;
    } catch (error) {
      this.#knownContent = describeFailure(error);
      throw error;
    }
  }

  async #readBytes(): Promise<Buffer> {
    try {
      const bytes = await this.#readWhileAtRest();
      this.#condition.note(true, null);
      return bytes;
    } catch (error) {
      this.#condition.note(false, (error as Error).message);
      throw error;
    }
  }

  /** Reads the file while nobody writes to it; gives up waiting for that after a second. */
  async #readWhileAtRest(): Promise<Buffer> {
    try {
      for (let attempt = 1; ; attempt += 1) {
        const before = await this.#checkFile();
        const bytes = await readFile(this.#path);
        if (before === (await this.#checkFile()) || attempt === MAX_READ_ATTEMPTS) return bytes;
        await delay(RETRY_READ_AFTER_MS);
      }
    } catch (error) {
      if (error instanceof UnreadableStoreError) throw error;
      const { message } = fileError('read', this.#path, error);
      const unreadable = new UnreadableStoreError(message, [{ pointer: '', message }]);
      unreadable.cause = error;
      throw unreadable;
    }
  }

  /** Returns what tells this state of the file from another; throws where it should not even be read. */
  async #checkFile(): Promise<string> {
    const stats = await stat(this.#path, { bigint: true });
    if (!stats.isFile()) {
      throw this.#unreadable([{ pointer: '', message: 'it is not a regular file', hint: 'name a file' }]);
    }
    const tooLarge = findSizeProblem(Number(stats.size), this.#format);
    if (tooLarge !== null) throw this.#unreadable([tooLarge]);
    return `${stats.ino}:${stats.size}:${stats.mtimeNs}`;
  }

  #decode(bytes: Buffer): string {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      const text = bytes.toString('utf8');
      const where = describeLocation(text, text.indexOf('\ufffd'));
      throw this.#unreadable([
        { pointer: '', message: `not UTF-8 at ${where}`, hint: 'save the file with the encoding UTF-8' },
      ]);
    }
  }

  #unreadable(problems: readonly Problem[]): UnreadableStoreError {
    const first = problems[0] === undefined ? 'unknown problem' : formatProblem(problems[0]);
    const more = problems.length > 1 ? ` and ${problems.length - 1} more` : '';
    return new UnreadableStoreError(`cannot use ${this.#path}: ${first}${more}`, problems);
  }
}

/** What stands for the content of a file that cannot be read; null while it is missing. */
function describeFailure(error: unknown): string | null {
  const { cause, message } = error as Error;
  return errorCodeOf(cause) === 'ENOENT' ? null : message;
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
