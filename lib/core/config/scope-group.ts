import { RankedList } from './ranked-list.ts';
import { isTwin, type RouteScope } from './route-scope.ts';

/** The most routes that one is compared with, beside those that ask nothing or ask the same. */
const MAX_COMPARED = 32;

/** The routes of one path shape and one host. They come and go in any order. */
export class ScopeGroup {
  readonly #ranked = new RankedList();
  #size = 0;
  /** Those with equal conditions, by the key of these; null until there are too many to look through. */
  #alike: Map<string, RankedList> | null = null;

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  add(scope: RouteScope): void {
    this.#ranked.add(scope);
    this.#size += 1;
    if (this.#alike !== null) {
      addAlike(this.#alike, scope);
    } else if (this.#size > MAX_COMPARED) {
      this.#alike = new Map();
      for (const ranked of this.#ranked.toArray()) {
        addAlike(this.#alike, ranked);
      }
    }
  }

  /** Takes a route out that was added. One that is equal to it, not the same object, will do. */
  remove(scope: RouteScope): void {
    this.#ranked.remove(scope);
    this.#size -= 1;
    const { key } = scope.conditions;
    const alike = this.#alike?.get(key);
    alike?.remove(scope);
    if (alike?.best === null) {
      this.#alike?.delete(key);
    }
  }

  /** The best ranked of the other routes that only their id tells from this one, or null. */
  findTwin(scope: RouteScope): RouteScope | null {
    const candidates = this.#alike === null ? this.#ranked : this.#alike.get(scope.conditions.key);
    const isOtherTwin = (other: RouteScope) => other.id !== scope.id && isTwin(other, scope);
    return candidates?.findOfOrder(scope.order, isOtherTwin) ?? null;
  }

  /** The first route that `accept` accepts, among those worth asking about a route with these conditions. */
  find(conditionsKey: string, accept: (candidate: RouteScope) => boolean): RouteScope | null {
    const found = this.#ranked.find(accept, MAX_COMPARED);
    if (found !== null) {
      return found;
    }
    for (const key of ['', conditionsKey]) {
      const best = this.#alike?.get(key)?.best ?? null;
      if (best !== null && accept(best)) {
        return best;
      }
    }
    return null;
  }

  /** The routes that are beaten first, from the worst rank up; of very many not all. */
  listWorst(): readonly RouteScope[] {
    return this.#ranked.listWorst(MAX_COMPARED);
  }
}

function addAlike(alike: Map<string, RankedList>, scope: RouteScope): void {
  const { key } = scope.conditions;
  let list = alike.get(key);
  if (list === undefined) {
    list = new RankedList();
    alike.set(key, list);
  }
  list.add(scope);
}
