/** Two hashes of one text that comes in parts, so that nobody has to put it together. */
import { mixBits, scrambleBlock } from '../balancing/hash.ts';

const LOW_SEED = 0x0f1e2d3c;
const HIGH_SEED = 0x5a6b7c8d;
/** Stands for a code unit that is not there: two of them make a block. */
const NONE = -1;

/** `hashString` of all that was added since `begin`, with two seeds at once. */
export class TextHash {
  #low = LOW_SEED;
  #high = HIGH_SEED;
  #length = 0;
  /** The first half of a block that is not complete yet. */
  #half = NONE;

  begin(): void {
    this.#low = LOW_SEED;
    this.#high = HIGH_SEED;
    this.#length = 0;
    this.#half = NONE;
  }

  add(text: string): void {
    let low = this.#low;
    let high = this.#high;
    let half = this.#half;
    for (let index = 0; index < text.length; index += 1) {
      const unit = text.charCodeAt(index);
      if (half === NONE) {
        half = unit;
        continue;
      }
      const block = scrambleBlock(half | (unit << 16));
      low = addBlock(low, block);
      high = addBlock(high, block);
      half = NONE;
    }
    this.#low = low;
    this.#high = high;
    this.#half = half;
    this.#length += text.length;
  }

  low(): number {
    return this.#finish(this.#low);
  }

  high(): number {
    return this.#finish(this.#high);
  }

  #finish(hash: number): number {
    const tail = this.#half === NONE ? 0 : scrambleBlock(this.#half);
    const lengthBytes = this.#length * 2;
    return mixBits(hash ^ tail ^ lengthBytes);
  }
}

function addBlock(hash: number, block: number): number {
  const mixed = hash ^ block;
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}
