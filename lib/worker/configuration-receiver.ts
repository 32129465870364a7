import type { Operation } from '../core/config/change.ts';
import type { Target, ToPrimary, ToWorker } from '../ipc/protocol.ts';
import type { RoutingTable } from './routing-table.ts';

/** What happens to a table that is complete. */
export interface TableHolder {
  /** Requests from now on go by this table. */
  serve(table: RoutingTable, target: Target): void;
}

/**
 * Applies what the primary sends: a snapshot, built aside in slices and swapped in as one, then deltas in
 * order, each in one go between two requests. Every message is answered: applied or rejected.
 */
export class ConfigurationReceiver {
  readonly #createTable: () => RoutingTable;
  readonly #holder: TableHolder;
  readonly #send: (message: ToPrimary) => void;
  #building: RoutingTable | null = null;
  #buildProblem: string | null = null;
  #serving: RoutingTable | null = null;
  #servingId: string | null = null;

  constructor(createTable: () => RoutingTable, holder: TableHolder, send: (message: ToPrimary) => void) {
    this.#createTable = createTable;
    this.#holder = holder;
    this.#send = send;
  }

  receive(message: ToWorker): void {
    switch (message.type) {
      case 'snapshotBegin':
        this.#building = this.#createTable();
        this.#buildProblem = null;
        break;
      case 'snapshotPart':
        this.#addPart(message.operations);
        break;
      case 'snapshotEnd':
        this.#finishSnapshot(message);
        break;
      case 'delta':
        this.#applyDelta(message.parent, message.operations, message);
        break;
    }
  }

  #addPart(operations: readonly Operation[]): void {
    if (this.#buildProblem !== null) return;
    try {
      this.#building?.apply(operations);
    } catch (error) {
      this.#buildProblem = String(error);
    }
  }

  #finishSnapshot(target: Target): void {
    const table = this.#building;
    this.#building = null;
    if (table === null || this.#buildProblem !== null) {
      table?.destroy();
      this.#reject(target, this.#buildProblem ?? 'snapshot without a beginning');
      return;
    }
    this.#serving?.retire();
    this.#serve(table, target);
  }

  #applyDelta(parent: string, operations: readonly Operation[], target: Target): void {
    if (this.#serving === null || parent !== this.#servingId) {
      this.#reject(target, `the delta follows ${parent}, this worker holds ${this.#servingId ?? 'nothing'}`);
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

  #serve(table: RoutingTable, target: Target): void {
    this.#serving = table;
    this.#servingId = target.id;
    this.#holder.serve(table, target);
    this.#send({ type: 'applied', revision: target.revision, id: target.id });
  }

  #reject(target: Target, problem: string): void {
    this.#send({ type: 'rejected', revision: target.revision, id: target.id, problem });
  }
}
