const REMEMBERED_MS = 30_000;
const MOST_REMEMBERED = 1_000;

/**
 * Ids of keys that an issuer was asked for and did not have: who sends such tokens makes it be asked once in
 * 30 s an id. Of more than a thousand, the oldest are forgotten.
 */
export class UnknownKeyIds {
  readonly #untilMs = new Map<string, number>();

  has(id: string, nowMs: number): boolean {
    const untilMs = this.#untilMs.get(id);
    // A clock that was set back makes none of them last longer.
    return untilMs !== undefined && nowMs < untilMs && untilMs - nowMs <= REMEMBERED_MS;
  }

  add(id: string, nowMs: number): void {
    this.#untilMs.delete(id);
    if (this.#untilMs.size >= MOST_REMEMBERED) {
      const [oldest] = this.#untilMs.keys();
      if (oldest !== undefined) this.#untilMs.delete(oldest);
    }
    this.#untilMs.set(id, nowMs + REMEMBERED_MS);
  }
}
