/** Routes and the clusters they name, as a change would leave them. */
import type { Operation } from './change.ts';
import { ClusterDirectory, type ClusterIds } from './cluster-directory.ts';
import { entryPointer } from './entry-schema.ts';
import type { ProblemList } from './problem-list.ts';
import type { TableParts } from './table-parts.ts';

/** A change is checked in one go, so it gets fewer hints than a document. */
const MAX_SEARCHES = 3;
const MAX_NAMED_USERS = 3;

/**
 * Adds a problem for each route of the change whose cluster would be missing, and for each cluster that it
 * deletes while other routes use it. `fitting` are those of the operations whose values fit the schema.
 */
export function reportReferences(
  parts: TableParts,
  operations: readonly Operation[],
  fitting: readonly Operation[],
  problems: ProblemList,
): void {
  const clusters = new ClustersAfter(parts.clusters, operations);
  const directory = new ClusterDirectory(clusters, MAX_SEARCHES);
  for (const operation of fitting) {
    if (operation.op === 'put' && operation.kind === 'route') {
      directory.check(operation.id, operation.value.cluster, problems);
    }
  }
  reportUsedClusters(parts, operations, clusters.deleted, problems);
}

/** The ids of the clusters as they will be, without a copy of all. */
class ClustersAfter implements ClusterIds {
  readonly deleted = new Set<string>();
  readonly #put = new Set<string>();
  readonly #before: ReadonlyMap<string, unknown>;

  constructor(before: ReadonlyMap<string, unknown>, operations: readonly Operation[]) {
    this.#before = before;
    for (const { op, kind, id } of operations) {
      if (kind === 'cluster') {
        (op === 'put' ? this.#put : this.deleted).add(id);
      }
    }
  }

  /** An upper bound. */
  get size(): number {
    return this.#before.size + this.#put.size;
  }

  has(id: string): boolean {
    return this.#put.has(id) || (this.#before.has(id) && !this.deleted.has(id));
  }

  *keys(): Generator<string, void> {
    yield* this.#put;
    for (const id of this.#before.keys()) {
      if (!this.deleted.has(id)) {
        yield id;
      }
    }
  }
}

function reportUsedClusters(
  parts: TableParts,
  operations: readonly Operation[],
  deleted: ReadonlySet<string>,
  problems: ProblemList,
): void {
  const touched = new Set(operations.filter(({ kind }) => kind === 'route').map(({ id }) => id));
  const touchedUsers = countTouchedUsers(parts, touched);
  for (const clusterId of deleted) {
    const routes = parts.users.routesOf(clusterId);
    const userCount = routes.size - (touchedUsers.get(clusterId) ?? 0);
    if (userCount > 0) {
      const users = routes.values().filter((id) => !touched.has(id));
      problems.add(
        entryPointer('cluster', clusterId),
        `is still used by ${describeUsers([...users.take(MAX_NAMED_USERS)], userCount)}`,
        'change or delete what uses it in the same change',
      );
    }
  }
}

function describeUsers(named: readonly string[], userCount: number): string {
  const noun = userCount === 1 ? 'route' : 'routes';
  const names = named.map((id) => `"${id}"`).join(', ');
  const omitted = userCount - named.length;
  return omitted === 0 ? `${noun} ${names}` : `${noun} ${names} and ${omitted} more`;
}

/** How many of the touched routes use which cluster before the change. */
function countTouchedUsers(parts: TableParts, touched: ReadonlySet<string>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const id of touched) {
    const cluster = parts.routes.get(id)?.cluster;
    if (cluster !== undefined) {
      counts.set(cluster, (counts.get(cluster) ?? 0) + 1);
    }
  }
  return counts;
}
