import { ERRORS } from '../core/errors.ts';
import { ControlError } from './control-plane.ts';

const MAX_WAITING = 16;
const WAIT_MS = 10_000;

interface Waiter {
  readonly begin: () => void;
  readonly timer: NodeJS.Timeout;
}

/** Lets one after the other do something that costs much memory; a few may wait, and not for ever. */
export class Turns {
  readonly #what: string;
  readonly #waiting: Waiter[] = [];
  #isTaken = false;

  /** @param what takes turns, for those who are refused */
  constructor(what: string) {
    this.#what = what;
  }

  /**
   * Resolves when it is the caller's turn.
   * @returns what ends it; a second call does nothing
   * @throws ControlError where too many wait, or the wait is too long
   */
  async take(): Promise<() => void> {
    if (this.#isTaken) await this.#wait();
    this.#isTaken = true;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#next();
    };
  }

  #wait(): Promise<void> {
    if (this.#waiting.length >= MAX_WAITING) throw this.#refusal();
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(this.#refusal());
      };
      const waiter = { begin: resolve, timer: setTimeout(giveUp, WAIT_MS) };
      this.#waiting.push(waiter);
    });
  }

  /** The turn goes from hand to hand: whoever comes in between must not find it free. */
  #next(): void {
    const waiter = this.#waiting.shift();
    this.#isTaken = waiter !== undefined;
    if (waiter === undefined) return;
    clearTimeout(waiter.timer);
    waiter.begin();
  }

  #refusal(): ControlError {
    return new ControlError(ERRORS.busy, `${this.#what} are answered one after the other: try again later`);
  }
}
