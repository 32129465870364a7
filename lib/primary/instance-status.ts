import type { InstanceStatus, WorkerStatus } from '../admin/control-plane.ts';
import type { ConfigStore } from '../store/config-store.ts';
import type { ConfigKeeper, RefusedConfiguration } from './config-keeper.ts';
import type { WorkerHandle } from './worker-handle.ts';

/** What a status is made of. */
export interface StatusParts {
  readonly instance: string;
  readonly version: string;
  readonly startedAt: string;
  readonly store: ConfigStore;
  readonly keeper: ConfigKeeper;
  workers(): readonly WorkerHandle[];
  addresses(): Pick<InstanceStatus, 'listen' | 'listenTls' | 'admin'>;
  isReady(): boolean;
  isApplied(): boolean;
  requestsPerSecond(): number;
  materials(): InstanceStatus['materials'];
}

/** How this instance is now. */
export function describeInstance(parts: StatusParts): InstanceStatus {
  const { instance, version, startedAt, store, keeper } = parts;
  const { kind, source, writable, condition } = store;
  const { head, table } = keeper;
  return {
    instance,
    version,
    startedAt,
    at: new Date().toISOString(),
    ...parts.addresses(),
    ready: parts.isReady(),
    requestsPerSecond: parts.requestsPerSecond(),
    store: { kind, source, writable, ...condition },
    configuration: {
      revision: head.revision,
      id: head.id,
      at: head.at,
      routes: table.configuration.routes.size,
      clusters: table.configuration.clusters.size,
      fingerprint: table.fingerprint,
      applied: parts.isApplied(),
      degraded: explainDegradation(store, keeper),
      refused: describeRefusal(keeper.refused),
    },
    materials: parts.materials(),
    workers: parts.workers().map(describeWorker),
  };
}

/** Why what is served is not what the store holds, or may not be; null where it is. */
function explainDegradation(store: ConfigStore, keeper: ConfigKeeper): string | null {
  if (!keeper.hasConfiguration) return 'there is no configuration to serve yet';
  if (keeper.storeIsEmpty) {
    return 'the store is empty: what it held before is served until someone writes';
  }
  if (!store.condition.reachable) return 'the store cannot be reached: what it held last is served';
  if (keeper.refused !== null) return 'the newest configuration of the store is refused';
  return null;
}

function describeRefusal(refused: RefusedConfiguration | null): InstanceStatus['configuration']['refused'] {
  if (refused === null) return null;
  const { head, at, problems } = refused;
  return { revision: head?.revision ?? null, at, problems, problemCount: problems.length };
}

function describeWorker(worker: WorkerHandle): WorkerStatus {
  const { applied } = worker.channel;
  return {
    worker: worker.id,
    slot: worker.slot,
    pid: worker.pid,
    state: worker.state,
    revision: applied?.revision ?? null,
    id: applied?.id ?? null,
    fingerprint: applied?.fingerprint ?? null,
  };
}
