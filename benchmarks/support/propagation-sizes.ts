/** How large the parts of the propagation benchmark are. */
export interface Sizes {
  /** Routes in the parts `changes`, `churn` and `faults`. */
  readonly routes: number;
  readonly changes: number;
  readonly snapshotRoutes: number;
  readonly changedRoutes: number;
  readonly churnSeconds: number;
  readonly changesPerSecond: number;
  readonly pauseSeconds: number;
}

export const ROUTES_A_CLUSTER = 100;

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
