/** The instances that share the store: says how this one is, and knows how the others are. */
import type { Logger } from 'pino';
import type { InstanceStatus } from '../admin/control-plane.ts';
import type { InstanceDirectory } from '../store/shared-state.ts';
import { recordOf, statusOf } from './instance-record.ts';

/** Without news an instance says so often that it is there. */
const ANNOUNCE_INTERVAL_MS = 2_000;
/** And is taken for gone after this. */
const RECORD_TTL_MS = 7_000;
/** News follow each other at least this far apart: a burst of changes is not a burst of messages. */
const MIN_GAP_MS = 20;
/** More instances than this are not remembered. */
const MAX_INSTANCES = 1_000;

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

  /** How the other instances are that are there now. @throws StoreUnavailableError */
  async others(): Promise<readonly InstanceStatus[]> {
    const records = (await this.#directory?.list()) ?? [];
    const own = this.#status().instance;
    const listed = records.map(statusOf).filter((status) => status !== null && status.instance !== own);
    this.#known.clear();
    for (const status of listed) if (status !== null) this.#remember(status);
    return [...this.#known.values()];
  }

  async #announce(): Promise<void> {
    if (this.#directory === null || this.#announcing || this.#closed) return;
    this.#announcing = true;
    this.#hasNews = false;
    try {
      await this.#directory.announce(recordOf(this.#status()), RECORD_TTL_MS);
    } catch {
      // The store says by itself that it is out of reach; the next announcement tells all there is to tell.
    }
    this.#announcing = false;
    this.#gapTimer = setTimeout(() => {
      this.#gapTimer = null;
      if (this.#hasNews) void this.#announce();
    }, MIN_GAP_MS);
    this.#gapTimer.unref();
  }

  #hear(status: InstanceStatus | null): void {
    if (status === null || this.#closed) return;
    const own = this.#status();
    if (status.instance === own.instance) {
      this.#noteNamesake(status, own);
      return;
    }
    this.#remember(status);
    for (const onStatus of this.#listeners) onStatus(status);
  }

  #remember(status: InstanceStatus): void {
    if (this.#known.size >= MAX_INSTANCES && !this.#known.has(status.instance)) return;
    this.#known.set(status.instance, status);
  }

  #noteNamesake(status: InstanceStatus, own: InstanceStatus): void {
    if (status.startedAt === own.startedAt || status.startedAt === this.#namesake) return;
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
