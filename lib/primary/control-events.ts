import type { ControlEvent } from '../admin/control-plane.ts';

/** Hands what happens to everyone who wants to know. */
export class ControlEvents {
  readonly #listeners = new Set<(event: ControlEvent) => void>();

  /** @returns what ends the subscription */
  subscribe(onEvent: (event: ControlEvent) => void): () => void {
    this.#listeners.add(onEvent);
    return () => this.#listeners.delete(onEvent);
  }

  publish(event: ControlEvent): void {
    for (const onEvent of this.#listeners) onEvent(event);
  }
}
