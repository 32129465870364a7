/** A bound on how long something is searched for, in steps that cost about the same. */
export class SearchEffort {
  #remaining: number;

  constructor(steps: number) {
    this.#remaining = steps;
  }

  get isSpent(): boolean {
    return this.#remaining === 0;
  }

  /** Takes one step. Returns false where none is left. */
  spend(): boolean {
    if (this.isSpent) {
      return false;
    }
    this.#remaining -= 1;
    return true;
  }
}
