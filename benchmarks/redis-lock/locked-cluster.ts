/**
 * A cluster of the gateway whose balancer counts in Redis, under a lock taken for every request. All else is the
 * gateway's: a request waits for Redis where others wait for a concurrency limit.
 */
import { Redis } from 'ioredis';
import { Balancer } from '../../lib/core/balancing/balancer.ts';
import type { Cluster } from '../../lib/core/config/model.ts';
import {
  ConcurrencyGate,
  type GateAnswer,
  type GateSettings,
  type GateWaiter,
} from '../../lib/core/policy/concurrency-gate.ts';
import type { ProxiedDestination } from '../../lib/proxy/destination.ts';
import { type ClusterServices, ProxiedCluster } from '../../lib/proxy/proxied-cluster.ts';
import { SharedCounters } from './shared-counters.ts';

/** Says that there is something to wait for; how long is a matter of the lock. */
const LOCKED_GATE: GateSettings = {
  maxConcurrent: Number.POSITIVE_INFINITY,
  maxWaiting: Number.POSITIVE_INFINITY,
  maxWaitMs: Number.POSITIVE_INFINITY,
};

let connection: Redis | null = null;

/** One connection a worker, for all clusters. */
function redis(): Redis {
  connection ??= new Redis({ host: '127.0.0.1', port: Number(process.env.REDIS_LOCK_PORT) });
  return connection;
}

/** Gives each request what was chosen for it in Redis, and tells Redis when it is over. */
class LockedBalancer extends Balancer<ProxiedDestination> {
  readonly #counters: SharedCounters;
  #chosen: ProxiedDestination | null = null;

  constructor(counters: SharedCounters, services: ClusterServices) {
    super(services.balancing);
    this.#counters = counters;
  }

  /** Chooses in Redis. @returns null where there is no destination, no lock in time, or no Redis */
  async choose(): Promise<ProxiedDestination | null> {
    const ids = this.usable.map(({ id }) => id);
    const chosen = await this.#counters.take(ids).catch(() => null);
    return this.destinations.find(({ id }) => id === chosen) ?? null;
  }

  /** Runs what picks at once, and gets `chosen`; what it does not use is given back. */
  offer(chosen: ProxiedDestination | null, use: () => void): void {
    this.#chosen = chosen;
    use();
    const unused = this.#chosen;
    this.#chosen = null;
    if (unused !== null) this.#giveBack(unused);
  }

  override pick(): ProxiedDestination | null {
    return this.#chosen;
  }

  override begin(destination: ProxiedDestination): void {
    this.#chosen = null;
    super.begin(destination);
  }

  override end(destination: ProxiedDestination, latencyMs: number): void {
    super.end(destination, latencyMs);
    this.#giveBack(destination);
  }

  #giveBack({ id }: ProxiedDestination): void {
    // What is not counted down is seen at the end of the run.
    void this.#counters.giveBack(id).catch(() => null);
  }
}

/** Where a request waits until Redis has chosen for it. */
class LockedGate extends ConcurrencyGate {
  readonly #balancer: LockedBalancer;
  readonly #choosing = new Set<GateWaiter>();

  constructor(balancer: LockedBalancer) {
    super();
    this.#balancer = balancer;
  }

  override enter(waiter: GateWaiter): GateAnswer {
    this.#choosing.add(waiter);
    void this.#letIn(waiter);
    return 'waiting';
  }

  override leaveQueue(waiter: GateWaiter): void {
    this.#choosing.delete(waiter);
  }

  /** Whoever is in is counted by the balancer. */
  override leave(): void {}

  async #letIn(waiter: GateWaiter): Promise<void> {
    const chosen = await this.#balancer.choose();
    this.#balancer.offer(chosen, () => {
      if (this.#choosing.delete(waiter)) waiter.onTurn();
    });
  }
}

class LockedCluster extends ProxiedCluster {
  override readonly balancer: LockedBalancer;
  override readonly gate: LockedGate;

  constructor(id: string, settings: Cluster, services: ClusterServices) {
    super(id, settings, services);
    this.balancer = new LockedBalancer(new SharedCounters(redis(), id), services);
    this.gate = new LockedGate(this.balancer);
    // Once more, for the balancer that was not there yet.
    this.apply(settings);
  }

  override apply(settings: Cluster): void {
    super.apply(settings);
    this.gateSettings = LOCKED_GATE;
  }
}

export { LockedCluster as ProxiedCluster };
