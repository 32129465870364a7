import { hashString } from '../balancing/hash.ts';

const LOW_SEED = 0x2c1b3c6d;
const HIGH_SEED = 0x297a2d39;
const LOW_RANGE = 2 ** 32;
/** With the 32 low bits that makes 53: what a number holds exactly. */
const HIGH_BITS = 21;

/** The hash of a text, an integer of 53 bits without sign, the same everywhere. Whoever wants to can make two texts alike. */
export function hashRateKey(text: string): number {
  return (hashString(text, HIGH_SEED) >>> (32 - HIGH_BITS)) * LOW_RANGE + hashString(text, LOW_SEED);
}

/**
 * A map by `hashRateKey`. Such hashes can be chosen by who sends requests, and engines hash numbers in a way
 * that everybody knows: thousands of keys could be made to land in one chain, and each look-up walk along it.
 * A salt that nobody knows prevents that.
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

  values(): Iterable<Value> {
    return this.#values.values();
  }

  /** One to one: both halves are changed by themselves. */
  #salted(key: number): number {
    const high = Math.floor(key / LOW_RANGE);
    const low = key % LOW_RANGE;
    return (high ^ (this.#salt >>> (32 - HIGH_BITS))) * LOW_RANGE + ((low ^ this.#salt) >>> 0);
  }
}
