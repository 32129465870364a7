import { ClusterUsers } from './cluster-users.ts';
import { ConflictIndex } from './conflict-index.ts';
import { ContentFingerprint } from './fingerprint.ts';
import type { Cluster, Route } from './model.ts';

/** What a configuration table is made of: the entries, and what follows from them. */
export interface TableParts {
  readonly clusters: Map<string, Cluster>;
  readonly routes: Map<string, Route>;
  readonly conflicts: ConflictIndex;
  readonly users: ClusterUsers;
  readonly fingerprint: ContentFingerprint;
}

export function emptyTableParts(): TableParts {
  return {
    clusters: new Map(),
    routes: new Map(),
    conflicts: new ConflictIndex(),
    users: new ClusterUsers(),
    fingerprint: new ContentFingerprint(),
  };
}
