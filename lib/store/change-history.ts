import type { Head } from '../core/config/change.ts';
import type { ChangeLog } from './change-log.ts';
import { type LoggedChange, UnreadableStoreError } from './config-store.ts';

/**
 * The changes that the logs still have, read backwards. It needs no order with those who write: what is held
 * in memory is taken at once, and older logs only come into being or go away as a whole.
 */
export class ChangeHistory {
  readonly #log: ChangeLog;
  readonly #onNote: (note: string) => void;

  constructor(log: ChangeLog, onNote: (note: string) => void) {
    this.#log = log;
    this.#onNote = onNote;
  }

  /** The changes that lead from `revision` to `head`, oldest first; null where they are not all there. */
  async since(revision: number, head: Head | null): Promise<LoggedChange[] | null> {
    const current = head?.revision ?? 0;
    if (revision === current) return [];
    if (!Number.isSafeInteger(revision) || revision < 0 || revision > current) return null;
    const changes: LoggedChange[] = [];
    for await (const change of this.#walkBack(current + 1)) {
      const newer = changes.at(-1);
      if (newer === undefined && change.id !== head?.id) return null;
      // The revision was never one of this store where the walk passes it by.
      if (change.revision <= revision) return change.revision === revision ? changes.reverse() : null;
      changes.push(change);
    }
    const oldest = changes.at(-1);
    const isWhole = oldest?.revision === revision + 1 || (revision === 0 && oldest?.parent === null);
    return isWhole ? changes.reverse() : null;
  }

  /** Up to `limit` changes with a revision below `before`, newest first; it ends where changes are missing. */
  async newest(limit: number, before: number): Promise<LoggedChange[]> {
    const changes: LoggedChange[] = [];
    if (limit <= 0) return changes;
    for await (const change of this.#walkBack(before)) {
      changes.push(change);
      if (changes.length >= limit) break;
    }
    return changes;
  }

  /** The changes with a revision below `before`, newest first, as far as each is the parent of the next. */
  async *#walkBack(before: number): AsyncGenerator<LoggedChange> {
    let newer: LoggedChange | null = null;
    for await (const changes of this.#logsBack(before)) {
      for (const change of changes.toReversed()) {
        if (change.revision >= before || (newer !== null && change.revision >= newer.revision)) continue;
        if (newer !== null && newer.parent !== change.id) return;
        yield change;
        newer = change;
      }
    }
  }

  /** The logs that may hold changes below `before`, newest first. */
  async *#logsBack(before: number): AsyncGenerator<readonly LoggedChange[]> {
    yield this.#log.changes.slice();
    const lastRevisions = await this.#log.listRotated();
    for (const [index, lastRevision] of [...lastRevisions.entries()].reverse()) {
      const allAreNewer = (lastRevisions[index - 1] ?? -1) >= before - 1;
      if (!allAreNewer) yield await this.#readRotated(lastRevision);
    }
  }

  async #readRotated(lastRevision: number): Promise<readonly LoggedChange[]> {
    try {
      return await this.#log.readRotated(lastRevision);
    } catch (error) {
      if (!(error instanceof UnreadableStoreError)) throw error;
      this.#onNote(`the history is incomplete: ${error.message}`);
      return [];
    }
  }
}
