/** Bytes that come in pieces, one behind the other. Grows by doubling, so that many small pieces cost what they are. */
const SMALLEST_BYTES = 1_024;

export class GrowingBuffer {
  #bytes: Buffer | null = null;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A view that is valid until the next piece comes. */
  get bytes(): Buffer {
    return this.#bytes?.subarray(0, this.#length) ?? Buffer.alloc(0);
  }

  /** Copies them. */
  append(bytes: Buffer): void {
    const needed = this.#length + bytes.length;
    if (this.#bytes === null || needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(SMALLEST_BYTES, 2 * needed));
      this.#bytes?.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = needed;
  }

  /** Forgets what is there; views of it stay what they are. */
  clear(): void {
    this.#bytes = null;
    this.#length = 0;
  }
}
