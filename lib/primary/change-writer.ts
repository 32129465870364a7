/**
 * Writes changes to the store: each is checked against the configuration held, then published on the
 * condition that the store still stands there. What cannot be done is a ControlError.
 */
import { type ChangeOrder, ControlError, type RollbackOrder } from '../admin/control-plane.ts';
import type { Delta, Head, Operation } from '../core/config/change.ts';
import { COLLECTIONS } from '../core/config/model.ts';
import type { Problem } from '../core/config/problem.ts';
import { ERRORS } from '../core/errors.ts';
import {
  type ConfigStore,
  isWritableStore,
  type NewChange,
  RevisionConflictError,
  type WritableConfigStore,
} from '../store/config-store.ts';
import { SerialQueue } from '../store/serial-queue.ts';
import { type PlannedChange, planChange, planRollback } from './change-planner.ts';
import type { ConfigKeeper } from './config-keeper.ts';
import { conflict, noConfiguration, translated } from './control-errors.ts';
import type { StoreFollower } from './store-follower.ts';
import { contentOperations, NO_REPAIR, planRepair, type Repair } from './store-repair.ts';

/** Other instances may be quicker so many times, and for so long. */
const MIN_ATTEMPTS = 8;
const MIN_RETRY_MS = 5_000;
/** More than this are told to come again. */
const MAX_WAITING_WRITERS = 1_000;
/** Whoever has waited so long for others has given up, or will. */
const MAX_WAIT_MS = 15_000;

/** A change that was written, or that would be. */
export interface WrittenChange extends PlannedChange {
  /** The new head, or the one held where nothing was written. */
  readonly head: Head;
  readonly changed: boolean;
}

/** What all kinds of changes have in common. */
type Order = Pick<ChangeOrder, 'expectedRevision' | 'requires' | 'actor' | 'message' | 'dryRun'> & {
  readonly replacesAll: boolean;
  plan(store: WritableConfigStore, repair: Repair): Promise<PlannedChange>;
};

export class ChangeWriter {
  readonly #store: ConfigStore;
  readonly #keeper: ConfigKeeper;
  readonly #follower: StoreFollower;
  /** Those who write through this instance do not compete with each other: that is left for the other instances. */
  readonly #queue = new SerialQueue(MAX_WAITING_WRITERS);

  constructor(store: ConfigStore, keeper: ConfigKeeper, follower: StoreFollower) {
    this.#store = store;
    this.#keeper = keeper;
    this.#follower = follower;
  }

  /**
   * @param onPlanned called with what is held, before the change is part of it: to describe the difference
   * @throws ControlError
   */
  change(order: ChangeOrder, onPlanned: (operations: readonly Operation[]) => void): Promise<WrittenChange> {
    const replacesAll = 'document' in order.content;
    const plan: Order['plan'] = (_store, repair) =>
      planChange(order, replacesAll ? [] : repair.kept, this.#keeper);
    return this.#write({ ...order, replacesAll, plan }, onPlanned);
  }

  /** Makes the configuration what it was at a revision. @throws ControlError */
  rollback(
    order: RollbackOrder,
    onPlanned: (operations: readonly Operation[]) => void,
  ): Promise<WrittenChange> {
    const plan: Order['plan'] = async (store) => {
      // The revision may be one that this instance has not heard of yet.
      if (order.revision > this.#keeper.head.revision) await this.#follower.sync();
      return planRollback(order.revision, store, this.#keeper);
    };
    return this.#write({ ...order, replacesAll: false, plan }, onPlanned);
  }

  async #write(order: Order, onPlanned: (operations: readonly Operation[]) => void): Promise<WrittenChange> {
    const store = this.#writableStore();
    if (order.dryRun) return this.#writeInTurn(store, order, onPlanned);
    const queuedAtMs = performance.now();
    return translated(() =>
      this.#queue.run(() => {
        if (performance.now() - queuedAtMs > MAX_WAIT_MS) throw tooBusy();
        return this.#writeInTurn(store, order, onPlanned);
      }),
    );
  }

  async #writeInTurn(
    store: WritableConfigStore,
    order: Order,
    onPlanned: (operations: readonly Operation[]) => void,
  ): Promise<WrittenChange> {
    const retriedUntilMs = performance.now() + MIN_RETRY_MS;
    for (let attempt = 1; ; attempt += 1) {
      if (this.#follower.isClosed) throw new ControlError(ERRORS.draining, 'nothing was written');
      const isLast = attempt >= MIN_ATTEMPTS && performance.now() > retriedUntilMs;
      await this.#checkConditions(order);
      const { head } = this.#keeper;
      const repair = await translated(() => this.#planRepair(store));
      const planned = await translated(() => order.plan(store, repair));
      const { operations } = planned;
      const warnings = [...undoWarnings(repair, order.replacesAll), ...planned.warnings];
      const isNothing = operations.length === 0 && !this.#storeDiffers();
      // There is nothing to do only where the store stands here too: somebody may have written elsewhere.
      if (isNothing && !order.dryRun) await this.#follower.sync();
      // What was planned on a configuration that is not the one held any more is planned again.
      if (this.#keeper.head.id !== head.id || (isNothing && this.#storeDiffers())) {
        if (isLast) throw conflict(head.revision, this.#keeper.head.revision);
        continue;
      }
      onPlanned(operations);
      if (order.dryRun || isNothing) return { head, changed: false, operations, warnings };
      const written = await this.#publish(store, order, operations, repair, isLast);
      if (written !== null) return { head: written, changed: true, operations, warnings };
    }
  }

  #writableStore(): WritableConfigStore {
    if (isWritableStore(this.#store)) return this.#store;
    throw new ControlError(
      ERRORS.readOnly,
      'the configuration comes from the file of --config: change the file, or start without --config to use the store',
    );
  }

  async #checkConditions(order: Order): Promise<void> {
    // Somebody may have mended what is refused: that is not to be undone.
    if (this.#keeper.refused !== null) await this.#follower.sync();
    await this.#checkExpectation(order.expectedRevision);
    this.#checkBasis(order);
    await this.#checkRequirement(order.requires);
  }

  /** Where the writer knows a newer revision than this instance, the store is asked before the writer is refused. */
  async #checkExpectation(expected: number | undefined): Promise<void> {
    if (expected === undefined || expected === this.#keeper.head.revision) return;
    await this.#follower.sync();
    const { revision } = this.#keeper.head;
    if (expected !== revision) throw conflict(expected, revision);
  }

  /**
   * Who has no configuration cannot change it: what the store holds, and is refused here, would be taken away.
   * Only a configuration that is to replace all of it may be written then.
   */
  #checkBasis({ replacesAll }: Order): void {
    const { hasConfiguration, refused } = this.#keeper;
    if (hasConfiguration || (replacesAll && refused !== null)) return;
    throw noConfiguration(this.#keeper, this.#store);
  }

  async #checkRequirement(requires: ChangeOrder['requires']): Promise<void> {
    if (requires === undefined) return;
    const { kind, id, present, otherwise } = requires;
    const isMet = (): boolean => this.#keeper.table.configuration[COLLECTIONS[kind]].has(id) === present;
    if (isMet()) return;
    await this.#follower.sync();
    if (isMet()) return;
    const { revision } = this.#keeper.head;
    const state = present ? `there is no ${kind} "${id}"` : `there is a ${kind} "${id}" already`;
    throw new ControlError(otherwise, state, { currentRevision: revision });
  }

  #storeDiffers(): boolean {
    return this.#keeper.storeIsEmpty || this.#keeper.refused !== null;
  }

  /** How to make of what the store holds, and is refused here, something that is not. */
  async #planRepair(store: WritableConfigStore): Promise<Repair> {
    const { refused, head, table, storeIsEmpty } = this.#keeper;
    if (storeIsEmpty) {
      return { ...NO_REPAIR, operations: contentOperations(table.configuration), revision: 0, id: null };
    }
    if (refused === null)
      return { ...NO_REPAIR, revision: head.revision, id: head.revision === 0 ? null : head.id };
    return planRepair(store, head, table);
  }

  /** Null where another writer was quicker and the change may be planned anew. */
  async #publish(
    store: WritableConfigStore,
    { expectedRevision, actor, message }: Order,
    operations: readonly Operation[],
    repair: Repair,
    isLast: boolean,
  ): Promise<Head | null> {
    const held = this.#keeper.head;
    const change: NewChange = {
      operations: [...repair.operations, ...operations],
      actor,
      message,
      expectedRevision: repair.revision,
      revisionFloor: held.revision,
      ...(repair.id === null ? {} : { expectedId: repair.id }),
    };
    try {
      return await translated(async () => {
        this.#checkRefusal(repair);
        const head = await store.publish(change);
        await this.#handOver({ ...head, operations: change.operations });
        return head;
      });
    } catch (error) {
      if (!(error instanceof RevisionConflictError)) throw error;
      await this.#follower.sync();
      const { revision } = this.#keeper.head;
      // Where the store has moved to what is refused here, the condition still holds.
      if (expectedRevision !== undefined && expectedRevision !== revision) {
        throw conflict(expectedRevision, revision);
      }
      if (isLast) throw conflict(held.revision, this.#keeper.head.revision);
      return null;
    }
  }

  /** What is to be undone must be what was refused: it may have been mended meanwhile. */
  #checkRefusal(repair: Repair): void {
    const { refused } = this.#keeper;
    if (refused === null || refused.head === null || repair.id === refused.head.id) return;
    throw new RevisionConflictError(refused.head.revision, repair.revision);
  }

  /**
   * The store tells as well, a moment later; then it is known already. Resolves when the change is held, unless
   * the store cannot be read now: whoever writes next is to find it.
   */
  async #handOver(delta: Delta): Promise<void> {
    if (!this.#storeDiffers()) this.#follower.offer(delta);
    if (this.#keeper.head.id !== delta.id) await this.#follower.sync();
  }
}

/** Whoever writes is told what else comes of it. */
function undoWarnings({ refused, undone }: Repair, replacesAll: boolean): Problem[] {
  return (replacesAll ? refused : undone).map(({ revision, actor }) => ({
    pointer: '',
    message: `revision ${revision} by ${actor} was refused here, and is undone by this change`,
  }));
}

function tooBusy(): ControlError {
  return new ControlError(
    ERRORS.storeUnavailable,
    'too many changes wait to be written: nothing was written',
    {
      written: 'no',
    },
  );
}
