/**
 * Writes changes to the store: each is checked against the configuration held, then published on the
 * condition that the store still stands there. What cannot be done is a ControlError.
 */
import { type ChangeOrder, ControlError, type RollbackOrder } from '../admin/control-plane.ts';
import type { Delta, Head, Operation } from '../core/config/change.ts';
import { diffInSlices } from '../core/config/difference.ts';
import { loadDocument } from '../core/config/load-document.ts';
import type { Problem } from '../core/config/problem.ts';
import { ERRORS } from '../core/errors.ts';
import {
  type ConfigStore,
  isWritableStore,
  MalformedChangeError,
  RevisionConflictError,
  StoreUnavailableError,
  UnreadableStoreError,
  type WritableConfigStore,
} from '../store/config-store.ts';
import { SerialQueue } from '../store/serial-queue.ts';
import type { ConfigKeeper } from './config-keeper.ts';
import { runInSlices } from './run-in-slices.ts';
import type { StoreFollower } from './store-follower.ts';
import { contentOperations, repairOperations, undoOperations } from './store-repair.ts';

/** Other writers may be quicker so many times, and for so long: who sets no condition is not to lose against them. */
const MIN_ATTEMPTS = 8;
const MIN_RETRY_MS = 5_000;
/** More than this are told to come again. */
const MAX_WAITING_WRITERS = 1_000;

/** A change that was written, or that would be. */
export interface WrittenChange {
  /** The new head, or the one held where nothing was written. */
  readonly head: Head;
  readonly changed: boolean;
  /** Against what was held. */
  readonly operations: readonly Operation[];
  readonly warnings: readonly Problem[];
}

interface PlannedChange {
  readonly operations: readonly Operation[];
  readonly warnings: readonly Problem[];
}

type Condition = Pick<ChangeOrder, 'expectedRevision' | 'actor' | 'message' | 'dryRun'> & {
  /** True where nothing of what was there is to stay. */
  readonly replacesAll: boolean;
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
    return this.#write({ ...order, replacesAll }, () => this.#plan(order), onPlanned);
  }

  /** Makes the configuration what it was at a revision. @throws ControlError */
  rollback(
    order: RollbackOrder,
    onPlanned: (operations: readonly Operation[]) => void,
  ): Promise<WrittenChange> {
    const plan = async (store: WritableConfigStore): Promise<PlannedChange> => {
      // The revision may be one that this instance has not heard of yet.
      if (order.revision > this.#keeper.head.revision) await this.#follower.sync();
      return this.#planRollback(order.revision, store);
    };
    return this.#write({ ...order, replacesAll: false }, plan, onPlanned);
  }

  async #write(
    condition: Condition,
    plan: (store: WritableConfigStore) => Promise<PlannedChange>,
    onPlanned: (operations: readonly Operation[]) => void,
  ): Promise<WrittenChange> {
    const store = this.#writableStore();
    const write = (): Promise<WrittenChange> => this.#writeInTurn(store, condition, plan, onPlanned);
    return condition.dryRun ? write() : translated(() => this.#queue.run(write));
  }

  async #writeInTurn(
    store: WritableConfigStore,
    condition: Condition,
    plan: (store: WritableConfigStore) => Promise<PlannedChange>,
    onPlanned: (operations: readonly Operation[]) => void,
  ): Promise<WrittenChange> {
    const retriedUntilMs = performance.now() + MIN_RETRY_MS;
    for (let attempt = 1; ; attempt += 1) {
      const isLast = attempt >= MIN_ATTEMPTS && performance.now() > retriedUntilMs;
      // Somebody may have mended what is refused: that is not to be undone.
      if (this.#keeper.refused !== null) await this.#follower.sync();
      await this.#checkExpectation(condition.expectedRevision);
      this.#checkBasis(condition);
      const { head } = this.#keeper;
      const { operations, warnings } = await translated(() => plan(store));
      const isNothing = operations.length === 0 && !this.#storeDiffers();
      // There is nothing to do only where the store stands here too: somebody may have written elsewhere.
      if (isNothing && !condition.dryRun) await this.#follower.sync();
      // What was planned on a configuration that is not the one held any more is planned again.
      if (this.#keeper.head.id !== head.id || (isNothing && this.#storeDiffers())) {
        if (isLast) throw conflict(head.revision, this.#keeper.head.revision);
        continue;
      }
      onPlanned(operations);
      if (condition.dryRun || isNothing) {
        return { head, changed: false, operations, warnings };
      }
      const written = await this.#publish(store, condition, operations, isLast);
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
  #checkBasis({ replacesAll }: Condition): void {
    const { hasConfiguration, refused } = this.#keeper;
    if (hasConfiguration || (replacesAll && refused !== null)) return;
    throw noConfiguration(this.#keeper, this.#store);
  }

  #storeDiffers(): boolean {
    return this.#keeper.storeIsEmpty || this.#keeper.refused !== null;
  }

  async #plan({ content }: ChangeOrder): Promise<PlannedChange> {
    if ('operations' in content) {
      const { operations, problems, warnings } = this.#keeper.table.check(content.operations);
      if (problems.length > 0) throw invalid(problems, warnings);
      return { operations, warnings };
    }
    const { table, problems, warnings } = await runInSlices(loadDocument(content.document));
    if (table === null) throw invalid(problems, warnings);
    const operations = await runInSlices(diffInSlices(this.#keeper.table.configuration, table.configuration));
    return { operations, warnings };
  }

  async #planRollback(revision: number, store: WritableConfigStore): Promise<PlannedChange> {
    const held = this.#keeper.head;
    const changes = revision <= held.revision ? await store.changesSince(revision) : null;
    const ours = changes?.filter((change) => change.revision <= held.revision) ?? [];
    if (revision !== held.revision && ours.at(-1)?.id !== held.id) {
      throw new ControlError(ERRORS.notFound, `revision ${revision} is not in the history that is kept`, {
        currentRevision: held.revision,
      });
    }
    const { operations, problems, warnings } = this.#keeper.table.check(undoOperations(ours));
    if (problems.length > 0) throw invalid(problems, warnings);
    return { operations, warnings };
  }

  /** Null where another writer was quicker and the change may be planned anew. */
  async #publish(
    store: WritableConfigStore,
    { expectedRevision, actor, message }: Condition,
    operations: readonly Operation[],
    isLast: boolean,
  ): Promise<Head | null> {
    const held = this.#keeper.head;
    try {
      return await translated(async () => {
        const { published, expected } = await this.#toPublish(store, operations);
        const head = await store.publish({
          operations: published,
          actor,
          message,
          expectedRevision: expected,
          revisionFloor: held.revision,
        });
        await this.#handOver({ ...head, operations: published });
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

  /**
   * The store tells as well, a moment later; then it is known already. Resolves when the change is held, unless
   * the store cannot be read now: whoever writes next is to find it.
   */
  async #handOver(delta: Delta): Promise<void> {
    if (!this.#storeDiffers()) this.#follower.offer(delta);
    if (this.#keeper.head.id !== delta.id) await this.#follower.sync();
  }

  /** The operations that make of what the store holds what is held, and then what is asked for. */
  async #toPublish(
    store: WritableConfigStore,
    operations: readonly Operation[],
  ): Promise<{ published: readonly Operation[]; expected: number }> {
    const { head, table, storeIsEmpty, refused } = this.#keeper;
    if (storeIsEmpty) {
      return { published: [...contentOperations(table.configuration), ...operations], expected: 0 };
    }
    if (refused === null) return { published: operations, expected: head.revision };
    const repair = await repairOperations(store, head, table.configuration);
    if (refused.head !== null && repair.id !== refused.head.id) {
      throw new RevisionConflictError(refused.head.revision, repair.revision);
    }
    return { published: [...repair.operations, ...operations], expected: repair.revision };
  }
}

/** Errors of the store in words of the management API; a conflict is left to the caller. */
async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StoreUnavailableError) {
      const outcome = error.notWritten ? 'nothing was written' : 'it is not known whether it was written';
      throw new ControlError(ERRORS.storeUnavailable, `${error.message}: ${outcome}`, {
        written: error.notWritten ? 'no' : 'unknown',
      });
    }
    if (error instanceof UnreadableStoreError) {
      throw new ControlError(ERRORS.storeUnavailable, error.message, { problems: error.problems });
    }
    if (error instanceof MalformedChangeError) throw invalid(error.problems, []);
    throw error;
  }
}

function invalid(problems: readonly Problem[], warnings: readonly Problem[]): ControlError {
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  return new ControlError(ERRORS.invalidConfiguration, `${count}: nothing was changed`, {
    problems,
    warnings,
  });
}

/** Why an instance that holds no configuration cannot tell or change it. */
export function noConfiguration({ refused }: ConfigKeeper, { condition }: ConfigStore): ControlError {
  const problem = refused === null ? condition.problem : refused.problems[0]?.message;
  const why = problem === undefined || problem === null ? '' : `: ${problem}`;
  return new ControlError(ERRORS.notReady, `there is no configuration here yet${why}`, {
    ...(refused === null ? {} : { problems: refused.problems }),
  });
}

function conflict(expected: number, current: number): ControlError {
  return new ControlError(
    ERRORS.revisionConflict,
    `expected revision ${expected}, the configuration is at ${current}: read it again, then repeat the change`,
    { currentRevision: current },
  );
}
