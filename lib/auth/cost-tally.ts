import { costOf, DEFAULT_COST, isSameCost, type ScryptCost } from './password-hash.ts';

interface Tallied {
  readonly cost: ScryptCost;
  count: number;
}

/** How costly the password hashes of a table are. They are of a few costs only, mostly of one. */
export class CostTally {
  #tallied: Tallied[] = [];
  /** Null where it has to be found anew. */
  #highest: ScryptCost | null = null;

  /** That of the costliest; the usual one where there are no hashes. */
  get highest(): ScryptCost {
    this.#highest ??= this.#findHighest();
    return this.#highest;
  }

  add(hash: string): void {
    const cost = costOf(hash);
    const tallied = this.#tallied.find((one) => isSameCost(one.cost, cost));
    if (tallied === undefined) this.#tallied.push({ cost, count: 1 });
    else tallied.count += 1;
    this.#highest = null;
  }

  /** Takes one out that was added. */
  remove(hash: string): void {
    const cost = costOf(hash);
    const tallied = this.#tallied.find((one) => isSameCost(one.cost, cost));
    if (tallied === undefined) return;
    tallied.count -= 1;
    if (tallied.count === 0) this.#tallied = this.#tallied.filter((one) => one !== tallied);
    this.#highest = null;
  }

  #findHighest(): ScryptCost {
    let highest: ScryptCost | null = null;
    for (const { cost } of this.#tallied) {
      if (highest === null || workOf(cost) > workOf(highest)) highest = cost;
    }
    return highest ?? DEFAULT_COST;
  }
}

/** What the time goes by (RFC 7914 §2). */
function workOf({ logN, blockSize, parallelism }: ScryptCost): number {
  return 2 ** logN * blockSize * parallelism;
}
