import type { Head } from './change.ts';

/** Where a configuration stands, by the two values that name it. */
export type Standing = Pick<Head, 'revision' | 'id'>;

/** More than any writer waits for. */
const MAX_LINKS = 10_000;

/**
 * The heads that the configuration went through, each the child of the one before, so that it can be told
 * whether a configuration holds a given change: equal or greater numbers alone do not say so, because a store
 * that lost writes counts the same numbers again.
 */
export class AppliedChain {
  /** In the order in which they came. */
  readonly #idsByRevision = new Map<number, string>();
  #newestRevision = Number.NEGATIVE_INFINITY;

  /** Goes on from the last head to its child; several changes may be taken in one step. */
  add(standing: Standing): void {
    if (this.has(standing)) return;
    const { revision, id } = standing;
    // Somebody counted backwards: the numbers do not say any more what came first.
    if (revision <= this.#newestRevision) this.restart();
    this.#newestRevision = revision;
    this.#idsByRevision.set(revision, id);
    if (this.#idsByRevision.size > MAX_LINKS) {
      const oldest = this.#idsByRevision.keys().next().value;
      if (oldest !== undefined) this.#idsByRevision.delete(oldest);
    }
  }

  /** Begins anew: the next head is not known to descend from those before. */
  restart(): void {
    this.#idsByRevision.clear();
    this.#newestRevision = Number.NEGATIVE_INFINITY;
  }

  has({ revision, id }: Standing): boolean {
    return this.#idsByRevision.get(revision) === id;
  }

  /** True where the configuration at `standing` is known to hold the change that led to `change`. */
  holds(standing: Standing, change: Standing): boolean {
    return standing.revision >= change.revision && this.has(standing) && this.has(change);
  }
}
