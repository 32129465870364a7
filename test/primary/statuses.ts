import type { InstanceStatus } from '../../lib/admin/control-plane.ts';
import type { Standing } from '../../lib/core/config/applied-chain.ts';

const AT = new Date(0).toISOString();

/** An instance all of whose workers serve the same, unless `more` says something else. */
export function statusAt(
  instance: string,
  { revision, id }: Standing,
  more: Partial<InstanceStatus> = {},
): InstanceStatus {
  return {
    instance,
    version: '0',
    startedAt: AT,
    at: AT,
    listen: '127.0.0.1:1',
    admin: '127.0.0.1:2',
    ready: true,
    requestsPerSecond: 0.5,
    store: { kind: 'redis', source: 'redis:x', writable: true, reachable: true, problem: null, since: AT },
    configuration: {
      revision,
      id,
      at: AT,
      routes: 0,
      clusters: 0,
      fingerprint: '1',
      applied: true,
      degraded: null,
      refused: null,
    },
    materials: [],
    workers: [{ worker: 1, slot: 0, pid: 1, state: 'serving', revision, id, fingerprint: '1' }],
    ...more,
  };
}
