const LOW_RANGE = 2 ** 32;
/** With the 32 low bits that makes 53: what a number holds exactly. */
const HIGH_BITS = 21;

/**
 * Gives the hash of a key, an integer from 0 to 2^53 - 1, the same for all who share the limit. It has to depend on
 * a secret: who sends requests can choose keys, and with one that has the hash of somebody else's would press, and
 * take over, that one's part of the limit.
 */
export type RateKeyHash = (key: string) => number;

/**
 * A map by the hashes of keys. They come from other instances, too, by way of a channel, and engines hash numbers in
 * a way that everybody knows: thousands could be made to land in one chain, and each look-up walk along it. A salt
 * that nobody knows prevents that.
 */
export class RateKeyMap<Value> {
  readonly #values = new Map<number, Value>();
  readonly #salt: number;

  /** @param salt an integer of 32 bits without sign, by chance */
  constructor(salt: number) {
    this.#salt = salt;
  }

  get size(): number {
    return this.#values.size;
  }

  get(key: number): Value | undefined {
    return this.#values.get(this.#salted(key));
  }

  set(key: number, value: Value): void {
    this.#values.set(this.#salted(key), value);
  }

  delete(key: number): void {
    this.#values.delete(this.#salted(key));
  }

  clear(): void {
    this.#values.clear();
  }

  values(): MapIterator<Value> {
    return this.#values.values();
  }

  /** One to one: both halves are changed by themselves. */
  #salted(key: number): number {
    const high = Math.floor(key / LOW_RANGE);
    const low = key % LOW_RANGE;
    return (high ^ (this.#salt >>> (32 - HIGH_BITS))) * LOW_RANGE + ((low ^ this.#salt) >>> 0);
  }
}
