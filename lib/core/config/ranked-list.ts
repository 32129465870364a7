import { compareRank, type RouteScope } from './route-scope.ts';

/**
 * Chunks split beyond this. Where 100,000 routes share one host and path, to insert into one long list takes
 * 160 µs and more.
 */
const MAX_CHUNK_LENGTH = 512;

/** Routes from the best rank to the worst. They come and go in any order. */
export class RankedList {
  /** Stretches of the whole list, none of them empty. */
  #chunks: RouteScope[][] = [];

  get best(): RouteScope | null {
    return this.#chunks[0]?.[0] ?? null;
  }

  add(scope: RouteScope): void {
    const behind = findFirst(this.#chunks, (chunk) => compareRank(chunk.at(-1)!, scope) > 0);
    const chunkIndex = Math.min(behind, this.#chunks.length - 1);
    const chunk = this.#chunks[chunkIndex];
    if (chunk === undefined) {
      // Most lists hold one route: an array that grows to hold it has room for many more.
      this.#chunks = [[scope]];
      return;
    }
    const index = findFirst(chunk, (other) => compareRank(other, scope) > 0);
    chunk.splice(index, 0, scope);
    if (chunk.length > MAX_CHUNK_LENGTH) {
      this.#chunks.splice(chunkIndex + 1, 0, chunk.splice(MAX_CHUNK_LENGTH / 2));
    }
  }

  /** Takes a route out that was added. One that is equal to it, not the same object, will do. */
  remove(scope: RouteScope): void {
    const chunkIndex = findFirst(this.#chunks, (chunk) => compareRank(chunk.at(-1)!, scope) >= 0);
    const chunk = this.#chunks[chunkIndex]!;
    const index = findFirst(chunk, (other) => compareRank(other, scope) >= 0);
    chunk.splice(index, 1);
    if (chunk.length === 0) {
      this.#chunks.splice(chunkIndex, 1);
    }
  }

  /** The first of the `limit` best routes that `accept` accepts. */
  find(accept: (scope: RouteScope) => boolean, limit: number): RouteScope | null {
    let remaining = limit;
    for (const chunk of this.#chunks) {
      for (let index = 0; index < chunk.length; index += 1) {
        if (remaining === 0) {
          return null;
        }
        remaining -= 1;
        const scope = chunk[index]!;
        if (accept(scope)) {
          return scope;
        }
      }
    }
    return null;
  }

  /** The first route of an order that `accept` accepts. */
  findOfOrder(order: number, accept: (scope: RouteScope) => boolean): RouteScope | null {
    const first = findFirst(this.#chunks, (chunk) => chunk.at(-1)!.order >= order);
    for (let chunkIndex = first; chunkIndex < this.#chunks.length; chunkIndex += 1) {
      const chunk = this.#chunks[chunkIndex]!;
      // Rank begins with the order, so those of one order stand together.
      for (let index = findFirst(chunk, (scope) => scope.order >= order); index < chunk.length; index += 1) {
        const scope = chunk[index]!;
        if (scope.order !== order) {
          return null;
        }
        if (accept(scope)) {
          return scope;
        }
      }
    }
    return null;
  }

  /** The worst routes, `count` of them or all, from the worst rank up. */
  listWorst(count: number): readonly RouteScope[] {
    const worst: RouteScope[] = [];
    for (let chunkIndex = this.#chunks.length - 1; chunkIndex >= 0 && worst.length < count; chunkIndex -= 1) {
      worst.push(...this.#chunks[chunkIndex]!.slice(worst.length - count).reverse());
    }
    return worst;
  }

  /** All routes in their order. */
  toArray(): readonly RouteScope[] {
    return this.#chunks.flat();
  }
}

/** Binary search: the first index whose item is `beyond`, where all after it are so too; else the length. */
function findFirst<T>(items: readonly T[], beyond: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (beyond(items[middle]!)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}
