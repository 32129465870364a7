/** Counts of routes by their order, kept so that the lowest order is always at hand. */

/** Chunks split beyond this, so that one change moves few numbers however many orders there are. */
const MAXIMUM_CHUNK_LENGTH = 512;

/**
 * A bag of orders that knows its lowest. Nearly every bag holds one distinct order (most routes leave it
 * at 0), which costs two numbers; only a second one brings in a list.
 */
export class OrderTally {
  /** Has no meaning while `orderCount` is 0. */
  minimumOrder = 0;
  orderCount = 0;
  #orders: OrderList | null = null;

  addOrder(order: number): void {
    if (this.orderCount === 0) {
      this.minimumOrder = order;
    } else if (this.#orders === null && order !== this.minimumOrder) {
      this.#orders = new OrderList(this.minimumOrder, this.orderCount);
    }
    this.orderCount += 1;
    if (this.#orders !== null) {
      this.#orders.add(order);
      this.minimumOrder = this.#orders.minimum;
    }
  }

  /** Takes an order that was added and not yet removed. */
  removeOrder(order: number): void {
    this.orderCount -= 1;
    if (this.#orders === null) {
      return;
    }
    this.#orders.remove(order);
    this.minimumOrder = this.#orders.minimum;
    if (this.#orders.distinct === 1) {
      this.#orders = null;
    }
  }
}

/** Ascending distinct orders with their counts, in one stretch of the whole list. */
class OrderChunk {
  readonly orders: number[];
  readonly counts: number[];

  constructor(orders: number[], counts: number[]) {
    this.orders = orders;
    this.counts = counts;
  }

  /** Where `order` is, or where it belongs. */
  find(order: number): number {
    let low = 0;
    let high = this.orders.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.orders[middle] as number) < order) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** Cuts off the upper half, and returns it. */
  split(): OrderChunk {
    const middle = this.orders.length >>> 1;
    return new OrderChunk(this.orders.splice(middle), this.counts.splice(middle));
  }
}

/** A sorted list of distinct orders, cut into chunks, never empty between two calls. */
class OrderList {
  distinct = 1;
  readonly #chunks: OrderChunk[];

  constructor(order: number, count: number) {
    this.#chunks = [new OrderChunk([order], [count])];
  }

  get minimum(): number {
    return this.#chunks[0]?.orders[0] as number;
  }

  add(order: number): void {
    const chunkIndex = this.#findChunk(order);
    const chunk = this.#chunks[chunkIndex] as OrderChunk;
    const index = chunk.find(order);
    if (chunk.orders[index] === order) {
      chunk.counts[index] = (chunk.counts[index] as number) + 1;
      return;
    }
    chunk.orders.splice(index, 0, order);
    chunk.counts.splice(index, 0, 1);
    this.distinct += 1;
    if (chunk.orders.length > MAXIMUM_CHUNK_LENGTH) {
      this.#chunks.splice(chunkIndex + 1, 0, chunk.split());
    }
  }

  remove(order: number): void {
    const chunkIndex = this.#findChunk(order);
    const chunk = this.#chunks[chunkIndex] as OrderChunk;
    const index = chunk.find(order);
    const count = (chunk.counts[index] as number) - 1;
    if (count > 0) {
      chunk.counts[index] = count;
      return;
    }
    chunk.orders.splice(index, 1);
    chunk.counts.splice(index, 1);
    this.distinct -= 1;
    if (chunk.orders.length === 0) {
      this.#chunks.splice(chunkIndex, 1);
    }
  }

  /** The last chunk that starts at or below `order`; the first one where none does. */
  #findChunk(order: number): number {
    let low = 1;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#chunks[middle]?.orders[0] as number) <= order) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low - 1;
  }
}
