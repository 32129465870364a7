import type { StoreCondition } from './config-store.ts';

/** The condition of a store, and since when it has been so. */
export class ConditionRecord {
  readonly #onChange: (condition: StoreCondition) => void;
  #condition: StoreCondition = { reachable: true, problem: null, since: new Date().toISOString() };

  constructor(onChange: (condition: StoreCondition) => void) {
    this.#onChange = onChange;
  }

  get current(): StoreCondition {
    return this.#condition;
  }

  /** `problem` is null where all is well. Another reason for the same trouble does not make it a new one. */
  note(reachable: boolean, problem: string | null): void {
    const before = this.#condition;
    if (reachable === before.reachable && problem === before.problem) return;
    const isSame = reachable === before.reachable && (problem === null) === (before.problem === null);
    this.#condition = { reachable, problem, since: isSame ? before.since : new Date().toISOString() };
    this.#onChange(this.#condition);
  }
}
