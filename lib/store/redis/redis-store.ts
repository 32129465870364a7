import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Head } from '../../core/config/change.ts';
import {
  type LoggedChange,
  type NewChange,
  RevisionConflictError,
  type StoreCondition,
  type StoredConfiguration,
  type StoreListener,
  UnreadableStoreError,
  type WritableConfigStore,
} from '../config-store.ts';
import type { HealthDirectory, InstanceDirectory, RateExchange } from '../shared-state.ts';
import { CommandConnection } from './command-connection.ts';
import { CommandEncoder, sendEncoded } from './encoded-command.ts';
import { EventFeed } from './event-feed.ts';
import { HEAD_FIELDS, parseHead } from './head-fields.ts';
import { LogReader } from './log-reader.ts';
import { type EncodedChange, encodeChange } from './publish-request.ts';
import { PUBLISH_SCRIPT } from './publish-script.ts';
import { RedisHealthDirectory } from './redis-health-directory.ts';
import { RedisInstanceDirectory } from './redis-instance-directory.ts';
import { keysWithPrefix, type RedisKeys } from './redis-keys.ts';
import { RedisRateExchange } from './redis-rate-exchange.ts';
import type { RedisSettings } from './redis-url.ts';
import { replyCodeOf } from './reply-error.ts';
import { fetchSnapshot, notAHash, parseSnapshot } from './snapshot-reader.ts';
import { StoreStatus } from './store-status.ts';

const FIRST_ATTEMPT_LIMIT_MS = 1_000;
/** A server that sends nothing for two seconds is taken for dead long before this. */
const LARGE_READ_LIMIT_MS = 30_000;
const PUBLISH_LIMIT_MS = 2_000;
const LARGE_PUBLISH_LIMIT_MS = 30_000;
/** What a slow line carries, and a slow Redis writes, in a millisecond. */
const CHARACTERS_PER_MS = 1_000;
const OPERATIONS_PER_MS = 10;
/** Longer than this is a large change. */
const LARGE_WORK_MS = 100;
const MAX_HISTORY = 10_000;

export interface RedisStoreOptions {
  /** Told what an operator should know and what is no error. The same is not said twice in a row. */
  readonly onNote?: (note: string) => void;
  /** Changes that the log keeps (default 10,000) … */
  readonly logLength?: number;
  /** … and bytes (default 128 MiB); the newest change is kept in any case. */
  readonly logBytes?: number;
  /** Operations with a longer text are not published but fetched from the log (default 65,536). */
  readonly maxMessageCharacters?: number;
}

/**
 * The store that many instances share, as docs/redis-protocol.md specifies it. Everything is done within a
 * limit or fails; nothing waits for Redis to come back, except the connections themselves.
 */
export class RedisStore implements WritableConfigStore {
  readonly kind = 'redis';
  readonly writable = true;
  readonly source: string;
  readonly instances: InstanceDirectory;
  readonly health: HealthDirectory;
  readonly rates: RateExchange;
  readonly #keys: RedisKeys;
  readonly #options: Required<RedisStoreOptions>;
  readonly #status: StoreStatus;
  readonly #connection: CommandConnection;
  readonly #feed: EventFeed;
  readonly #log: LogReader;
  readonly #listeners: StoreListener[] = [];
  #lastNote = '';

  private constructor(settings: RedisSettings, options: Required<RedisStoreOptions>) {
    this.source = `redis:${settings.description} ${settings.prefix}`;
    this.#keys = keysWithPrefix(settings.prefix);
    this.#options = options;
    this.#status = new StoreStatus(`Redis at ${settings.description}: connecting`, (condition) =>
      this.#tellCondition(condition),
    );
    this.#feed = new EventFeed(settings, this.#keys, this.#status);
    this.#connection = new CommandConnection(
      settings,
      this.#keys,
      this.#status,
      () => this.#feed.hint(),
      (nodes) => this.#feed.learn(nodes),
    );
    this.#log = new LogReader(this.#keys.log, (send) => this.#runLargeRead(send), this.#note);
    this.instances = new RedisInstanceDirectory(this.#connection, this.#feed, settings.prefix, this.#keys);
    this.health = new RedisHealthDirectory(this.#connection, this.#feed, this.#keys);
    this.rates = new RedisRateExchange(this.#connection, this.#feed, this.#keys);
  }

  /**
   * Opens the store. Never fails: where Redis is not there, `condition` says so, and it is connected to
   * later. Resolves after the first attempt to connect, at the latest after a second.
   */
  static async open(settings: RedisSettings, options: RedisStoreOptions = {}): Promise<RedisStore> {
    const store = new RedisStore(settings, {
      onNote: () => {},
      logLength: 10_000,
      logBytes: 134_217_728,
      maxMessageCharacters: 65_536,
      ...options,
    });
    await store.#connection.start(FIRST_ATTEMPT_LIMIT_MS);
    return store;
  }

  get condition(): StoreCondition {
    return this.#status.condition;
  }

  async read(): Promise<StoredConfiguration | null> {
    const raw = await this.#runLargeRead((client) => fetchSnapshot(client, this.#keys));
    return parseSnapshot(raw, this.#keys, this.#note);
  }

  async readHead(): Promise<Head | null> {
    const { head } = this.#keys;
    const fields = await this.#connection.run((client) =>
      client.hmget(head, ...HEAD_FIELDS).catch((error: unknown) => {
        throw replyCodeOf(error) === 'WRONGTYPE' ? notAHash(head, head) : error;
      }),
    );
    return parseHead(head, fields);
  }

  /** Listens for changes on a connection of its own; once that stands, and each time again, it hints. */
  watch(listener: StoreListener): void {
    this.#listeners.push(listener);
    this.#feed.listen(listener);
  }

  /** @throws as the interface says, and Error where the store is closed */
  async publish(change: NewChange): Promise<Head> {
    const encoded = await encodeChange(change);
    const id = randomUUID();
    const at = new Date().toISOString();
    const request = this.#publishRequest(change, encoded, id, at);
    const workMs = encoded.characters / CHARACTERS_PER_MS + change.operations.length / OPERATIONS_PER_MS;
    const reply = await this.#connection.run((client) => sendEncoded(client, 'EVAL', request), {
      limitMs: Math.min(PUBLISH_LIMIT_MS + Math.ceil(workMs), LARGE_PUBLISH_LIMIT_MS),
      writes: true,
      provesWriting: true,
      isLarge: workMs > LARGE_WORK_MS,
    });
    const [outcome, revision, parent] = reply as [string, number, string];
    if (outcome === 'conflict') throw new RevisionConflictError(change.expectedRevision ?? 0, revision);
    return { revision, id, parent: parent === '' ? null : parent, at };
  }

  async changesSince(revision: number): Promise<readonly LoggedChange[] | null> {
    const head = await this.readHead();
    if (revision === (head?.revision ?? 0)) return [];
    if (head === null || !Number.isSafeInteger(revision) || revision < 0 || revision > head.revision)
      return null;
    return nullWhereUnreadable(() => this.#log.readChain(revision, head));
  }

  async history(limit: number, before = Number.MAX_SAFE_INTEGER): Promise<readonly LoggedChange[]> {
    const head = await this.readHead();
    const newest = Math.min(before - 1, head?.revision ?? 0);
    if (newest < 1) return [];
    return this.#log.readBackwards(newest, Math.min(limit, MAX_HISTORY));
  }

  /** Ends the connections; what is under way on them fails. */
  async close(): Promise<void> {
    this.#listeners.length = 0;
    await Promise.all([this.#connection.close(), this.#feed.close()]);
  }

  #publishRequest(change: NewChange, { operations }: EncodedChange, id: string, at: string): Buffer {
    const keys = [this.#keys.head, this.#keys.log, ...this.#keys.collections];
    const { logLength, logBytes, maxMessageCharacters } = this.#options;
    const head = new CommandEncoder();
    head.add('EVAL', PUBLISH_SCRIPT, keys.length, ...keys);
    head.add(expectationOf(change), change.revisionFloor ?? 0, id, at, change.actor, change.message);
    head.add(randomUUID(), logLength, logBytes, maxMessageCharacters, this.#keys.events);
    return operations.commandAfter(head);
  }

  #runLargeRead<T>(send: (client: Redis) => Promise<T>): Promise<T> {
    return this.#connection.run(send, { limitMs: LARGE_READ_LIMIT_MS });
  }

  readonly #note = (note: string): void => {
    if (note === this.#lastNote) return;
    this.#lastNote = note;
    this.#options.onNote(note);
  };

  #tellCondition(condition: StoreCondition): void {
    for (const listener of this.#listeners) queueMicrotask(() => listener.onCondition?.(condition));
  }
}

/** As the script takes it: nothing, a revision, or a revision and its id. */
function expectationOf({ expectedRevision, expectedId }: NewChange): string {
  if (expectedRevision === undefined) return '';
  return expectedId === undefined ? `${expectedRevision}` : `${expectedRevision}:${expectedId}`;
}

/** A log that is no stream does not keep anybody from reading all. */
async function nullWhereUnreadable<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UnreadableStoreError) return null;
    throw error;
  }
}
