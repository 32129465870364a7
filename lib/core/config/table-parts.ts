import { ConflictIndex } from './conflict-index.ts';
import { EntryUsers } from './entry-users.ts';
import { ContentFingerprint } from './fingerprint.ts';
import type { Certificate, Cluster, Consumer, Issuer, Route } from './model.ts';

/** What a configuration table is made of: the entries, and what follows from them. */
export interface TableParts {
  readonly clusters: Map<string, Cluster>;
  readonly issuers: Map<string, Issuer>;
  readonly consumers: Map<string, Consumer>;
  readonly certificates: Map<string, Certificate>;
  readonly routes: Map<string, Route>;
  readonly conflicts: ConflictIndex;
  readonly users: EntryUsers;
  readonly fingerprint: ContentFingerprint;
}

export function emptyTableParts(): TableParts {
  return {
    clusters: new Map(),
    issuers: new Map(),
    consumers: new Map(),
    certificates: new Map(),
    routes: new Map(),
    conflicts: new ConflictIndex(),
    users: new EntryUsers(),
    fingerprint: new ContentFingerprint(),
  };
}
