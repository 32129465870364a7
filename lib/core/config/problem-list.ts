import type { Problem } from './problem.ts';

/** More than anyone reads, and little enough to keep, to send and to show. */
export const MAX_PROBLEMS = 1_000;

/** Gathers problems up to a bound, and counts the ones beyond it. */
export class ProblemList {
  readonly #problems: Problem[] = [];
  #omitted = 0;

  get isEmpty(): boolean {
    return this.#problems.length === 0;
  }

  get isFull(): boolean {
    return this.#problems.length === MAX_PROBLEMS;
  }

  add(pointer: string, message: string, hint?: string): void {
    if (this.isFull) {
      this.#omitted += 1;
    } else {
      this.#problems.push(hint === undefined ? { pointer, message } : { pointer, message, hint });
    }
  }

  /** The problems in the order in which they were found; a last one says how many were left out. */
  toArray(): readonly Problem[] {
    return this.#omitted === 0
      ? [...this.#problems]
      : [...this.#problems, { pointer: '', message: `and ${this.#omitted} more` }];
  }
}

/** What a check finds: problems refuse the configuration, warnings do not. */
export interface Findings {
  readonly problems: ProblemList;
  readonly warnings: ProblemList;
}

export function noFindings(): Findings {
  return { problems: new ProblemList(), warnings: new ProblemList() };
}
