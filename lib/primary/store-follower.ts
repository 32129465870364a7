import type { Delta, Head } from '../core/config/change.ts';
import { Breather } from '../store/breather.ts';
import {
  type ConfigStore,
  isWritableStore,
  StoreUnavailableError,
  UnreadableStoreError,
  type WritableConfigStore,
} from '../store/config-store.ts';
import { type ConfigKeeper, isChildOf, type Lineage } from './config-keeper.ts';

/** Messages get lost: so often the heads are compared without one. */
const COMPARE_INTERVAL_MS = 2_000;
/** What cannot be read is read again after this, as it may be mended without a new head. */
const RETRY_UNREADABLE_MS = 10_000;
/** More waiting changes than this are not worth keeping: the log has them. */
const MAX_WAITING_CHANGES = 1_000;

/**
 * Keeps the keeper in step with the store. A change that comes with its content is taken where it follows
 * what is held; after anything else heads are compared, then the log is replayed, and where that does not
 * lead from one to the other, everything is read. One thing at a time.
 */
export class StoreFollower {
  readonly #store: ConfigStore;
  readonly #keeper: ConfigKeeper;
  readonly #waitingChanges: Delta[] = [];
  #waitingForSync: PromiseWithResolvers<void> | null = null;
  #running: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #unreadable: { readonly headId: string | null; readonly message: string; readonly atMs: number } | null =
    null;
  #closed = false;

  constructor(store: ConfigStore, keeper: ConfigKeeper) {
    this.#store = store;
    this.#keeper = keeper;
  }

  /** Listens first, then reads: nothing can happen in between. Resolves after the first attempt to read. */
  async start(): Promise<void> {
    this.#store.watch({
      onHint: () => void this.sync(),
      onChange: (delta) => this.offer(delta),
    });
    if (isWritableStore(this.#store)) {
      this.#timer = setInterval(() => void this.sync(), COMPARE_INTERVAL_MS);
      this.#timer.unref();
    }
    await this.sync();
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Resolves once the store was compared with, at a time after the call. */
  sync(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#waitingForSync ??= Promise.withResolvers();
    const { promise } = this.#waitingForSync;
    this.#run();
    return promise;
  }

  /** Hands in a change that the store has taken. */
  offer(delta: Delta): void {
    if (this.#closed) return;
    if (this.#waitingChanges.length >= MAX_WAITING_CHANGES) {
      this.#waitingChanges.length = 0;
      void this.sync();
      return;
    }
    this.#waitingChanges.push(delta);
    this.#run();
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#running;
  }

  #run(): void {
    this.#running ??= this.#work().finally(() => {
      this.#running = null;
      // Something may have come between the last look and this.
      if (!this.#closed && (this.#waitingForSync !== null || this.#waitingChanges.length > 0)) this.#run();
    });
  }

  async #work(): Promise<void> {
    // What has piled up in a slow moment must not make the next one: connections wait to be accepted.
    const breather = new Breather();
    for (;;) {
      const change = this.#waitingChanges.shift();
      if (change !== undefined) await this.#take(change);
      else if (this.#waitingForSync !== null) await this.#syncOnce();
      else return;
      if (breather.isDue) await breather.breathe();
    }
  }

  async #take(change: Delta): Promise<void> {
    const { head, chain } = this.#keeper;
    if (isChildOf(change, head)) await this.#guarded(() => this.#keeper.takeChanges([change]));
    else if (!chain.has(change)) this.#waitingForSync ??= Promise.withResolvers();
  }

  async #syncOnce(): Promise<void> {
    const waiting = this.#waitingForSync;
    this.#waitingForSync = null;
    await this.#guarded(() =>
      isWritableStore(this.#store) ? this.#compare(this.#store) : this.#readWhole(this.#store, null),
    );
    waiting?.resolve();
  }

  /** The store reports by itself that it is out of reach; what it holds and nobody understands is noted here. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof StoreUnavailableError) return;
      this.#noteUnreadable(null, error);
    }
  }

  async #compare(store: WritableConfigStore): Promise<void> {
    const head = await store.readHead();
    if (head === null) {
      await this.#keeper.takeStored(null);
      return;
    }
    if (head.id === this.#keeper.head.id) this.#keeper.noteInStep();
    else if (!this.#isRefused(head)) await this.#catchUp(store, head);
  }

  #isRefused(head: Head): boolean {
    if (this.#keeper.refused?.head?.id !== head.id) return false;
    const unreadable = this.#unreadable;
    return unreadable?.headId !== head.id || performance.now() - unreadable.atMs < RETRY_UNREADABLE_MS;
  }

  async #catchUp(store: WritableConfigStore, head: Head): Promise<void> {
    const held = this.#keeper.head;
    // Who holds nothing yet reads everything: it is less than all the changes that led there.
    const isBehind = held.revision > 0 && head.revision > held.revision;
    const changes = isBehind ? await store.changesSince(held.revision) : null;
    const first = changes?.[0];
    if (changes !== null && first !== undefined && isChildOf(first, held)) {
      await this.#keeper.takeChanges(changes);
    } else {
      // A log that reaches back to what is held, and does not lead on from it, has lost it. One that begins above
      // it has not: a store that was empty was filled again, by somebody who held at least as much.
      const hasForked = first !== undefined && first.parent !== null;
      await this.#readWhole(store, head, { hasForked, newest: changes ?? [] });
    }
  }

  async #readWhole(store: ConfigStore, head: Head | null, lineage: Lineage = {}): Promise<void> {
    try {
      const stored = await store.read();
      this.#unreadable = null;
      await this.#keeper.takeStored(stored, lineage);
    } catch (error) {
      if (error instanceof StoreUnavailableError) throw error;
      this.#noteUnreadable(head, error);
    }
  }

  #noteUnreadable(head: Head | null, error: unknown): void {
    const { message } = error as Error;
    const headId = head?.id ?? null;
    const isKnown =
      this.#keeper.refused !== null &&
      this.#unreadable?.headId === headId &&
      this.#unreadable.message === message;
    this.#unreadable = { headId, message, atMs: performance.now() };
    // A file is looked at when it was saved: then it is worth saying again. A store is looked at all the time.
    if (isKnown && isWritableStore(this.#store)) return;
    const problems = error instanceof UnreadableStoreError ? error.problems : [{ pointer: '', message }];
    this.#keeper.noteUnreadable(head, problems);
  }
}
