import type { Delta } from '../../../lib/core/config/change.ts';
import type { StoreCondition, StoreListener, WritableConfigStore } from '../../../lib/store/config-store.ts';
import { ChangeSignal } from '../../helpers/change-signal.ts';

/** Listens to a store, for tests that wait until it has told something. */
export class StoreWatch implements StoreListener {
  hints = 0;
  readonly deltas: Delta[] = [];
  readonly #store: WritableConfigStore;
  readonly #changed = new ChangeSignal();

  constructor(store: WritableConfigStore) {
    this.#store = store;
    store.watch(this);
  }

  onHint(): void {
    this.hints += 1;
    this.#changed.notify();
  }

  onChange(delta: Delta): void {
    this.deltas.push(delta);
    this.#changed.notify();
  }

  onCondition(): void {
    this.#changed.notify();
  }

  /** Waits for a hint after the first `count`. */
  async hintAfter(count: number, limitMs?: number): Promise<void> {
    await this.#until(() => (this.hints > count ? true : undefined), limitMs);
  }

  async deltaCount(count: number): Promise<readonly Delta[]> {
    await this.#until(() => (this.deltas.length >= count ? true : undefined));
    return this.deltas;
  }

  /** Waits for a condition that `predicate` takes. */
  condition(predicate: (condition: StoreCondition) => boolean, limitMs?: number): Promise<StoreCondition> {
    return this.#until(() => {
      const { condition } = this.#store;
      return predicate(condition) ? condition : undefined;
    }, limitMs);
  }

  problem(pattern: RegExp, limitMs?: number): Promise<StoreCondition> {
    return this.condition(({ problem }) => problem !== null && pattern.test(problem), limitMs);
  }

  healthy(limitMs?: number): Promise<StoreCondition> {
    return this.condition(({ reachable, problem }) => reachable && problem === null, limitMs);
  }

  unreachable(limitMs?: number): Promise<StoreCondition> {
    return this.condition(({ reachable }) => !reachable, limitMs);
  }

  #until<T>(find: () => T | undefined, limitMs = 10_000): Promise<T> {
    return this.#changed.waitFor(find, limitMs, () => JSON.stringify([this.hints, this.#store.condition]));
  }
}
