/** From unknown data to a table, in slices: the one way, with whole documents. */
import { ClusterDirectory } from './cluster-directory.ts';
import { checkCluster } from './cluster-rules.ts';
import { ClusterUsers } from './cluster-users.ts';
import { ConfigurationTable } from './configuration-table.ts';
import { reportRouteConflicts } from './conflicts.ts';
import { checkDocumentSchema, checkEntrySchema, entryPointer } from './entry-schema.ts';
import { ContentFingerprint, hashEntry } from './fingerprint.ts';
import { omitEmptyLaterSections } from './later-parts.ts';
import { type Cluster, COLLECTIONS, KINDS, type Kind, type Route } from './model.ts';
import { checkPlainDataInSlices, isPlainObject } from './plain-data.ts';
import type { Problem } from './problem.ts';
import { type Findings, noFindings, type ProblemList } from './problem-list.ts';
import { checkRoute } from './route-rules.ts';
import { SLICE_SIZE, SliceMeter } from './slices.ts';
import type { TableParts } from './table-parts.ts';

export interface LoadedDocument {
  /** Null where there is a problem. Its values are those of the document, not copies. */
  readonly table: ConfigurationTable | null;
  /** What must be mended, all of it, up to 1,000 entries and a last one with the number of the others. */
  readonly problems: readonly Problem[];
  /** What works but is hardly meant; bounded in the same way. */
  readonly warnings: readonly Problem[];
}

/**
 * Checks a document that was parsed from JSON or YAML, conflicts between its routes included, and makes a
 * table of it. Never throws, whatever it is given. The rules beyond the schema are checked for every entry
 * that fits the schema, also where another one does not. The document must not change until it has ended.
 */
export function* loadDocument(document: unknown): Generator<void, LoadedDocument> {
  const findings = noFindings();
  const { problems, warnings } = findings;
  const mayBeRead = yield* checkPlainDataInSlices(document, problems);
  const parts = mayBeRead ? yield* readParts(document, findings) : null;
  return {
    table: parts === null ? null : new ConfigurationTable(parts),
    problems: problems.toArray(),
    warnings: warnings.toArray(),
  };
}

function* readParts(document: unknown, findings: Findings): Generator<void, TableParts | null> {
  const entries = yield* readEntries(omitEmptyLaterSections(document), findings.problems);
  yield* checkClusters(entries.clusters, findings);
  yield* checkRoutes(entries, findings);
  const conflicts = yield* reportRouteConflicts(entries.routes, findings);
  if (!findings.problems.isEmpty) {
    return null;
  }
  const { clusters, routes } = entries;
  const users = yield* listUsers(routes);
  const fingerprint = new ContentFingerprint();
  yield* addHashes('cluster', clusters, fingerprint);
  yield* addHashes('route', routes, fingerprint);
  return { clusters, routes, conflicts, users, fingerprint };
}

/** The entries of a document that fit the schema. */
interface Entries {
  readonly clusters: Map<string, Cluster>;
  readonly routes: Map<string, Route>;
  /** Of all clusters, also those that do not fit. */
  readonly clusterIds: Set<string>;
}

function* readEntries(document: unknown, problems: ProblemList): Generator<void, Entries> {
  const entries: Entries = { clusters: new Map(), routes: new Map(), clusterIds: new Set() };
  if (!isPlainObject(document)) {
    checkDocumentSchema(document, problems);
    return entries;
  }
  for (const name of Object.keys(document)) {
    const section = document[name];
    const kind = KINDS.find((known) => COLLECTIONS[known] === name);
    if (kind === undefined) {
      checkDocumentSchema({ [name]: section }, problems);
    } else if (isPlainObject(section)) {
      yield* readSection(kind, section, entries, problems);
    } else if (section !== undefined) {
      // Undefined is no plain data, so that has been reported.
      checkDocumentSchema({ [name]: section }, problems);
    }
  }
  return entries;
}

function* readSection(
  kind: Kind,
  section: Record<string, unknown>,
  entries: Entries,
  problems: ProblemList,
): Generator<void, void> {
  const fitting: Map<string, unknown> = entries[COLLECTIONS[kind]];
  const meter = new SliceMeter();
  for (const id of Object.keys(section)) {
    const value = section[id];
    if (kind === 'cluster') {
      entries.clusterIds.add(id);
    }
    if (checkEntrySchema(kind, id, value, problems)) {
      fitting.set(id, value);
    }
    if (meter.isFullAfter(1)) {
      yield;
    }
  }
}

function* checkClusters(clusters: ReadonlyMap<string, Cluster>, findings: Findings): Generator<void, void> {
  const meter = new SliceMeter();
  for (const [id, cluster] of clusters) {
    checkCluster(entryPointer('cluster', id), cluster, findings);
    if (meter.isFullAfter(1 + Object.keys(cluster.destinations).length)) {
      yield;
    }
  }
}

/** A near name is looked for, which takes as long as many other checks. */
const MISSING_CLUSTER_WORK = SLICE_SIZE / 2;

function* checkRoutes({ routes, clusterIds }: Entries, findings: Findings): Generator<void, void> {
  const directory = new ClusterDirectory(clusterIds);
  const meter = new SliceMeter();
  for (const [id, route] of routes) {
    const hasCluster = directory.check(id, route.cluster, findings.problems);
    checkRoute(entryPointer('route', id), route, findings);
    if (meter.isFullAfter(hasCluster ? 1 : MISSING_CLUSTER_WORK)) {
      yield;
    }
  }
}

function* listUsers(routes: ReadonlyMap<string, Route>): Generator<void, ClusterUsers> {
  const users = new ClusterUsers();
  const meter = new SliceMeter();
  for (const [id, route] of routes) {
    users.add(route.cluster, id);
    if (meter.isFullAfter(1)) {
      yield;
    }
  }
  return users;
}

function* addHashes(
  kind: Kind,
  entries: ReadonlyMap<string, unknown>,
  fingerprint: ContentFingerprint,
): Generator<void, void> {
  const meter = new SliceMeter();
  for (const [id, value] of entries) {
    fingerprint.add(hashEntry(kind, id, value));
    if (meter.isFullAfter(1)) {
      yield;
    }
  }
}
