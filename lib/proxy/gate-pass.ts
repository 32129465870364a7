/** The way of one request through the concurrency limits of its route and of its cluster. */
import { ERRORS, type ErrorDefinition } from '../core/errors.ts';
import type { ConcurrencyGate, GateSettings, GateWaiter } from '../core/policy/concurrency-gate.ts';

const AT_ROUTE = 0;
const AT_CLUSTER = 1;
const IN = 2;
const OUT = 3;
type Stage = 0 | 1 | 2 | 3;

/** A limit as it is for one request. */
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
  readonly #gates: readonly [route: ConcurrencyGate, cluster: ConcurrencyGate];
  readonly #settings: readonly [route: GateSettings, cluster: GateSettings];
  readonly #owner: GatePassOwner;
  #stage: Stage = AT_ROUTE;
  #waitingSinceMs = -1;

  constructor(route: Gated, cluster: Gated, owner: GatePassOwner) {
    this.#gates = [route.gate, cluster.gate];
    this.#settings = [route.gateSettings, cluster.gateSettings];
    this.#owner = owner;
  }

  /** @returns true where the request may go on at once; otherwise the owner is told, now or later */
  enter(): boolean {
    while (this.#stage === AT_ROUTE || this.#stage === AT_CLUSTER) {
      const answer = this.#gates[this.#stage].enter(this, this.#settings[this.#stage]);
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
    const { maxWaitMs } = this.#settings[this.#stage === AT_ROUTE ? AT_ROUTE : AT_CLUSTER];
    if (nowMs - this.#waitingSinceMs > maxWaitMs) this.#refuse();
  }

  #refuse(): void {
    const error = this.#stage === AT_ROUTE ? ERRORS.routeOverloaded : ERRORS.clusterOverloaded;
    this.leave();
    this.#owner.onRefused(error);
  }

  /** The request is over, or gives up. Harmless when it has left already. */
  leave(): void {
    const [route, cluster] = this.#gates;
    const stage = this.#stage;
    this.#stage = OUT;
    if (stage === AT_ROUTE) route.leaveQueue(this);
    if (stage === AT_CLUSTER) cluster.leaveQueue(this);
    if (stage === IN) cluster.leave();
    if (stage === AT_CLUSTER || stage === IN) route.leave();
  }
}
