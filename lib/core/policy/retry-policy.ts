import type { Cluster, RetryCondition } from '../config/model.ts';
import { DEFAULT_RETRY } from '../config/model.ts';

/** Methods that may be sent twice with the effect of once (RFC 9110 §9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'QUERY']);

/** Retries may be this share of the active requests … */
const BUDGET_SHARE = 0.2;
/** … and always this many, so that a quiet cluster can retry at all. */
const BUDGET_FLOOR = 3;

/** Decides whether a failed attempt is followed by another. One a cluster and worker; it counts the retries under way. */
export class RetryPolicy {
  readonly attempts: number;
  readonly #onConnect: boolean;
  readonly #onReset: boolean;
  readonly #onTimeout: boolean;
  readonly #statuses: ReadonlySet<number>;

  constructor(retry: Cluster['retry']) {
    const on: readonly (RetryCondition | number)[] = retry?.on ?? DEFAULT_RETRY.on;
    this.attempts = retry?.attempts ?? DEFAULT_RETRY.attempts;
    this.#onConnect = on.includes('connect');
    this.#onReset = on.includes('reset');
    this.#onTimeout = on.includes('timeout');
    this.#statuses = new Set(on.filter((condition) => typeof condition === 'number'));
  }

  /** A request that never left may be repeated whatever its method; one that may have arrived, only if that does no harm. */
  allowsAfterFailure(condition: RetryCondition | null, method: string): boolean {
    switch (condition) {
      case 'connect':
        return this.#onConnect;
      case 'reset':
        return this.#onReset && IDEMPOTENT.has(method);
      case 'timeout':
        return this.#onTimeout && IDEMPOTENT.has(method);
      default:
        return false;
    }
  }

  isIdempotent(method: string): boolean {
    return IDEMPOTENT.has(method);
  }

  allowsAfterStatus(status: number, method: string): boolean {
    return this.#statuses.size > 0 && this.#statuses.has(status) && IDEMPOTENT.has(method);
  }
}

/** Whether one more retry fits the budget: retries may not multiply the load of an origin that is failing. */
export function retryFitsBudget(activeRequests: number, activeRetries: number): boolean {
  return activeRetries < BUDGET_FLOOR + BUDGET_SHARE * activeRequests;
}
