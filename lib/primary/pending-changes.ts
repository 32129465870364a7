import type { Operation } from '../core/config/change.ts';
import { PendingOperations } from '../core/config/pending-operations.ts';

/** Folding so many takes a few ms, and every worker's channel does it. More go as they came. */
const MAXIMUM_TO_FOLD_ON_TAKING = 10_000;
/** Beyond so many they are folded all the same, as what waits must not grow without end. */
const MAXIMUM_UNFOLDED = 250_000;

/**
 * Changes that wait for a worker to catch up. To add one costs nothing, however large it is. What waits never
 * grows beyond twice the number of entries, or the few hundred thousand that are always allowed.
 */
export class PendingChanges {
  #changes: (readonly Operation[])[] = [];
  #count = 0;
  #foldBeyond = MAXIMUM_UNFOLDED;

  /** Adds a change, which must be in an order that is safe to apply and hold one operation an entry at most. */
  add(operations: readonly Operation[]): void {
    this.#changes.push(operations);
    this.#count += operations.length;
    if (this.#count <= this.#foldBeyond) return;
    this.#fold();
    this.#foldBeyond = Math.max(MAXIMUM_UNFOLDED, 2 * this.#count);
  }

  /**
   * Takes all of them out, in an order that is safe to apply. Unless they are very many, of several operations
   * on one entry only the last is left.
   */
  take(): readonly Operation[] {
    if (this.#count <= MAXIMUM_TO_FOLD_ON_TAKING) this.#fold();
    const [first = [], ...later] = this.#changes;
    this.#changes = [];
    this.#count = 0;
    this.#foldBeyond = MAXIMUM_UNFOLDED;
    return later.length === 0 ? first : first.concat(...later);
  }

  #fold(): void {
    const folded = new PendingOperations();
    for (const operations of this.#changes) folded.add(operations);
    this.#count = folded.size;
    this.#changes = [folded.take()];
  }
}
