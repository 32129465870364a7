/** Reading the log of changes, in batches that are neither long nor large. */
import type { Redis } from 'ioredis';
import type { Head } from '../../core/config/change.ts';
import type { LoggedChange } from '../config-store.ts';
import { parseLogEntry, type RawLogEntry } from './log-entry.ts';

/** More changes, or more text, than this are not replayed: reading all is cheaper. */
const MAX_CHANGES = 10_000;
const MAX_CHARACTERS = 268_435_456;
const FIRST_BATCH = 16;
const MAX_BATCH = 1_000;
const BATCH_CHARACTERS = 1_048_576;

/** Runs commands on the connection to Redis; a batch may be large. */
type Runner = <T>(send: (client: Redis) => Promise<T>) => Promise<T>;

export class LogReader {
  readonly #key: string;
  readonly #run: Runner;
  readonly #onNote: (note: string) => void;

  constructor(key: string, run: Runner, onNote: (note: string) => void) {
    this.#key = key;
    this.#run = run;
    this.#onNote = onNote;
  }

  /**
   * The changes after `revision` up to `head`, oldest first; null where they are not all there, or not a
   * chain: each the parent of the next. Revisions may be left out, as counting goes on above a floor where a
   * store is filled again.
   */
  async readChain(revision: number, head: Head): Promise<LoggedChange[] | null> {
    const changes: LoggedChange[] = [];
    let characters = 0;
    for await (const entry of this.#walk('forth', revision + 1, head.revision)) {
      characters += lengthOf(entry);
      const change = await parseLogEntry(entry);
      const previous = changes.at(-1);
      const breaks = previous !== undefined && change?.parent !== previous.id;
      if (change === null || breaks || changes.length >= MAX_CHANGES || characters > MAX_CHARACTERS)
        return null;
      changes.push(change);
    }
    if (changes.at(-1)?.id !== head.id) return null;
    return (await this.#reachesBack(revision, changes[0])) ? changes : null;
  }

  /** Up to `limit` changes from `revision` backwards, newest first; what is no change is left out. */
  async readBackwards(revision: number, limit: number): Promise<LoggedChange[]> {
    const changes: LoggedChange[] = [];
    if (limit < 1) return changes;
    for await (const entry of this.#walk('back', revision, 1, limit)) {
      const change = await parseLogEntry(entry);
      if (change === null)
        this.#onNote(`the entry ${entry[0]} of ${this.#key} is not a change and is left out`);
      else changes.push(change);
      if (changes.length >= limit) break;
    }
    return changes;
  }

  /** False where changes between `revision` and the first one may have been trimmed away. */
  async #reachesBack(revision: number, first: LoggedChange | undefined): Promise<boolean> {
    if (first === undefined) return false;
    if (first.revision === revision + 1 || first.parent === null) return true;
    const [before] = await this.#readBatch('back', `${first.revision - 1}`, '1', 1);
    return before !== undefined && (await parseLogEntry(before))?.id === first.parent;
  }

  async *#walk(
    way: 'forth' | 'back',
    from: number,
    to: number,
    atMost = MAX_BATCH,
  ): AsyncGenerator<RawLogEntry> {
    let count = Math.min(FIRST_BATCH, atMost);
    let start = `${from}`;
    for (;;) {
      const entries = await this.#readBatch(way, start, `${to}`, count);
      yield* entries;
      const last = entries.at(-1);
      if (last === undefined || entries.length < count) return;
      start = `(${last[0]}`;
      const meanCharacters = entries.reduce((sum, entry) => sum + lengthOf(entry), 0) / entries.length;
      count = Math.min(MAX_BATCH, Math.max(1, Math.floor(BATCH_CHARACTERS / (meanCharacters + 1))));
    }
  }

  async #readBatch(way: 'forth' | 'back', from: string, to: string, count: number): Promise<RawLogEntry[]> {
    return this.#run((client) =>
      way === 'forth'
        ? client.xrange(this.#key, from, to, 'COUNT', count)
        : client.xrevrange(this.#key, from, to, 'COUNT', count),
    );
  }
}

function lengthOf([, fields]: RawLogEntry): number {
  return fields.reduce((sum, text) => sum + text.length, 0);
}
