/** What instances tell each other, read back: it comes from outside, so nothing in it is taken on trust. */
import type { InstanceStatus } from '../admin/control-plane.ts';
import type { Standing } from '../core/config/applied-chain.ts';
import type { InstanceRecord } from '../store/shared-state.ts';

/** So many problems of a refused configuration travel along. */
const MAX_TOLD_PROBLEMS = 5;

/** The status as it is announced: with the first few problems only. */
export function recordOf(status: InstanceStatus): InstanceRecord {
  const { refused } = status.configuration;
  if (refused === null || refused.problems.length <= MAX_TOLD_PROBLEMS) return { ...status };
  const problems = refused.problems.slice(0, MAX_TOLD_PROBLEMS);
  return { ...status, configuration: { ...status.configuration, refused: { ...refused, problems } } };
}

/** The status that a record holds; null where it is not one that this version understands. */
export function statusOf(record: InstanceRecord): InstanceStatus | null {
  const { configuration, workers, startedAt, store } = record as unknown as Partial<InstanceStatus>;
  const isComplete =
    typeof record.instance === 'string' &&
    typeof startedAt === 'string' &&
    isObject(store) &&
    isObject(configuration) &&
    Number.isSafeInteger(configuration.revision) &&
    typeof configuration.id === 'string' &&
    Array.isArray(workers) &&
    workers.every((worker) => isObject(worker) && Number.isSafeInteger(worker.worker));
  return isComplete ? (record as unknown as InstanceStatus) : null;
}

/** Where a worker stands, null before its first configuration. */
export function standingOf({ revision, id }: InstanceStatus['workers'][number]): Standing | null {
  return revision === null || id === null ? null : { revision, id };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
