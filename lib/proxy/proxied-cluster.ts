import type { Materials } from '../auth/materials.ts';
import { Balancer, type BalancerEnvironment } from '../core/balancing/balancer.ts';
import { equalValues } from '../core/config/equal-values.ts';
import type { Cluster, Destination, HashKey, OriginTls as OriginTlsSettings } from '../core/config/model.ts';
import { DEFAULT_TIMEOUTS } from '../core/config/model.ts';
import {
  ConcurrencyGate,
  type GateSettings,
  gateSettingsOf,
  OPEN_GATE,
  type WorkerPlace,
} from '../core/policy/concurrency-gate.ts';
import { RetryPolicy, retryFitsBudget } from '../core/policy/retry-policy.ts';
import { type ConnectionSettings, connectionSettingsOf, ProxiedDestination } from './destination.ts';
import type { Gated } from './gate-pass.ts';
import type { OriginServices } from './origin-access.ts';
import { OriginTls } from './tls/origin-tls.ts';

/** What clusters need of their worker. */
export interface ClusterServices extends OriginServices, WorkerPlace {
  readonly balancing: BalancerEnvironment;
  readonly materials: Materials;
}

/**
 * A cluster as one worker runs it. The object lives as long as the cluster's id: a change of its settings
 * is applied to it in place, so that counters, phases and connections that the change does not touch live on.
 */
export class ProxiedCluster implements Gated {
  readonly id: string;
  readonly balancer: Balancer<ProxiedDestination>;
  headersMs: number = DEFAULT_TIMEOUTS.headersMs;
  idleMs: number = DEFAULT_TIMEOUTS.idleMs;
  /** What requests are hashed by; null where the policy does not look at it. */
  hashKey: HashKey | null = null;
  retry: RetryPolicy = new RetryPolicy(undefined);
  readonly services: ClusterServices;
  readonly gate = new ConcurrencyGate();
  gateSettings: GateSettings = OPEN_GATE;
  activeRequests = 0;
  activeRetries = 0;
  #settings: Cluster = { destinations: {} };
  #connection: ConnectionSettings = connectionSettingsOf({ destinations: {} });
  #tls: OriginTls;
  #destinations = new Map<string, ProxiedDestination>();

  constructor(id: string, settings: Cluster, services: ClusterServices) {
    this.id = id;
    this.services = services;
    this.balancer = new Balancer(services.balancing);
    this.#tls = this.#createTls(null);
    this.apply(settings);
  }

  /** As they were applied last, without defaults. */
  get settings(): Cluster {
    return this.#settings;
  }

  /** The longest that a request may wait for a connection, queueing included. */
  get connectLimitMs(): number {
    return this.#connection.connectMs + this.headersMs;
  }

  get retryFitsBudget(): boolean {
    return retryFitsBudget(this.activeRequests, this.activeRetries);
  }

  apply(settings: Cluster): void {
    const before = this.#settings;
    this.#settings = settings;
    this.headersMs = settings.timeouts?.headersMs ?? DEFAULT_TIMEOUTS.headersMs;
    this.idleMs = settings.timeouts?.idleMs ?? DEFAULT_TIMEOUTS.idleMs;
    this.retry = new RetryPolicy(settings.retry);
    this.hashKey = settings.loadBalancing?.hash ?? null;
    this.gateSettings = gateSettingsOf(settings.limits, this.services);
    const retired = this.#replaceDestinations(settings, before);
    this.balancer.configure(settings.loadBalancing, [...this.#destinations.values()]);
    for (const destination of retired) destination.retire();
    // Last, as those that it lets in are forwarded at once.
    this.gate.apply(this.gateSettings);
  }

  /** Builds the new set of destinations, keeping those whose address and connection settings stay. */
  #replaceDestinations(settings: Cluster, before: Cluster): ProxiedDestination[] {
    const connection = connectionSettingsOf(settings);
    const sameConnection = equalValues(connection, this.#connection);
    // It holds the last good material: no other change may cost that.
    if (!equalValues(connection.tls, this.#connection.tls)) this.#tls = this.#createTls(connection.tls);
    this.#connection = connection;
    const old = this.#destinations;
    this.#destinations = new Map();
    for (const [id, destination] of Object.entries(settings.destinations)) {
      const known = old.get(id);
      if (known !== undefined && sameConnection && before.destinations[id]?.url === destination.url) {
        known.weight = destination.weight ?? 1;
        this.#destinations.set(id, known);
        old.delete(id);
      } else {
        this.#destinations.set(id, this.#createDestination(id, destination));
      }
    }
    return [...old.values()];
  }

  #createDestination(id: string, destination: Destination): ProxiedDestination {
    return new ProxiedDestination(id, destination, this.#connection, this.#tls, this.services);
  }

  #createTls(settings: OriginTlsSettings | null): OriginTls {
    return new OriginTls(settings ?? {}, this.services.materials);
  }

  retire(): void {
    for (const destination of this.#destinations.values()) destination.retire();
  }

  destroy(): void {
    for (const destination of this.#destinations.values()) destination.destroy();
  }
}
