import {
  type ChangeOrder,
  type ChangeReceipt,
  ControlError,
  type ControlEvent,
  type ControlPlane,
  type FleetMember,
  type HistoryEntry,
  type InstanceStatus,
  type RollbackOrder,
} from '../admin/control-plane.ts';
import type { Operation } from '../core/config/change.ts';
import {
  describeChange,
  describeDifference,
  type EntryDifference,
} from '../core/config/describe-difference.ts';
import { ERRORS } from '../core/errors.ts';
import type { ExplainRequest, Explanation } from '../core/explain/explanation.ts';
import type { HealthReport } from '../core/health/health-report.ts';
import {
  type ConfigStore,
  isWritableStore,
  StoreUnavailableError,
  UnreadableStoreError,
} from '../store/config-store.ts';
import type { ChangeWriter, WrittenChange } from './change-writer.ts';
import type { ConfigKeeper } from './config-keeper.ts';
import { noConfiguration } from './control-errors.ts';
import type { ControlEvents } from './control-events.ts';
import type { Fleet } from './fleet.ts';
import type { HealthHub } from './health-hub.ts';
import type { ReceiptWaiter } from './receipt-waiter.ts';
import type { Supervisor } from './supervisor.ts';
import type { CurrentConfiguration } from './worker-channel.ts';

/** Of more entries, in one change or over a page of the history, not all are described one by one. */
const MAX_DESCRIBED_OPERATIONS = 1_000;

export interface ControlParts {
  readonly store: ConfigStore;
  readonly keeper: ConfigKeeper;
  readonly writer: ChangeWriter;
  readonly receipts: ReceiptWaiter;
  readonly fleet: Fleet;
  readonly health: HealthHub;
  readonly supervisor: Supervisor;
  readonly events: ControlEvents;
  status(): InstanceStatus;
  restartWorkers(): boolean;
}

/** What the management API can ask of this process. */
export class GatewayControl implements ControlPlane {
  readonly #parts: ControlParts;

  constructor(parts: ControlParts) {
    this.#parts = parts;
  }

  current(): CurrentConfiguration {
    const { keeper, store } = this.#parts;
    // An empty one would be taken for the truth, and perhaps be written back.
    if (!keeper.hasConfiguration) throw noConfiguration(keeper, store);
    return keeper.current;
  }

  change(order: ChangeOrder): Promise<ChangeReceipt> {
    return this.#writeAndWait(order, (onPlanned) => this.#parts.writer.change(order, onPlanned));
  }

  rollback(order: RollbackOrder): Promise<ChangeReceipt> {
    return this.#writeAndWait(order, (onPlanned) => this.#parts.writer.rollback(order, onPlanned));
  }

  async #writeAndWait(
    { wait, timeoutMs, dryRun }: Pick<ChangeOrder, 'wait' | 'timeoutMs' | 'dryRun'>,
    write: (onPlanned: (operations: readonly Operation[]) => void) => Promise<WrittenChange>,
  ): Promise<ChangeReceipt> {
    let difference: readonly EntryDifference[] = [];
    let count = 0;
    const { head, changed, warnings } = await write((operations) => {
      count = operations.length;
      difference = describeDifference(this.#parts.keeper.current.configuration, bounded(operations));
    });
    const { revision, id } = head;
    const applied = dryRun ? [] : await this.#parts.receipts.wait({ revision, id }, wait, timeoutMs);
    const complete = applied.every(({ ok }) => ok);
    return { revision, id, changed, operations: count, difference, warnings, applied, complete };
  }

  async history(limit: number, before?: number): Promise<readonly HistoryEntry[]> {
    const { store } = this.#parts;
    if (!isWritableStore(store)) {
      throw new ControlError(ERRORS.readOnly, 'a configuration file has no history here: its repository has');
    }
    const changes = await unavailableTranslated(() => store.history(limit, before));
    let room = MAX_DESCRIBED_OPERATIONS;
    return changes.map(({ revision, id, parent, at, actor, message, operations, undo }) => {
      const described = operations.slice(0, room);
      room -= described.length;
      const difference = describeChange(described, undo);
      return { revision, id, parent, at, actor, message, operations: operations.length, difference };
    });
  }

  status(): InstanceStatus {
    return this.#parts.status();
  }

  async instances(): Promise<readonly FleetMember[]> {
    const own = this.status();
    const { statuses } = await unavailableTranslated(() => this.#parts.fleet.others());
    const all = [own, ...statuses];
    const newest = newestOf(all);
    return all
      .map((status) => ({ ...status, lags: lagsBehind(status, newest) }))
      .sort((one, other) => (one.instance < other.instance ? -1 : 1));
  }

  async explain(request: ExplainRequest): Promise<Explanation> {
    try {
      return await this.#parts.supervisor.explain(request);
    } catch (error) {
      throw new ControlError(ERRORS.notReady, (error as Error).message);
    }
  }

  health(): readonly HealthReport[] {
    return this.#parts.health.all();
  }

  reportHealth(reports: readonly HealthReport[]): Promise<number> {
    return unavailableTranslated(() => this.#parts.health.report(reports));
  }

  restartWorkers(): void {
    if (!this.#parts.restartWorkers()) {
      throw new ControlError(ERRORS.notReady, 'the workers are not all up yet: there is nothing to restart');
    }
  }

  subscribe(onEvent: (event: ControlEvent) => void): () => void {
    return this.#parts.events.subscribe(onEvent);
  }
}

function bounded(operations: readonly Operation[]): readonly Operation[] {
  return operations.slice(0, MAX_DESCRIBED_OPERATIONS);
}

/** The newest head that an instance in touch with the store holds: what others hold may be lost there. */
function newestOf(statuses: readonly InstanceStatus[]): string {
  const inTouch = statuses.filter(({ store }) => store.reachable);
  const candidates = inTouch.length === 0 ? statuses : inTouch;
  const newest = candidates.reduce((best, status) =>
    status.configuration.revision > best.configuration.revision ? status : best,
  );
  return newest.configuration.id;
}

function lagsBehind({ configuration, workers }: InstanceStatus, newestId: string): boolean {
  if (configuration.id !== newestId || !configuration.applied) return true;
  return workers.some(({ state, id }) => state === 'serving' && id !== newestId);
}

async function unavailableTranslated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UnreadableStoreError) {
      throw new ControlError(ERRORS.storeUnavailable, error.message, { problems: error.problems });
    }
    if (!(error instanceof StoreUnavailableError)) throw error;
    throw new ControlError(ERRORS.storeUnavailable, error.message);
  }
}
