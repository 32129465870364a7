import type { Operation } from './change.ts';

/**
 * Operations that wait for a worker to catch up, folded together: of several on one entry only the last
 * counts, so that what waits never grows beyond the number of entries.
 */
export class PendingOperations {
  readonly #operations = new Map<string, Operation>();

  get size(): number {
    return this.#operations.size;
  }

  add(operations: readonly Operation[]): void {
    for (const operation of operations) this.#operations.set(`${operation.kind} ${operation.id}`, operation);
  }

  /** Takes all of them out, in an order that never leaves a route without what it names. */
  take(): Operation[] {
    const operations = inSafeOrder([...this.#operations.values()]);
    this.#operations.clear();
    return operations;
  }
}

/** What routes name comes before them, and goes after them. */
export function inSafeOrder(operations: readonly Operation[]): Operation[] {
  return [...operations].sort((first, second) => rankOf(first) - rankOf(second));
}

function rankOf(operation: Operation): number {
  if (operation.op === 'put') return operation.kind === 'route' ? 1 : 0;
  return operation.kind === 'route' ? 2 : 3;
}
