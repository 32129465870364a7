/** Which routes use which cluster: what must not go as long as somebody needs it. */
export class ClusterUsers {
  readonly #routesByCluster = new Map<string, Set<string>>();

  add(clusterId: string, routeId: string): void {
    const routes = this.#routesByCluster.get(clusterId);
    if (routes === undefined) {
      this.#routesByCluster.set(clusterId, new Set([routeId]));
    } else {
      routes.add(routeId);
    }
  }

  remove(clusterId: string, routeId: string): void {
    const routes = this.#routesByCluster.get(clusterId);
    routes?.delete(routeId);
    if (routes?.size === 0) {
      this.#routesByCluster.delete(clusterId);
    }
  }

  /** The ids of the routes that use a cluster: a live view. */
  routesOf(clusterId: string): ReadonlySet<string> {
    return this.#routesByCluster.get(clusterId) ?? NO_ROUTES;
  }
}

const NO_ROUTES: ReadonlySet<string> = new Set();
