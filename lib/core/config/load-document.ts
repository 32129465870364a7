/** From unknown data to a table, in slices: the one way, with whole documents. */
import type { PutOperation } from './change.ts';
import { ConfigurationTable } from './configuration-table.ts';
import { reportRouteConflicts } from './conflicts.ts';
import { EntryDirectory } from './entry-directory.ts';
import { checkEntryRules } from './entry-rules.ts';
import { checkDocumentSchema, checkEntrySchema } from './entry-schema.ts';
import { EntryUsers } from './entry-users.ts';
import { ContentFingerprint, hashEntry } from './fingerprint.ts';
import {
  type Certificate,
  type Cluster,
  COLLECTIONS,
  type Consumer,
  type Issuer,
  KINDS,
  type Kind,
  type Route,
} from './model.ts';
import { reportOpenHosts } from './open-host-rules.ts';
import { checkPlainDataInSlices, isPlainObject } from './plain-data.ts';
import type { Problem } from './problem.ts';
import { type Findings, noFindings, type ProblemList } from './problem-list.ts';
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
  const entries = yield* readEntries(document, findings.problems);
  for (const kind of KINDS) {
    yield* checkRules(kind, entries, findings);
  }
  yield* checkReferences(entries, findings);
  const conflicts = yield* reportRouteConflicts(entries.routes, findings);
  yield* reportOpenHosts(entries.certificates, entries.routes, findings.warnings);
  if (!findings.problems.isEmpty) {
    return null;
  }
  const { clusters, issuers, consumers, certificates, routes } = entries;
  const users = yield* listUsers(routes);
  const fingerprint = new ContentFingerprint();
  for (const kind of KINDS) {
    yield* addHashes(kind, entries[COLLECTIONS[kind]], fingerprint);
  }
  return { clusters, issuers, consumers, certificates, routes, conflicts, users, fingerprint };
}

/** The entries of a document that fit the schema. */
interface Entries extends Record<(typeof COLLECTIONS)[Kind], Map<string, unknown>> {
  readonly clusters: Map<string, Cluster>;
  readonly issuers: Map<string, Issuer>;
  readonly consumers: Map<string, Consumer>;
  readonly certificates: Map<string, Certificate>;
  readonly routes: Map<string, Route>;
  /** Of all entries, by kind, also those that do not fit. */
  readonly ids: Record<Kind, Set<string>>;
}

function noEntries(): Entries {
  return {
    clusters: new Map(),
    issuers: new Map(),
    consumers: new Map(),
    certificates: new Map(),
    routes: new Map(),
    ids: {
      cluster: new Set(),
      issuer: new Set(),
      consumer: new Set(),
      certificate: new Set(),
      route: new Set(),
    },
  };
}

function* readEntries(document: unknown, problems: ProblemList): Generator<void, Entries> {
  const entries = noEntries();
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
    entries.ids[kind].add(id);
    if (checkEntrySchema(kind, id, value, problems)) {
      fitting.set(id, value);
    }
    if (meter.isFullAfter(1)) {
      yield;
    }
  }
}

function* checkRules(kind: Kind, entries: Entries, findings: Findings): Generator<void, void> {
  const meter = new SliceMeter();
  for (const [id, value] of entries[COLLECTIONS[kind]]) {
    // The collection of a kind holds the values of that kind, which the type of the union cannot say.
    const put = { op: 'put', kind, id, value } as PutOperation;
    checkEntryRules(put, findings);
    if (meter.isFullAfter(weightOf(put))) {
      yield;
    }
  }
}

/** About how many checks an entry takes. */
function weightOf(put: PutOperation): number {
  if (put.kind === 'cluster') return 1 + Object.keys(put.value.destinations).length;
  if (put.kind !== 'route') return 1;
  const { allow, deny } = put.value.clientAddresses ?? {};
  return 1 + (allow?.length ?? 0) + (deny?.length ?? 0);
}

/** A near name is looked for, which takes as long as many other checks. */
const MISSING_ENTRY_WORK = SLICE_SIZE / 2;

function* checkReferences({ routes, ids }: Entries, findings: Findings): Generator<void, void> {
  const directory = new EntryDirectory(ids);
  const meter = new SliceMeter();
  for (const [id, route] of routes) {
    const areThere = directory.check(id, route, findings.problems);
    if (meter.isFullAfter(areThere ? 1 : MISSING_ENTRY_WORK)) {
      yield;
    }
  }
}

function* listUsers(routes: ReadonlyMap<string, Route>): Generator<void, EntryUsers> {
  const users = new EntryUsers();
  const meter = new SliceMeter();
  for (const [id, route] of routes) {
    users.add(id, route);
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
