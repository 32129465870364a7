import type { Operation } from '../core/config/change.ts';
import { ContentFingerprint, hashEntry } from '../core/config/fingerprint.ts';
import type { Cluster, Route } from '../core/config/model.ts';
import type { DestinationHealth } from '../core/health/health-report.ts';
import type { UnhealthyDestinations } from '../core/health/unhealthy-destinations.ts';
import { RouteStats, type StatsRegistry } from '../core/metrics/route-stats.ts';
import { ConcurrencyGate } from '../core/policy/concurrency-gate.ts';
import type { RequestFacts } from '../core/routing/request-facts.ts';
import { RouteCache } from '../core/routing/route-cache.ts';
import type { RouteExplanation } from '../core/routing/route-explanation.ts';
import type { RoutePolicies } from '../proxy/policies/route-policies.ts';
import { type ClusterServices, ProxiedCluster } from '../proxy/proxied-cluster.ts';
import { ProxiedRoute } from '../proxy/proxied-route.ts';
import type { RouteFinder } from '../proxy/proxy-context.ts';
import { TrustTable } from '../proxy/trust-table.ts';
import { runAtOnce, type SlicedWork } from './work-queue.ts';

/** What routes and whom they trust need of their worker. */
export interface RouteServices extends ClusterServices {
  compilePolicies(id: string, route: Route): RoutePolicies | null;
}

/** A cluster of one table. Tables may share the cluster itself, and then differ in the settings they want it to have. */
interface ClusterEntry {
  readonly cluster: ProxiedCluster;
  readonly contentHash: number;
}

/**
 * The configuration as a worker runs it. Operations cost what they touch; what they do not touch stays the
 * same object.
 *
 * A change has two steps. `change` concerns the table alone: other tables that share its clusters notice
 * nothing. `settle`, once requests go by the table, brings the clusters in line with it. Between the two a
 * request finds its cluster already changed, because `match` sees to that.
 */
export class RoutingTable implements RouteFinder {
  readonly #stats: StatsRegistry;
  readonly #unhealthy: UnhealthyDestinations;
  readonly #services: RouteServices;
  readonly #clusters = new Map<string, ClusterEntry>();
  readonly #routes = new RouteCache<ProxiedRoute>();
  readonly #fingerprint = new ContentFingerprint();
  /** Issuers, consumers and certificates. */
  readonly trust: TrustTable;
  /** Settings that are to be applied, clusters that no other table has, and those that leave: empty once settled. */
  readonly #staged = new Map<ProxiedCluster, Cluster>();
  readonly #created = new Set<ProxiedCluster>();
  readonly #leaving = new Set<ProxiedCluster>();

  /** `unhealthy`: what is known of destinations that this table does not have yet. The table only reads it. */
  constructor(services: RouteServices, stats: StatsRegistry, unhealthy: UnhealthyDestinations) {
    this.#services = services;
    this.trust = new TrustTable(this.#fingerprint, services.materials);
    this.#stats = stats;
    this.#unhealthy = unhealthy;
  }

  get routeCount(): number {
    return this.#routes.size;
  }

  get clusterCount(): number {
    return this.#clusters.size;
  }

  /** Of all that the table holds. */
  get fingerprint(): string {
    return this.#fingerprint.toString();
  }

  match(facts: RequestFacts): ProxiedRoute | null {
    const route = this.#routes.match(facts);
    if (this.#staged.size > 0 && route !== null) this.#applyStaged(route.cluster);
    return route;
  }

  /** Why `match` gives what it gives; `limit` is how many candidates are listed. */
  explain(facts: RequestFacts, limit: number): RouteExplanation<ProxiedRoute> {
    const explanation = this.#routes.explain(facts, limit);
    // As with a match, what is told of the cluster is what it will be for a request.
    if (explanation.winner !== null) this.#applyStaged(explanation.winner.value.cluster);
    return explanation;
  }

  /** Says whether a destination is healthy, now; word of one that is not there is ignored. */
  setHealth({ cluster, destination, healthy }: DestinationHealth): void {
    this.#clusters.get(cluster)?.cluster.balancer.setHealth(destination, healthy);
  }

  /**
   * Applies operations in one go, in the given order, which must be one that never leaves a route without
   * its cluster.
   * @throws Error where one of them cannot be applied
   */
  apply(operations: readonly Operation[]): void {
    runAtOnce(this.change(operations));
    runAtOnce(this.settle());
  }

  /** Takes over all that another table holds, into this empty one. The other must not change meanwhile. */
  *copy(other: RoutingTable): SlicedWork {
    for (const [id, entry] of other.#clusters) {
      this.#clusters.set(id, entry);
      this.#fingerprint.add(entry.contentHash);
      yield;
    }
    yield* this.trust.copy(other.trust);
    for (const entry of other.#routes.entries()) {
      this.#routes.insert(entry);
      this.#fingerprint.add(entry.value.contentHash);
      yield;
    }
  }

  /** The first step of a change. @throws as `apply` */
  *change(operations: readonly Operation[]): SlicedWork {
    for (const operation of operations) {
      this.#changeOne(operation);
      yield;
    }
  }

  /** The second step of a change, which cannot fail. */
  *settle(): SlicedWork {
    this.#created.clear();
    for (const cluster of this.#staged.keys()) {
      this.#applyStaged(cluster);
      yield;
    }
    for (const cluster of this.#leaving) {
      this.#leaving.delete(cluster);
      cluster.retire();
      yield;
    }
  }

  #changeOne(operation: Operation): void {
    const { op, kind, id } = operation;
    if (kind === 'cluster') {
      if (op === 'put') this.#putCluster(id, operation.value);
      else this.#deleteCluster(id);
    } else if (kind === 'route') {
      if (op === 'put') this.#putRoute(id, operation.value);
      else this.#deleteRoute(id);
    } else {
      this.trust.change(operation);
    }
  }

  #putCluster(id: string, settings: Cluster): void {
    const known = this.#clusters.get(id);
    const contentHash = hashEntry('cluster', id, settings);
    const cluster = known?.cluster ?? this.#createCluster(id, settings);
    if (known !== undefined) {
      this.#fingerprint.remove(known.contentHash);
      this.#staged.set(cluster, settings);
    }
    this.#fingerprint.add(contentHash);
    this.#clusters.set(id, { cluster, contentHash });
  }

  #createCluster(id: string, settings: Cluster): ProxiedCluster {
    const cluster = new ProxiedCluster(id, settings, this.#services);
    this.#applyHealth(cluster);
    this.#created.add(cluster);
    return cluster;
  }

  #applyStaged(cluster: ProxiedCluster): void {
    const settings = this.#staged.get(cluster);
    if (settings === undefined) return;
    this.#staged.delete(cluster);
    cluster.apply(settings);
    this.#applyHealth(cluster);
  }

  /** Its new destinations begin as healthy. */
  #applyHealth(cluster: ProxiedCluster): void {
    for (const destination of this.#unhealthy.of(cluster.id)) cluster.balancer.setHealth(destination, false);
  }

  #deleteCluster(id: string): void {
    const known = this.#clusters.get(id);
    if (known === undefined) return;
    this.#fingerprint.remove(known.contentHash);
    this.#clusters.delete(id);
    this.#staged.delete(known.cluster);
    this.#leaving.add(known.cluster);
  }

  #putRoute(id: string, route: Route): void {
    const entry = this.#clusters.get(route.cluster);
    if (entry === undefined)
      throw new Error(`route ${id} needs cluster ${route.cluster}, which is not there`);
    const { cluster } = entry;
    const before = this.#routes.get(id);
    const stats =
      before?.stats.cluster === cluster.id ? before.stats : new RouteStats(id, cluster.id, this.#stats);
    const policies = this.#services.compilePolicies(id, route);
    const gate = before?.gate ?? new ConcurrencyGate();
    const contentHash = hashEntry('route', id, route);
    const proxied = new ProxiedRoute(id, route, cluster, stats, contentHash, policies, gate);
    this.#routes.put(id, route.match, route.order ?? 0, proxied);
    if (before !== undefined) this.#fingerprint.remove(before.contentHash);
    this.#fingerprint.add(proxied.contentHash);
  }

  #deleteRoute(id: string): void {
    const before = this.#routes.get(id);
    if (before === undefined) return;
    this.#fingerprint.remove(before.contentHash);
    this.#routes.delete(id);
  }

  /** Lets what is under way finish, then closes the connections to the origins. */
  *retire(): SlicedWork {
    for (const { cluster } of this.#clusters.values()) {
      cluster.retire();
      yield;
    }
  }

  /** Gives up a table that requests never went by: clusters of other tables live on. */
  *discard(): SlicedWork {
    for (const cluster of this.#created) {
      cluster.destroy();
      yield;
    }
  }

  destroy(): void {
    for (const { cluster } of this.#clusters.values()) cluster.destroy();
  }
}
