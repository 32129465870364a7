import {
  DEFAULT_LOAD_BOUND,
  DEFAULT_PANIC_THRESHOLD_PERCENT,
  type LoadBalancing,
  type LoadBalancingPolicyName,
} from '../config/model.ts';
import { ActiveLoad } from './active-load.ts';
import type { BalancerEnvironment } from './balancer-environment.ts';
import type { BalancingPolicy } from './balancing-policy.ts';
import type { DestinationState } from './destination-state.ts';
import { isPanicking } from './panic.ts';
import { observeLatency } from './peak-ewma.ts';
import { createBalancingPolicy } from './policy-factory.ts';
import type { Preview } from './preview.ts';

export type { BalancerEnvironment };

const DEFAULT_POLICY: LoadBalancingPolicyName = 'powerOfTwoChoices';

/** Who is usable, and whether so few are healthy that all are. */
export interface Assessment<D> {
  readonly usable: readonly D[];
  readonly panicking: boolean;
}

/**
 * Chooses destinations for the requests of one cluster in one worker: members and their health decide
 * who is usable, the policy of the cluster chooses among those. Nothing is shared with other workers.
 */
export class Balancer<D extends DestinationState> {
  readonly #environment: BalancerEnvironment;
  readonly #load = new ActiveLoad();
  #policyName: LoadBalancingPolicyName = DEFAULT_POLICY;
  #loadBound = DEFAULT_LOAD_BOUND;
  #policy: BalancingPolicy;
  #panicThresholdPercent = DEFAULT_PANIC_THRESHOLD_PERCENT;
  #destinations: readonly D[] = [];
  #destinationsById: ReadonlyMap<string, D> = new Map();
  #usable: readonly D[] = [];
  #isPanicking = false;
  /** Health often changes for many at once: what follows from it is worked out once, when it is needed. */
  #isStale = false;

  /** @throws RangeError if the worker's offset is not an integer of at least 0 */
  constructor(environment: BalancerEnvironment) {
    const { workerOffset } = environment;
    if (!Number.isSafeInteger(workerOffset) || workerOffset < 0) {
      throw new RangeError(`workerOffset is ${workerOffset}: give an integer of at least 0`);
    }
    this.#environment = environment;
    this.#policy = this.#createPolicy();
  }

  /**
   * Takes the settings and the members of the cluster. Pass the same objects for destinations that stay:
   * their counters, and their place in the rotation while the policy is the same, live on. Call it also
   * after changing the weight of a destination.
   */
  configure(loadBalancing: LoadBalancing | undefined, destinations: readonly D[]): void {
    const policyName = loadBalancing?.policy ?? DEFAULT_POLICY;
    const loadBound = loadBalancing?.hash?.loadBound ?? DEFAULT_LOAD_BOUND;
    if (policyName !== this.#policyName || loadBound !== this.#loadBound) {
      this.#policyName = policyName;
      this.#loadBound = loadBound;
      this.#policy = this.#createPolicy();
    }
    this.#panicThresholdPercent = loadBalancing?.panicThresholdPercent ?? DEFAULT_PANIC_THRESHOLD_PERCENT;
    this.#destinations = [...destinations];
    this.#destinationsById = new Map(destinations.map((destination) => [destination.id, destination]));
    this.#refreshUsable();
  }

  /** Says whether a destination is healthy; word of one that is not a member is ignored. */
  setHealth(id: string, healthy: boolean): void {
    const destination = this.#destinationsById.get(id);
    if (destination === undefined || destination.healthy === healthy) return;
    destination.healthy = healthy;
    this.#isStale = true;
  }

  /**
   * Returns the next usable destination that is not in `tried`, or null when there is none.
   *
   * @param hash of the request, from `hashKeyOf`; any number where `needsHash` is false
   * @param tried where the request was already sent; null on the first attempt
   */
  pick(hash: number, tried: readonly D[] | null): D | null {
    if (this.#isStale) this.#refreshUsable();
    // A policy only returns what it was given, and it was given objects of this type.
    return this.#policy.pick(hash, tried) as D | null;
  }

  /**
   * Tells where `pick` would send the next request, or null where it has nobody. Nothing changes by it: no turn
   * is taken, nothing is drawn, and what was said about health takes effect only with the next pick.
   *
   * @param hash of the request, as `pick` takes it
   */
  preview(hash: number): Preview<D> | null {
    const { usable } = this.assess();
    const [first, second] = usable;
    if (first === undefined) return null;
    if (second === undefined) return { destination: first, certain: true, reason: 'the only usable one' };
    return this.#policy.preview(hash, usable) as Preview<D>;
  }

  /** Who is offered to the next request, and whether that is panic. */
  assess(): Assessment<D> {
    return this.#isStale ? this.#judgeHealth() : { usable: this.#usable, panicking: this.#isPanicking };
  }

  /** Counts a request that is now sent to `destination`. Each needs one `end`, however it goes. */
  begin(destination: D): void {
    destination.active += 1;
    if (destination.usable) this.#load.active += 1;
  }

  /**
   * Counts a request to `destination` as done.
   *
   * @param latencyMs until the head of the response; negative if the destination failed before one came;
   *   if the client went away before one came, the time it had waited
   */
  end(destination: D, latencyMs: number): void {
    // Never below 0: a destination with −1 requests would look better than any other, for ever.
    if (destination.active > 0) {
      destination.active -= 1;
      if (destination.usable) this.#load.active -= 1;
    }
    if (this.#policyName === 'peakEwma') observeLatency(destination, latencyMs, this.#environment.nowMs());
  }

  get policyName(): LoadBalancingPolicyName {
    return this.#policyName;
  }

  /** Whether the policy looks at the hash of the request. */
  get needsHash(): boolean {
    return this.#policyName === 'consistentHash';
  }

  /** Whether so few members are healthy that all are used. */
  get panicking(): boolean {
    if (this.#isStale) this.#refreshUsable();
    return this.#isPanicking;
  }

  /** All members, in the order in which they were given. */
  get destinations(): readonly D[] {
    return this.#destinations;
  }

  /** The members that are offered to requests: the healthy ones or, in panic, all. */
  get usable(): readonly D[] {
    if (this.#isStale) this.#refreshUsable();
    return this.#usable;
  }

  #createPolicy(): BalancingPolicy {
    return createBalancingPolicy(this.#policyName, this.#environment, this.#loadBound, this.#load);
  }

  #judgeHealth(): Assessment<D> {
    const members = this.#destinations;
    const healthy = members.filter((member) => member.healthy);
    const panicking = isPanicking(healthy.length, members.length, this.#panicThresholdPercent);
    return { usable: panicking ? members : healthy, panicking };
  }

  #refreshUsable(): void {
    this.#isStale = false;
    const { usable, panicking } = this.#judgeHealth();
    this.#isPanicking = panicking;
    for (const destination of this.#usable) destination.usable = false;
    this.#load.active = 0;
    for (const destination of usable) {
      destination.usable = true;
      this.#load.active += destination.active;
    }
    this.#usable = usable;
    this.#policy.update(usable);
  }
}
