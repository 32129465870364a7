/** Something that waits at a gate for its turn. */
export interface GateWaiter {
  /** Its turn has come: it is in. */
  onTurn(): void;
}

/** What a gate says to whoever comes. */
export type GateAnswer = 'entered' | 'waiting' | 'full';

export interface GateSettings {
  readonly maxConcurrent: number;
  readonly maxWaiting: number;
  readonly maxWaitMs: number;
}

/** Where a route or cluster sets no limit. */
export const OPEN_GATE: GateSettings = {
  maxConcurrent: Number.POSITIVE_INFINITY,
  maxWaiting: 0,
  maxWaitMs: 0,
};

const DEFAULT_MAX_WAIT_MS = 1_000;

/** Which of an instance's workers one is. */
export interface WorkerPlace {
  /** From 0. */
  readonly slot: number;
  /** How many there are. */
  readonly workers: number;
}

/**
 * The part of a worker in the limits of an instance: an equal one, and the first workers have one more each where
 * something remains. At least one request, so that with fewer requests than workers the instance takes one a worker.
 */
export function gateSettingsOf(
  limits: { maxConcurrent?: number; maxWaiting?: number; maxWaitMs?: number } | undefined,
  place: WorkerPlace,
): GateSettings {
  if (limits?.maxConcurrent === undefined) return OPEN_GATE;
  return {
    maxConcurrent: Math.max(1, partOf(limits.maxConcurrent, place)),
    maxWaiting: partOf(limits.maxWaiting ?? 0, place),
    maxWaitMs: limits.maxWaitMs ?? DEFAULT_MAX_WAIT_MS,
  };
}

function partOf(whole: number, { slot, workers }: WorkerPlace): number {
  return Math.floor(whole / workers) + (slot < whole % workers ? 1 : 0);
}

/**
 * Counts the requests that are under way, and keeps some waiting, in the order of their coming. The limits are those
 * of whoever came last, so that a change of them takes effect with the table that it belongs to, also for those that
 * wait.
 */
export class ConcurrencyGate {
  #active = 0;
  #settings: GateSettings = OPEN_GATE;
  /** Null where nobody has waited yet: every route has a gate, and few ever keep anybody waiting. */
  #waiting: Set<GateWaiter> | null = null;
  #isAdmitting = false;

  get active(): number {
    return this.#active;
  }

  get waiting(): number {
    return this.#waiting?.size ?? 0;
  }

  /** Takes other limits. Those that wait and have room under them are let in. */
  apply(settings: GateSettings): void {
    if (settings === this.#settings) return;
    this.#settings = settings;
    this.#admitWaiting();
  }

  /** Lets one in, or keeps it waiting where it may wait; then `onTurn` follows, unless it leaves before. */
  enter(waiter: GateWaiter, settings: GateSettings): GateAnswer {
    if (this.enterAtOnce(settings)) return 'entered';
    if (this.waiting >= settings.maxWaiting) return 'full';
    this.#waiting ??= new Set();
    this.#waiting.add(waiter);
    return 'waiting';
  }

  /** Lets one in that does not wait. */
  enterAtOnce(settings: GateSettings): boolean {
    this.apply(settings);
    if (this.#active >= settings.maxConcurrent || this.waiting > 0) return false;
    this.#active += 1;
    return true;
  }

  /** One that was in is done. */
  leave(): void {
    this.#active -= 1;
    this.#admitWaiting();
  }

  /** One does not wait any longer. */
  leaveQueue(waiter: GateWaiter): void {
    this.#waiting?.delete(waiter);
  }

  #admitWaiting(): void {
    // One that is let in may leave at once, refused by another gate: the loop under way lets in the next, as one
    // call within the other for each that waits would exhaust the stack.
    if (this.#isAdmitting || this.#waiting === null) return;
    this.#isAdmitting = true;
    for (const next of this.#waiting) {
      if (this.#active >= this.#settings.maxConcurrent) break;
      this.#waiting.delete(next);
      this.#active += 1;
      next.onTurn();
    }
    this.#isAdmitting = false;
  }
}
