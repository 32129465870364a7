import type { InstanceCountFile } from '../store/instance-count-file.ts';

/** An instance that is not heard of for so long is gone: as long as its record lives. */
const LIFETIME_MS = 7_000;
/** More instances than this are not counted. */
const MAX_INSTANCES = 1_000;

/**
 * How many other instances share the limits. They do so also while nobody can hear them, so their number outlives a
 * restart: otherwise each instance that starts then would take a limit for its own.
 */
export class OtherInstances {
  readonly #own: string;
  readonly #file: InstanceCountFile | null;
  readonly #onChange: () => void;
  /** When each was last heard of. */
  readonly #heardAtMs = new Map<string, number>();
  /** How many there were before this one started. */
  #expected = 0;
  #expectedAtMs = Number.NEGATIVE_INFINITY;
  #count = 0;

  /**
   * @param own the name of this instance
   * @param file null where nothing is shared
   */
  constructor(own: string, file: InstanceCountFile | null, onChange: () => void) {
    this.#own = own;
    this.#file = file;
    this.#onChange = onChange;
  }

  get count(): number {
    return this.#count;
  }

  /** Begins with those that there were the last time, until they have had the time to be heard. */
  async load(): Promise<void> {
    if (this.#file === null) return;
    this.#expected = Math.min(MAX_INSTANCES, (await this.#file.load()) - 1);
    this.#expectedAtMs = performance.now();
    this.#recount();
  }

  /** An instance is there. */
  note(instance: string): void {
    if (instance === this.#own) return;
    if (!this.#heardAtMs.has(instance) && this.#heardAtMs.size >= MAX_INSTANCES) return;
    this.#heardAtMs.set(instance, performance.now());
    this.#recount();
  }

  /** Forgets who has fallen silent. @param hearsOthers whether others can be heard now */
  forgetSilent(hearsOthers: boolean): void {
    const nowMs = performance.now();
    // They are most likely there all the same: nobody takes over their part.
    if (!hearsOthers) this.#expectedAtMs = nowMs;
    else if (nowMs - this.#expectedAtMs > LIFETIME_MS) this.#expected = 0;
    for (const [instance, heardAtMs] of this.#heardAtMs) {
      if (!hearsOthers) this.#heardAtMs.set(instance, nowMs);
      else if (nowMs - heardAtMs > LIFETIME_MS) this.#heardAtMs.delete(instance);
    }
    this.#recount();
  }

  /** Resolves when the number is kept. */
  async close(): Promise<void> {
    await this.#file?.flush();
  }

  #recount(): void {
    const count = Math.max(this.#heardAtMs.size, this.#expected);
    if (count === this.#count) return;
    this.#count = count;
    this.#file?.save(1 + count);
    this.#onChange();
  }
}
