import type { Delta } from '../core/config/change.ts';
import type { StoreCondition, StoreListener } from './config-store.ts';

/** Those who watch a store. They are told after what is under way, so that none of them can disturb it. */
export class StoreListeners {
  readonly #listeners: StoreListener[] = [];

  add(listener: StoreListener): void {
    this.#listeners.push(listener);
  }

  /** Nothing is told any more, not even what is on its way. */
  clear(): void {
    this.#listeners.length = 0;
  }

  tellHint(): void {
    this.#tellEach((listener) => listener.onHint());
  }

  /** A listener that takes no changes gets a hint in its place. */
  tellChange(delta: Delta): void {
    this.#tellEach((listener) => {
      if (listener.onChange === undefined) listener.onHint();
      else listener.onChange(delta);
    });
  }

  tellCondition(condition: StoreCondition): void {
    this.#tellEach((listener) => listener.onCondition?.(condition));
  }

  #tellEach(tell: (listener: StoreListener) => void): void {
    for (const listener of this.#listeners) {
      queueMicrotask(() => {
        if (this.#listeners.includes(listener)) tell(listener);
      });
    }
  }
}
