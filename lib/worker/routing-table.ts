import type { BalancerEnvironment } from '../core/balancing/balancer-environment.ts';
import type { Operation } from '../core/config/change.ts';
import type { Cluster, Route } from '../core/config/model.ts';
import { RouteStats, type StatsRegistry } from '../core/metrics/route-stats.ts';
import type { RequestFacts } from '../core/routing/request-facts.ts';
import { RouteCache } from '../core/routing/route-cache.ts';
import { ProxiedCluster } from '../proxy/proxied-cluster.ts';
import { ProxiedRoute } from '../proxy/proxied-route.ts';
import type { RouteFinder } from '../proxy/proxy-context.ts';

/** The configuration as a worker runs it. Operations cost what they touch; what they do not touch stays the same object. */
export class RoutingTable implements RouteFinder {
  readonly #environment: BalancerEnvironment;
  readonly #stats: StatsRegistry;
  readonly #clusters = new Map<string, ProxiedCluster>();
  readonly #routes = new RouteCache<ProxiedRoute>();

  constructor(environment: BalancerEnvironment, stats: StatsRegistry) {
    this.#environment = environment;
    this.#stats = stats;
  }

  get routeCount(): number {
    return this.#routes.size;
  }

  get clusterCount(): number {
    return this.#clusters.size;
  }

  match(facts: RequestFacts): ProxiedRoute | null {
    return this.#routes.match(facts);
  }

  /**
   * Applies operations in the given order, which must be one that never leaves a route without its cluster.
   * @throws Error where one of them cannot be applied
   */
  apply(operations: readonly Operation[]): void {
    for (const operation of operations) this.#applyOne(operation);
  }

  #applyOne(operation: Operation): void {
    if (operation.op === 'delete') {
      if (operation.kind === 'cluster') this.#deleteCluster(operation.id);
      else this.#routes.delete(operation.id);
    } else if (operation.kind === 'cluster') {
      this.#putCluster(operation.id, operation.value);
    } else {
      this.#putRoute(operation.id, operation.value);
    }
  }

  #putCluster(id: string, settings: Cluster): void {
    const known = this.#clusters.get(id);
    if (known === undefined) this.#clusters.set(id, new ProxiedCluster(id, settings, this.#environment));
    else known.apply(settings);
  }

  #deleteCluster(id: string): void {
    this.#clusters.get(id)?.retire();
    this.#clusters.delete(id);
  }

  #putRoute(id: string, route: Route): void {
    const cluster = this.#clusters.get(route.cluster);
    if (cluster === undefined)
      throw new Error(`route ${id} needs cluster ${route.cluster}, which is not there`);
    const before = this.#routes.get(id)?.stats;
    const stats = before?.cluster === cluster.id ? before : new RouteStats(id, cluster.id, this.#stats);
    this.#routes.put(id, route.match, route.order ?? 0, new ProxiedRoute(id, route, cluster, stats));
  }

  /** Lets what is under way finish, then closes the connections to the origins. */
  retire(): void {
    for (const cluster of this.#clusters.values()) cluster.retire();
  }

  destroy(): void {
    for (const cluster of this.#clusters.values()) cluster.destroy();
  }
}
