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

/**
 * The part of a worker in the limits of an instance: an equal one, and at least one request, so that with fewer
 * requests than workers the instance takes one a worker.
 */
export function gateSettingsOf(
  limits: { maxConcurrent?: number; maxWaiting?: number; maxWaitMs?: number } | undefined,
  workers: number,
): GateSettings {
  if (limits?.maxConcurrent === undefined) return OPEN_GATE;
  return {
    maxConcurrent: Math.max(1, Math.floor(limits.maxConcurrent / workers)),
    maxWaiting: Math.ceil((limits.maxWaiting ?? 0) / workers),
    maxWaitMs: limits.maxWaitMs ?? DEFAULT_MAX_WAIT_MS,
  };
}

/**
 * Counts the requests that are under way, and keeps some waiting, in the order of their coming. The limits are
 * those of whoever comes, so that a change of them takes effect with the table that it belongs to.
 */
export class ConcurrencyGate {
  #active = 0;
  readonly #waiting = new Map<GateWaiter, GateSettings>();

  get active(): number {
    return this.#active;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Lets one in, or keeps it waiting where it may wait; then `onTurn` follows, unless it leaves before. */
  enter(waiter: GateWaiter, settings: GateSettings): GateAnswer {
    if (this.enterAtOnce(settings)) return 'entered';
    if (this.#waiting.size >= settings.maxWaiting) return 'full';
    this.#waiting.set(waiter, settings);
    return 'waiting';
  }

  /** Lets one in that does not wait. */
  enterAtOnce({ maxConcurrent }: GateSettings): boolean {
    if (this.#active >= maxConcurrent || this.#waiting.size > 0) return false;
    this.#active += 1;
    return true;
  }

  /** One that was in is done. */
  leave(): void {
    this.#active -= 1;
    for (const [next, { maxConcurrent }] of this.#waiting) {
      if (this.#active >= maxConcurrent) return;
      this.#waiting.delete(next);
      this.#active += 1;
      next.onTurn();
    }
  }

  /** One does not wait any longer. */
  leaveQueue(waiter: GateWaiter): void {
    this.#waiting.delete(waiter);
  }
}
