/** Who serves a change, and why the others do not: read off what instances say of themselves. */
import type { AppliedChain, Standing } from './applied-chain.ts';

/** What has to be known of a worker. */
export interface ServingWorker {
  readonly worker: number;
  readonly state: string;
  readonly revision: number | null;
  readonly id: string | null;
}

/** What has to be known of an instance. */
export interface ServingInstance {
  readonly instance: string;
  readonly configuration: {
    readonly revision: number;
    readonly id: string;
    readonly refused: {
      readonly revision: number | null;
      readonly problems: readonly { readonly message: string }[];
    } | null;
  };
  readonly store: { readonly reachable: boolean };
  readonly workers: readonly ServingWorker[];
}

export interface Receipt {
  readonly instance: string;
  readonly worker: number;
  readonly revision: number;
  readonly ok: boolean;
  readonly problem?: string;
}

/**
 * One receipt a worker that takes part. A worker counts only where what it serves is known to descend from
 * the change: a greater number alone proves nothing.
 */
export function receiptsOf(status: ServingInstance, change: Standing, chain: AppliedChain): Receipt[] {
  const receipts = status.workers
    .filter(({ state }) => state !== 'gone')
    .map((worker) => receiptOf(status, worker, change, chain));
  if (receipts.length > 0) return receipts;
  const { revision } = status.configuration;
  return [{ instance: status.instance, worker: 0, revision, ok: false, problem: 'it has no workers now' }];
}

function receiptOf(
  status: ServingInstance,
  worker: ServingWorker,
  change: Standing,
  chain: AppliedChain,
): Receipt {
  const { instance } = status;
  const revision = worker.revision ?? 0;
  const standing = worker.id === null ? null : { revision, id: worker.id };
  // One that drains still answers requests of its connections.
  const isInService = worker.state === 'serving' || worker.state === 'draining';
  const serves = standing !== null && isInService && chain.holds(standing, change);
  if (serves) return { instance, worker: worker.worker, revision, ok: true };
  const problem = explainAbsence(status, worker, change, chain);
  return { instance, worker: worker.worker, revision, ok: false, problem };
}

function explainAbsence(
  { configuration, store }: ServingInstance,
  worker: ServingWorker,
  change: Standing,
  chain: AppliedChain,
): string {
  const { refused } = configuration;
  if (refused !== null && (refused.revision === null || refused.revision >= change.revision)) {
    return `the instance refuses the configuration: ${refused.problems[0]?.message ?? 'no reason given'}`;
  }
  if (!store.reachable) return 'the instance cannot reach the store';
  if (worker.state === 'starting' || worker.state === 'loading') return `the worker is ${worker.state}`;
  if (!chain.has(change)) return 'the store does not hold the change any more, or this instance cannot tell';
  if (configuration.revision < change.revision) return 'the instance has not taken the change yet';
  return 'the worker has not confirmed the change yet';
}
