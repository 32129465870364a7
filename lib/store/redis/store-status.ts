import type { StoreCondition } from '../config-store.ts';

/** Puts together what is known of the store's condition, and tells when it changes. */
export class StoreStatus {
  readonly #onChange: (condition: StoreCondition) => void;
  #connectionProblem: string | null;
  #writeProblem: string | null = null;
  #feedProblem: string | null = null;
  #condition: StoreCondition;

  /** @param connecting what is said until the first attempt to connect is over */
  constructor(connecting: string, onChange: (condition: StoreCondition) => void) {
    this.#onChange = onChange;
    this.#connectionProblem = connecting;
    this.#condition = { reachable: false, problem: connecting, since: new Date().toISOString() };
  }

  get condition(): StoreCondition {
    return this.#condition;
  }

  setReachable(): void {
    this.#connectionProblem = null;
    this.#update();
  }

  setUnreachable(problem: string): void {
    this.#connectionProblem = problem;
    this.#update();
  }

  /** Why writes are refused; null where they are not. */
  setWriteProblem(problem: string | null): void {
    this.#writeProblem = problem;
    this.#update();
  }

  /** Why news do not come by themselves; null where they do. */
  setFeedProblem(problem: string | null): void {
    this.#feedProblem = problem;
    this.#update();
  }

  #update(): void {
    const before = this.#condition;
    const reachable = this.#connectionProblem === null;
    const problem = this.#connectionProblem ?? this.#writeProblem ?? this.#feedProblem;
    if (reachable === before.reachable && problem === before.problem) return;
    // In other words it is still the same: attempts to connect fail in several ways, one after the other.
    const isSame = reachable === before.reachable && (problem === null) === (before.problem === null);
    const since = isSame ? before.since : new Date().toISOString();
    this.#condition = { reachable, problem, since };
    this.#onChange(this.#condition);
  }
}
