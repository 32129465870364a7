import type { Redis } from 'ioredis';
import { StoreUnavailableError } from '../config-store.ts';
import { withinLimit } from '../time-limit.ts';
import { KeptConnection } from './kept-connection.ts';
import { RedisDialer } from './redis-dialer.ts';
import type { RedisKeys } from './redis-keys.ts';
import type { RedisSettings } from './redis-url.ts';
import {
  describeError,
  explainError,
  isReplyError,
  isUnusable,
  isWriteRefusal,
  replyCodeOf,
  translateError,
} from './reply-error.ts';
import type { StoreStatus } from './store-status.ts';
import type { RedisNode } from './url-parts.ts';

const COMMAND_LIMIT_MS = 2_000;
/** What does not fit into this is not even sent: Redis is slower than whoever asks. */
const MAX_PENDING_COMMANDS = 1_000;
/** A replica may be made the master, or the name of the master lead elsewhere: so often that is looked at. */
const READ_ONLY_PROBES_BEFORE_RECONNECT = 10;
const PROBES_BETWEEN_TOPOLOGY_READS = 60;

export interface CommandOptions {
  /** How long the answer may take, in ms (default 2,000). */
  readonly limitMs?: number;
  /** True for what changes something: where it is refused, that tells the condition of the store. */
  readonly writes?: boolean;
  /**
   * True where it can only succeed if writing works. That is not so of scripts which may find nothing to write, or
   * whose first write frees memory: Redis then lets them go on where it is out of memory.
   */
  readonly provesWriting?: boolean;
  /** True where the request itself may take long to send. */
  readonly isLarge?: boolean;
}

/** The connection on which the store is read and written. */
export class CommandConnection {
  readonly #settings: RedisSettings;
  readonly #keys: RedisKeys;
  readonly #status: StoreStatus;
  readonly #onUp: () => void;
  readonly #onTopology: (nodes: readonly RedisNode[]) => void;
  readonly #connection: KeptConnection;
  readonly #dialer: RedisDialer;
  readonly #firstAttempt = Promise.withResolvers<void>();
  #pendingCommands = 0;
  #wasWritable = false;
  #readOnlyProbes = 0;
  #probes = 0;
  /** True while a connection that works is given up on purpose, to see whether there is a better one. */
  #isChanging = false;
  #closed = false;

  constructor(
    settings: RedisSettings,
    keys: RedisKeys,
    status: StoreStatus,
    onUp: () => void,
    onTopology: (nodes: readonly RedisNode[]) => void,
  ) {
    this.#settings = settings;
    this.#keys = keys;
    this.#status = status;
    this.#onUp = onUp;
    this.#onTopology = onTopology;
    this.#dialer = new RedisDialer(settings);
    this.#connection = new KeptConnection(settings, this.#dialer, {
      prepare: (client) => this.#prepare(client),
      probe: (client) => this.#probe(client),
      onUp: () => this.#noteUp(),
      onDown: (problem) => this.#noteDown(problem),
    });
  }

  /** Begins to connect. Resolves when the first attempt has succeeded or failed, at the latest after `limitMs`. */
  async start(limitMs: number): Promise<void> {
    this.#connection.start();
    await withinLimit(this.#firstAttempt.promise, limitMs).catch(() => {});
  }

  /**
   * Runs commands, which must all be sent before the first answer is waited for.
   * @throws what `translateError` makes of failures; Error where the store is closed
   */
  async run<T>(send: (client: Redis) => Promise<T>, options: CommandOptions = {}): Promise<T> {
    const client = this.#clientForUse();
    const { limitMs = COMMAND_LIMIT_MS, writes = false, provesWriting = false, isLarge = false } = options;
    if (isLarge) this.#connection.beginLongRequest();
    this.#pendingCommands += 1;
    try {
      const result = await withinLimit(send(client), limitMs);
      if (provesWriting) this.#noteWritable();
      return result;
    } catch (error) {
      if (this.#closed) throw closedError();
      this.#judge(error, writes);
      throw translateError(error, this.#settings);
    } finally {
      this.#pendingCommands -= 1;
      if (isLarge) this.#connection.endLongRequest();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#firstAttempt.resolve();
    await this.#connection.close();
  }

  #clientForUse(): Redis {
    if (this.#closed) throw closedError();
    const { client } = this.#connection;
    if (client === null) {
      const { problem } = this.#status.condition;
      throw new StoreUnavailableError(problem ?? this.#describe('it is not connected'), { notWritten: true });
    }
    if (this.#pendingCommands >= MAX_PENDING_COMMANDS) {
      const message = this.#describe(`${this.#pendingCommands} commands wait for it already`);
      throw new StoreUnavailableError(message, { notWritten: true });
    }
    return client;
  }

  /** Finds out whether the server is the right one and answers. */
  async #prepare(client: Redis): Promise<void> {
    const reading = client.hmget(this.#keys.head, 'revision').catch((error: unknown) => {
      // What is there instead of a head is told by whoever reads it.
      if (replyCodeOf(error) !== 'WRONGTYPE') throw error;
    });
    const [read, write] = await Promise.allSettled([reading, this.#writeNothing(client)]);
    if (read.status === 'rejected') throw read.reason;
    this.#wasWritable = write.status === 'fulfilled';
    this.#readOnlyProbes = 0;
    if (write.status === 'rejected') this.#refuseToPrepare(write.reason);
    this.#status.setWriteProblem(write.status === 'fulfilled' ? null : this.#describe(write.reason));
    if (this.#settings.mode === 'cluster') await this.#readTopology(client);
  }

  #refuseToPrepare(error: unknown): void {
    if (!isWriteRefusal(error)) throw error;
    if (this.#settings.mode === 'sentinel' && replyCodeOf(error) === 'READONLY') {
      throw new Error('the server that the sentinels name is a replica: a failover may be under way');
    }
  }

  /**
   * A write that changes nothing, as there is nothing to write and the key does not exist. It is refused
   * where any other write would be.
   */
  async #writeNothing(client: Redis): Promise<void> {
    await client.setrange(this.#keys.probe, 0, '');
  }

  async #probe(client: Redis): Promise<string | null> {
    this.#probes += 1;
    if (this.#settings.mode === 'cluster' && this.#probes % PROBES_BETWEEN_TOPOLOGY_READS === 0) {
      await this.#readTopology(client);
    }
    try {
      await this.#writeNothing(client);
      this.#noteWritable();
      return null;
    } catch (error) {
      return this.#verdictOn(error, true);
    }
  }

  #judge(error: unknown, writes: boolean): void {
    const verdict = this.#verdictOn(error, writes);
    if (verdict !== null) this.#connection.giveUp(verdict);
  }

  /** Notes what an error says of the store. Returns why the connection is to be given up, null where it is not. */
  #verdictOn(error: unknown, writes: boolean): string | null {
    if (!isReplyError(error)) return null;
    if (isUnusable(error)) return explainError(error, this.#settings);
    if (!writes || !isWriteRefusal(error)) return null;
    this.#status.setWriteProblem(this.#describe(error));
    if (replyCodeOf(error) !== 'READONLY') return null;
    this.#readOnlyProbes += 1;
    if (!this.#wasWritable && this.#readOnlyProbes < READ_ONLY_PROBES_BEFORE_RECONNECT) return null;
    this.#isChanging = true;
    return explainError(error, this.#settings);
  }

  #noteWritable(): void {
    this.#wasWritable = true;
    this.#readOnlyProbes = 0;
    this.#status.setWriteProblem(null);
  }

  #noteUp(): void {
    this.#isChanging = false;
    this.#status.setReachable();
    this.#firstAttempt.resolve();
    this.#onUp();
  }

  #noteDown(problem: string): void {
    const isChanging = this.#isChanging;
    this.#isChanging = false;
    if (!isChanging) this.#status.setUnreachable(problem);
    this.#firstAttempt.resolve();
  }

  async #readTopology(client: Redis): Promise<void> {
    try {
      const nodes = nodesOf(await client.call('CLUSTER', 'SLOTS'), this.#dialer.dialled?.host ?? '');
      this.#dialer.learn(nodes);
      this.#onTopology(nodes);
    } catch {
      // A user without permission for it: then the nodes are those of the settings.
    }
  }

  #describe(error: unknown): string {
    return describeError(typeof error === 'string' ? new Error(error) : error, this.#settings);
  }
}

function closedError(): Error {
  return new Error('the store is closed');
}

/** The nodes in a reply to CLUSTER SLOTS: [[first, last, [host, port, …], …], …]; no host: the one that was asked. */
function nodesOf(reply: unknown, askedHost: string): RedisNode[] {
  if (!Array.isArray(reply)) return [];
  const entries = reply.flatMap((range: unknown) => (Array.isArray(range) ? range.slice(2) : []));
  return entries.flatMap((entry: unknown) => {
    if (!Array.isArray(entry) || !Number.isSafeInteger(entry[1])) return [];
    const host: unknown = entry[0];
    return [{ host: typeof host === 'string' && host !== '' ? host : askedHost, port: entry[1] as number }];
  });
}
