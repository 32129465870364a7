import type { Operation } from '../core/config/change.ts';
import type { DestinationHealth } from '../core/health/health-report.ts';
import { UnhealthyDestinations } from '../core/health/unhealthy-destinations.ts';
import type { Target, ToPrimary, ToWorker } from '../ipc/protocol.ts';
import type { RoutingTable } from './routing-table.ts';
import { type SlicedWork, WorkQueue } from './work-queue.ts';

/** What happens to a table that is complete. */
export interface TableHolder {
  /** Requests from now on go by this table. */
  serve(table: RoutingTable, target: Target): void;
}

/** A configuration that arrives in parts. */
interface Transfer {
  /** Null where it is a whole configuration. */
  readonly parent: string | null;
  readonly table: RoutingTable;
  problem: string | null;
}

/**
 * Applies what the primary sends, in the order of its coming. A transfer is built aside in slices and swapped
 * in as one; a delta is applied in one go between two requests. Each is answered: applied or rejected.
 */
export class ConfigurationReceiver {
  readonly #createTable: (unhealthy: UnhealthyDestinations) => RoutingTable;
  readonly #holder: TableHolder;
  readonly #send: (message: ToPrimary) => void;
  readonly #queue: WorkQueue;
  readonly #unhealthy = new UnhealthyDestinations();
  #transfer: Transfer | null = null;
  #serving: RoutingTable | null = null;
  #servingId: string | null = null;

  constructor(
    createTable: (unhealthy: UnhealthyDestinations) => RoutingTable,
    holder: TableHolder,
    send: (message: ToPrimary) => void,
    queue = new WorkQueue(),
  ) {
    this.#createTable = createTable;
    this.#holder = holder;
    this.#send = send;
    this.#queue = queue;
  }

  /** Whatever is still being worked on comes first: then the message takes effect. */
  receive(message: ToWorker): void {
    switch (message.type) {
      case 'transferBegin':
        this.#queue.add(this.#begin(message.parent));
        break;
      case 'transferPart':
        this.#queue.add(this.#addPart(message.operations));
        break;
      case 'transferEnd':
        this.#queue.add(this.#finish(message));
        break;
      case 'delta':
        this.runInOrder(() => this.#applyDelta(message.parent, message.operations, message));
        break;
      case 'health':
        this.runInOrder(() => this.#setHealth(message.destinations));
        break;
    }
  }

  /** Does something once all that was received before has taken effect. */
  runInOrder(work: () => void): void {
    this.#queue.add(oneStep(work));
  }

  // ---- a transfer ----

  *#begin(parent: string | null): SlicedWork {
    if (this.#transfer !== null) {
      yield* this.#giveUp(this.#transfer, 'a transfer began before the one under way had ended');
      return;
    }
    this.#transfer = { parent, table: this.#createTable(this.#unhealthy), problem: null };
    if (parent === null) return;
    if (this.#serving !== null && parent === this.#servingId) yield* this.#transfer.table.copy(this.#serving);
    else this.#transfer.problem = this.#wrongParent(parent);
  }

  *#addPart(operations: readonly Operation[]): SlicedWork {
    const transfer = this.#transfer;
    if (transfer === null || transfer.problem !== null) return;
    try {
      yield* transfer.table.change(operations);
    } catch (error) {
      yield* this.#giveUp(transfer, String(error));
    }
  }

  *#finish(target: Target): SlicedWork {
    const transfer = this.#transfer;
    this.#transfer = null;
    if (transfer === null || transfer.problem !== null) {
      this.#reject(target, transfer?.problem ?? 'the end of a transfer without a beginning');
      return;
    }
    const replaced = transfer.parent === null ? this.#serving : null;
    this.#serve(transfer.table, target);
    yield* transfer.table.settle();
    if (replaced !== null) yield* replaced.retire();
  }

  /** The answer follows at the transfer's end. */
  *#giveUp(transfer: Transfer, problem: string): SlicedWork {
    transfer.problem ??= problem;
    yield* transfer.table.discard();
  }

  // ---- a delta, health ----

  #applyDelta(parent: string, operations: readonly Operation[], target: Target): void {
    if (this.#serving === null || parent !== this.#servingId) {
      this.#reject(target, this.#wrongParent(parent));
      return;
    }
    if (this.#transfer !== null) {
      this.#reject(target, 'a delta amid a transfer');
      return;
    }
    try {
      this.#serving.apply(operations);
    } catch (error) {
      // Validation has run before, so this is a fault of ours. The table may hold half of the delta: the
      // primary replaces a worker that rejects.
      this.#reject(target, String(error));
      return;
    }
    this.#serve(this.#serving, target);
  }

  #setHealth(destinations: readonly DestinationHealth[]): void {
    for (const health of destinations) {
      this.#unhealthy.note(health);
      this.#serving?.setHealth(health);
      this.#transfer?.table.setHealth(health);
    }
  }

  // ---- the answers ----

  #serve(table: RoutingTable, target: Target): void {
    this.#serving = table;
    this.#servingId = target.id;
    this.#holder.serve(table, target);
    const { revision, id } = target;
    this.#send({ type: 'applied', revision, id, fingerprint: table.fingerprint });
  }

  #reject({ revision, id }: Target, problem: string): void {
    this.#send({ type: 'rejected', revision, id, problem });
  }

  #wrongParent(parent: string): string {
    return `the change follows ${parent}, this worker holds ${this.#servingId ?? 'nothing'}`;
  }
}

function* oneStep(work: () => void): SlicedWork {
  work();
  yield;
}
