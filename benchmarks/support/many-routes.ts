/** Configurations of any size, all of whose routes lead to one origin. */
import type { Operation } from '../../lib/core/config/change.ts';
import type { Cluster, Route } from '../../lib/core/config/model.ts';

/** A document of routes `r0`, `r1`, … spread over clusters `c0`, `c1`, …: `/r17/any` is answered by route r17. */
export class ManyRoutes {
  readonly #clusterCount: number;
  readonly #originPort: number;

  constructor(clusterCount: number, originPort: number) {
    this.#clusterCount = clusterCount;
    this.#originPort = originPort;
  }

  cluster(weight = 1): Cluster {
    return { destinations: { origin: { url: `http://127.0.0.1:${this.#originPort}`, weight } } };
  }

  /** `version` is all that two values of a route differ in. */
  route(index: number, version = 0): Route {
    return {
      match: { path: `/r${index}/{**rest}`, methods: ['GET', 'POST'] },
      cluster: `c${index % this.#clusterCount}`,
      requestHeaders: { set: { 'x-version': String(version) } },
    };
  }

  putRoute(index: number, version = 0): Operation {
    return { op: 'put', kind: 'route', id: `r${index}`, value: this.route(index, version) };
  }

  putCluster(index: number, weight = 1): Operation {
    return { op: 'put', kind: 'cluster', id: `c${index}`, value: this.cluster(weight) };
  }

  /** All clusters, and the routes below a number. */
  operations(routeCount: number): Operation[] {
    return [
      ...Array.from({ length: this.#clusterCount }, (_, index) => this.putCluster(index)),
      ...Array.from({ length: routeCount }, (_, index) => this.putRoute(index)),
    ];
  }

  /** As a document; the routes below `changedCount` are of another version. */
  document(routeCount: number, changedCount: number, version: number): object {
    const clusters = Array.from({ length: this.#clusterCount }, (_, index) => [`c${index}`, this.cluster()]);
    const routes = Array.from({ length: routeCount }, (_, index) => [
      `r${index}`,
      this.route(index, index < changedCount ? version : 0),
    ]);
    return { clusters: Object.fromEntries(clusters), routes: Object.fromEntries(routes) };
  }
}
