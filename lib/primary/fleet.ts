/** The instances that share the store: says how this one is, and knows how the others are. */
import type { Logger } from 'pino';
import type { InstanceStatus } from '../admin/control-plane.ts';
import { StoreUnavailableError } from '../store/config-store.ts';
import type { InstanceDirectory } from '../store/shared-state.ts';
import { recordOf, statusOf } from './instance-record.ts';

/** Without news an instance says so often that it is there. */
const ANNOUNCE_INTERVAL_MS = 2_000;
/** And is taken for gone after this. */
const RECORD_TTL_MS = 7_000;
/** News follow each other at least this far apart: a burst of changes is not a burst of messages. */
const MIN_GAP_MS = 20;
/** Everybody hears everybody, so that in a large fleet each speaks less often. */
const GAP_PER_INSTANCE_MS = 4;
/** More instances than this are not remembered. */
const MAX_INSTANCES = 1_000;

/** An instance that announces itself in a way that this one does not understand, or under this one's name. */
export interface UnknownMember {
  readonly instance: string;
  readonly problem: string;
}

export interface FleetView {
  readonly statuses: readonly InstanceStatus[];
  readonly unknown: readonly UnknownMember[];
}

export class Fleet {
  readonly #directory: InstanceDirectory | null;
  readonly #status: () => InstanceStatus;
  readonly #logger: Logger;
  readonly #known = new Map<string, InstanceStatus>();
  readonly #listeners = new Set<(status: InstanceStatus) => void>();
  #timer: NodeJS.Timeout | null = null;
  #gapTimer: NodeJS.Timeout | null = null;
  #announcing = false;
  #hasNews = false;
  #namesake = '';
  #namesakeHeardAtMs = Number.NEGATIVE_INFINITY;
  #listing: Promise<FleetView> | null = null;
  #announceProblem = '';
  #closed = false;

  /** @param directory null where the store is not shared: the fleet is this instance alone */
  constructor(directory: InstanceDirectory | null, status: () => InstanceStatus, logger: Logger) {
    this.#directory = directory;
    this.#status = status;
    this.#logger = logger;
  }

  start(): void {
    if (this.#directory === null) return;
    this.#directory.watch((record) => this.#hear(statusOf(record)));
    this.#timer = setInterval(() => void this.#announce(), ANNOUNCE_INTERVAL_MS);
    this.#timer.unref();
    this.touch();
  }

  /** There are news of this instance. */
  touch(): void {
    if (this.#directory === null || this.#closed) return;
    this.#hasNews = true;
    if (this.#gapTimer !== null || this.#announcing) return;
    void this.#announce();
  }

  /** Calls `onStatus` with what other instances say of themselves. @returns what ends it */
  listen(onStatus: (status: InstanceStatus) => void): () => void {
    this.#listeners.add(onStatus);
    return () => this.#listeners.delete(onStatus);
  }

  /** How the other instances are that are there now. Who asks meanwhile gets the same answer. @throws StoreUnavailableError */
  others(): Promise<FleetView> {
    this.#listing ??= this.#list().finally(() => {
      this.#listing = null;
    });
    return this.#listing;
  }

  async #list(): Promise<FleetView> {
    const records = (await this.#directory?.list()) ?? [];
    const own = this.#status().instance;
    const unknown: UnknownMember[] = [];
    this.#known.clear();
    for (const record of records) {
      const status = statusOf(record);
      if (record.instance === own) continue;
      if (status !== null && this.#known.size < MAX_INSTANCES) this.#known.set(record.instance, status);
      else
        unknown.push({ instance: record.instance, problem: 'what it says of itself is not understood here' });
    }
    if (performance.now() - this.#namesakeHeardAtMs < RECORD_TTL_MS) {
      unknown.push({
        instance: own,
        problem: 'another instance has the same name: give each its own --instance',
      });
    }
    return { statuses: [...this.#known.values()], unknown };
  }

  async #announce(): Promise<void> {
    if (this.#directory === null || this.#announcing || this.#closed) return;
    this.#announcing = true;
    this.#hasNews = false;
    try {
      await this.#directory.announce(recordOf(this.#status()), RECORD_TTL_MS);
      this.#announceProblem = '';
    } catch (error) {
      // The next announcement tells all there is to tell.
      this.#noteUnannounced(error as Error);
    }
    this.#announcing = false;
    this.#gapTimer = setTimeout(
      () => {
        this.#gapTimer = null;
        if (this.#hasNews) void this.#announce();
      },
      MIN_GAP_MS + GAP_PER_INSTANCE_MS * this.#known.size,
    );
    this.#gapTimer.unref();
  }

  /** The store says by itself that it is out of reach; for anything else, others do not know of this instance. */
  #noteUnannounced(error: Error): void {
    if (error instanceof StoreUnavailableError || error.message === this.#announceProblem) return;
    this.#announceProblem = error.message;
    this.#logger.error({ reason: error.message }, 'this instance cannot announce itself');
  }

  #hear(status: InstanceStatus | null): void {
    if (status === null || this.#closed) return;
    const own = this.#status();
    if (status.instance === own.instance) {
      this.#noteNamesake(status, own);
      return;
    }
    if (this.#known.size < MAX_INSTANCES || this.#known.has(status.instance)) {
      this.#known.set(status.instance, status);
    }
    for (const onStatus of this.#listeners) onStatus(status);
  }

  #noteNamesake(status: InstanceStatus, own: InstanceStatus): void {
    if (status.startedAt === own.startedAt) return;
    this.#namesakeHeardAtMs = performance.now();
    if (status.startedAt === this.#namesake) return;
    this.#namesake = status.startedAt;
    this.#logger.error(
      { listen: status.listen, startedAt: status.startedAt },
      'another instance uses the same --instance: give each its own',
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    if (this.#gapTimer !== null) clearTimeout(this.#gapTimer);
    this.#listeners.clear();
    try {
      await this.#directory?.withdraw(this.#status().instance);
    } catch {
      // The record vanishes by itself.
    }
  }
}
