/** Reading all that the store holds, as it was at one moment. */
import { isDeepStrictEqual } from 'node:util';
import type { Redis } from 'ioredis';
import type { Head } from '../../core/config/change.ts';
import { COLLECTIONS, KINDS } from '../../core/config/model.ts';
import { childPointer, formatProblem, type Problem } from '../../core/config/problem.ts';
import { Breather } from '../breather.ts';
import { type StoredConfiguration, UnreadableStoreError } from '../config-store.ts';
import { setOwnProperty } from '../own-property.ts';
import { HEAD_FIELDS, parseHead } from './head-fields.ts';
import type { RedisKeys } from './redis-keys.ts';
import { isReplyError, replyCodeOf } from './reply-error.ts';

const MAX_PROBLEMS = 1_000;

/** What one transaction read: the texts as bytes, for them to be decoded in slices. */
export interface RawSnapshot {
  readonly head: unknown;
  /** For each kind: id, text, id, text, … */
  readonly collections: readonly unknown[];
}

/**
 * Asks for the head and all collections, as they were at one moment.
 * @throws the error reply of whatever was refused
 */
export async function fetchSnapshot(client: Redis, keys: RedisKeys): Promise<RawSnapshot> {
  try {
    return await fetchInTransaction(client, keys);
  } catch (error) {
    // Out of memory, Redis refuses every command of a transaction, also those that read.
    if (replyCodeOf(error) !== 'OOM') throw error;
    const snapshot = await fetchUnguarded(client, keys);
    if (snapshot === null) throw error;
    return snapshot;
  }
}

/** Nobody writes in between. */
async function fetchInTransaction(client: Redis, keys: RedisKeys): Promise<RawSnapshot> {
  const queued = [client.call('MULTI'), readHead(client, keys), ...readCollections(client, keys)];
  const [result, ...acknowledged] = await Promise.allSettled([client.callBuffer('EXEC'), ...queued]);
  const refused = acknowledged.find((outcome) => outcome.status === 'rejected');
  // EXEC itself would only say that something was refused.
  if (refused?.status === 'rejected') throw refused.reason;
  if (result?.status !== 'fulfilled') throw result?.reason;
  const [head, ...collections] = result.value as unknown[];
  return { head, collections };
}

/** Null where somebody wrote in between: the head is another one then. */
async function fetchUnguarded(client: Redis, keys: RedisKeys): Promise<RawSnapshot | null> {
  const [head, collections, headAfter] = await Promise.all([
    readHead(client, keys),
    Promise.all(readCollections(client, keys)),
    readHead(client, keys),
  ]);
  return isDeepStrictEqual(head, headAfter) ? { head, collections } : null;
}

// In capitals: the library makes objects of what it knows as `hgetall`.
function readHead(client: Redis, keys: RedisKeys): Promise<unknown> {
  return client.callBuffer('HMGET', keys.head, ...HEAD_FIELDS);
}

function readCollections(client: Redis, keys: RedisKeys): Promise<unknown>[] {
  return keys.collections.map((key) => client.callBuffer('HGETALL', key));
}

/**
 * Makes a document of what was read, in slices.
 * @returns null where there is no head: then the store is empty, whatever else is there
 * @throws UnreadableStoreError with a problem for each entry that is no JSON
 */
export async function parseSnapshot(
  raw: RawSnapshot,
  keys: RedisKeys,
  onNote: (note: string) => void,
): Promise<StoredConfiguration | null> {
  const head = parseHead(keys.head, textsOf(keys, raw.head));
  if (head === null) {
    noteLeftovers(raw, keys, onNote);
    return null;
  }
  const reading = new SnapshotReading();
  for (const [index, kind] of KINDS.entries()) {
    const key = keys.collections[index] ?? '';
    await reading.addCollection(COLLECTIONS[kind], key, entriesOf(key, keys.head, raw.collections[index]));
  }
  return reading.toConfiguration(head);
}

function noteLeftovers(raw: RawSnapshot, keys: RedisKeys, onNote: (note: string) => void): void {
  const leftovers = keys.collections.filter((_, index) => {
    const entries = raw.collections[index];
    return Array.isArray(entries) && entries.length > 0;
  });
  if (leftovers.length === 0) return;
  onNote(
    `the store counts as empty: there is no ${keys.head}. What is in ${leftovers.join(', ')} goes with the next change`,
  );
}

function textsOf({ head }: RedisKeys, reply: unknown): (string | null)[] {
  return entriesOf(head, head, reply).map((value) => (value === null ? null : String(value)));
}

/** @throws UnreadableStoreError where the key holds something else than a hash */
function entriesOf(key: string, head: string, reply: unknown): readonly unknown[] {
  if (Array.isArray(reply)) return reply;
  if (isReplyError(reply) && replyCodeOf(reply) !== 'WRONGTYPE') throw reply;
  throw notAHash(key, head);
}

/**
 * Without a head the store counts as empty, so gateways serve what they have, and fill it again with the next
 * change. With the head left there, the collection that was deleted would count as one without entries.
 */
export function notAHash(key: string, head: string): UnreadableStoreError {
  const message = `${key} is not a hash`;
  const keys = key === head ? head : `${key} ${head}`;
  const hint = `if nothing else uses it, delete it and the head (DEL ${keys}): the next change through a gateway writes back all that it serves`;
  return new UnreadableStoreError(`${message}: ${hint}`, [{ pointer: '', message, hint }]);
}

class SnapshotReading {
  readonly #document: Record<string, Record<string, unknown>> = {};
  readonly #problems: Problem[] = [];
  readonly #breather = new Breather();
  #unreadable = 0;

  async addCollection(section: string, key: string, entries: readonly unknown[]): Promise<void> {
    const values: Record<string, unknown> = {};
    for (let index = 0; index + 1 < entries.length; index += 2) {
      const id = String(entries[index]);
      try {
        setOwnProperty(values, id, JSON.parse(String(entries[index + 1])));
      } catch (error) {
        setOwnProperty(values, id, null);
        this.#report(section, key, id, error as Error);
      }
      if (this.#breather.isDue) await this.#breather.breathe();
    }
    this.#document[section] = values;
  }

  /** @throws UnreadableStoreError */
  toConfiguration(head: Head): StoredConfiguration {
    const [first] = this.#problems;
    const stored = { head, document: this.#document };
    if (first === undefined) return stored;
    const others = this.#unreadable - this.#problems.length;
    if (others > 0)
      this.#problems.push({ pointer: '', message: `and ${others} more entries that are no JSON` });
    const more = this.#unreadable > 1 ? `, and ${this.#unreadable - 1} more` : '';
    throw new UnreadableStoreError(`${formatProblem(first)}${more}`, this.#problems, stored);
  }

  #report(section: string, key: string, id: string, error: Error): void {
    this.#unreadable += 1;
    if (this.#problems.length >= MAX_PROBLEMS) return;
    this.#problems.push({
      pointer: childPointer(childPointer('', section), id),
      message: `the field ${id} of ${key} is no JSON: ${error.message}`,
      hint: 'write the entry anew, or delete it',
    });
  }
}
