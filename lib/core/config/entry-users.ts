import type { Route } from './model.ts';
import { type NamedKind, referencesOf } from './route-references.ts';

/** Which routes name which entries: what must not go as long as somebody needs it. */
export class EntryUsers {
  readonly #routesByEntry = new Map<string, Set<string>>();

  add(routeId: string, route: Route): void {
    for (const { kind, id } of referencesOf(route)) {
      const key = `${kind} ${id}`;
      const routes = this.#routesByEntry.get(key);
      if (routes === undefined) {
        this.#routesByEntry.set(key, new Set([routeId]));
      } else {
        routes.add(routeId);
      }
    }
  }

  remove(routeId: string, route: Route): void {
    for (const { kind, id } of referencesOf(route)) {
      const key = `${kind} ${id}`;
      const routes = this.#routesByEntry.get(key);
      routes?.delete(routeId);
      if (routes?.size === 0) {
        this.#routesByEntry.delete(key);
      }
    }
  }

  /** The ids of the routes that name an entry: a live view. */
  routesOf(kind: NamedKind, id: string): ReadonlySet<string> {
    return this.#routesByEntry.get(`${kind} ${id}`) ?? NO_ROUTES;
  }
}

const NO_ROUTES: ReadonlySet<string> = new Set();
