/** What happens to workers, as the event stream of the management API tells it. */
import type { ControlEvent } from '../admin/control-plane.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** Null where the worker serves nothing yet. */
export function appliedEvent(instance: string, { id: worker, channel }: WorkerHandle): ControlEvent | null {
  if (channel.applied === null) return null;
  const { revision, id } = channel.applied;
  return { type: 'applied', instance, worker, revision, id };
}

export function workerEvent(
  instance: string,
  { id: worker, state }: WorkerHandle,
  reason: string | undefined,
): ControlEvent {
  const event = { type: 'worker', instance, worker, state } as const;
  return reason === undefined ? event : { ...event, reason };
}
