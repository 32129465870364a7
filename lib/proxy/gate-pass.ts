/** The way of one request through the concurrency limits of its route and of its cluster. */
import { ERRORS, type ErrorDefinition } from '../core/errors.ts';
import type { ConcurrencyGate, GateSettings, GateWaiter } from '../core/policy/concurrency-gate.ts';

const AT_ROUTE = 0;
const AT_CLUSTER = 1;
const IN = 2;
const OUT = 3;
type Stage = 0 | 1 | 2 | 3;

/** What limits how many requests are under way. */
export interface Gated {
  readonly gate: ConcurrencyGate;
  readonly gateSettings: GateSettings;
}

export interface GatePassOwner {
  /** The request may go on. Not called where `enter` returns true. */
  onAdmitted(): void;
  onRefused(error: ErrorDefinition): void;
}

export class GatePass implements GateWaiter {
  readonly #gated: readonly [route: Gated, cluster: Gated];
  readonly #owner: GatePassOwner;
  #stage: Stage = AT_ROUTE;
  #waitingSinceMs = -1;

  constructor(route: Gated, cluster: Gated, owner: GatePassOwner) {
    this.#gated = [route, cluster];
    this.#owner = owner;
  }

  /** @returns true where the request may go on at once; otherwise the owner is told, now or later */
  enter(): boolean {
    while (this.#stage === AT_ROUTE || this.#stage === AT_CLUSTER) {
      const { gate, gateSettings } = this.#gated[this.#stage];
      const answer = gate.enter(this, gateSettings);
      if (answer === 'full') {
        this.#refuse();
        return false;
      }
      if (answer === 'waiting') {
        this.#waitingSinceMs = performance.now();
        return false;
      }
      this.#stage = this.#stage === AT_ROUTE ? AT_CLUSTER : IN;
    }
    return true;
  }

  onTurn(): void {
    this.#waitingSinceMs = -1;
    this.#stage = this.#stage === AT_ROUTE ? AT_CLUSTER : IN;
    if (this.enter()) this.#owner.onAdmitted();
  }

  /** Ends a wait that has taken too long. @param nowMs monotonic */
  checkLimits(nowMs: number): void {
    if (this.#waitingSinceMs < 0 || this.#stage > AT_CLUSTER) return;
    const { gateSettings } = this.#gated[this.#stage === AT_ROUTE ? AT_ROUTE : AT_CLUSTER];
    if (nowMs - this.#waitingSinceMs > gateSettings.maxWaitMs) this.#refuse();
  }

  #refuse(): void {
    const error = this.#stage === AT_ROUTE ? ERRORS.routeOverloaded : ERRORS.clusterOverloaded;
    this.leave();
    this.#owner.onRefused(error);
  }

  /** The request is over, or gives up. Harmless when it has left already. */
  leave(): void {
    const [route, cluster] = this.#gated;
    const stage = this.#stage;
    this.#stage = OUT;
    if (stage === AT_ROUTE) route.gate.leaveQueue(this);
    if (stage === AT_CLUSTER) cluster.gate.leaveQueue(this);
    // First, so that whoever follows on the route finds a place in the cluster.
    if (stage === IN) cluster.gate.leave();
    if (stage === AT_CLUSTER || stage === IN) route.gate.leave();
  }
}
