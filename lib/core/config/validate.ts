/** Validation of a configuration document: the one way from unknown data to a `Configuration`. */
import { Compile } from 'typebox/compile';
import { ClusterDirectory } from './cluster-directory.ts';
import { checkCluster } from './cluster-rules.ts';
import { reportRouteConflicts } from './conflicts.ts';
import { omitEmptyLaterSections } from './later-parts.ts';
import {
  type Cluster,
  type Configuration,
  clusterSchema,
  configurationSchema,
  ID_PATTERN,
  type Route,
  routeSchema,
} from './model.ts';
import { checkPlainData, isPlainObject } from './plain-data.ts';
import { childPointer, type Problem } from './problem.ts';
import { type Findings, ProblemList } from './problem-list.ts';
import { checkRoute } from './route-rules.ts';
import { matchesPattern, type SchemaNode } from './schema-node.ts';
import { reportSchemaProblems } from './schema-problems.ts';

export interface ValidationResult {
  /** Null where there is a problem. Its values are those of the document, not copies. */
  readonly configuration: Configuration | null;
  /** What must be mended, all of it, up to 1,000 entries and a last one with the number of the others. */
  readonly problems: readonly Problem[];
  /** What works but is hardly meant; bounded in the same way. */
  readonly warnings: readonly Problem[];
}

/** TypeBox types say what a schema means; the schema itself is plain JSON Schema. */
const documentSchema = configurationSchema as unknown as SchemaNode;
const documentValidator = Compile(configurationSchema);
const clusterValidator = Compile(clusterSchema);
const routeValidator = Compile(routeSchema);

/**
 * Checks a document that was parsed from JSON or YAML, conflicts between its routes included. Never
 * throws, whatever it is given. The rules beyond the schema are checked for every entry that fits the
 * schema, also where another one does not.
 */
export function validateDocument(document: unknown): ValidationResult {
  const findings: Findings = { problems: new ProblemList(), warnings: new ProblemList() };
  const configuration = checkPlainData(document, findings.problems)
    ? checkDocument(document, findings)
    : null;
  return {
    configuration: findings.problems.isEmpty ? configuration : null,
    problems: findings.problems.toArray(),
    warnings: findings.warnings.toArray(),
  };
}

/** Returns the configuration of all entries that fit the schema. */
function checkDocument(document: unknown, findings: Findings): Configuration {
  const candidate = omitEmptyLaterSections(document);
  const fitsSchema = documentValidator.Check(candidate);
  if (!fitsSchema) {
    reportMisfit(candidate, findings.problems);
  }
  const clusterSection = sectionOf(candidate, 'clusters');
  const routeSection = sectionOf(candidate, 'routes');
  const clusters = pickEntries<Cluster>(
    clusterSection,
    (value) => fitsSchema || clusterValidator.Check(value),
  );
  const routes = pickEntries<Route>(routeSection, (value) => fitsSchema || routeValidator.Check(value));
  checkEntries(clusters, routes, new ClusterDirectory(Object.keys(clusterSection)), findings);
  return { clusters, routes };
}

function reportMisfit(document: unknown, problems: ProblemList): void {
  reportSchemaProblems(documentSchema, document, '', problems);
  if (problems.isEmpty) {
    // The compiled schema decides: what it refuses is refused, even if the words for it were missing.
    for (const { instancePath, message } of documentValidator.Errors(document)) {
      problems.add(instancePath, message);
    }
  }
}

function sectionOf(document: unknown, name: 'clusters' | 'routes'): Record<string, unknown> {
  const section = isPlainObject(document) && Object.hasOwn(document, name) ? document[name] : undefined;
  return isPlainObject(section) ? section : {};
}

/** The entries of a section that fit the schema, under ids that do. */
function pickEntries<T>(
  section: Record<string, unknown>,
  fits: (value: unknown) => boolean,
): ReadonlyMap<string, T> {
  const entries = new Map<string, T>();
  for (const id of Object.keys(section)) {
    const value = section[id];
    if (matchesPattern(ID_PATTERN, id) && fits(value)) {
      entries.set(id, value as T);
    }
  }
  return entries;
}

function checkEntries(
  clusters: ReadonlyMap<string, Cluster>,
  routes: ReadonlyMap<string, Route>,
  directory: ClusterDirectory,
  findings: Findings,
): void {
  for (const [id, cluster] of clusters) {
    checkCluster(childPointer('/clusters', id), cluster, findings);
  }
  for (const [id, route] of routes) {
    const pointer = childPointer('/routes', id);
    if (!directory.has(route.cluster)) {
      const message = `there is no cluster "${route.cluster}"`;
      findings.problems.add(`${pointer}/cluster`, message, directory.hintFor(route.cluster));
    }
    checkRoute(pointer, route, findings);
  }
  reportRouteConflicts(routes, findings);
}
