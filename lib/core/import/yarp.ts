/**
 * From the configuration of YARP (Yet Another Reverse Proxy, for ASP.NET Core) to ours. The names and
 * meanings are those of YARP 2 (`Routes` and `Clusters` by id) and of its first previews (lists).
 */
import type { Cluster, ConfigurationDocument } from '../config/model.ts';
import { isPlainObject } from '../config/plain-data.ts';
import { childPointer } from '../config/problem.ts';
import { quoteText } from '../config/quote-text.ts';
import { assignIds } from './assign-ids.ts';
import { type ImportedEntries, type ImportedEntry, keepValid } from './keep-valid.ts';
import { type ImportNote, NoteList } from './note-list.ts';
import { SectionReader } from './section-reader.ts';
import { importCluster } from './yarp-cluster.ts';
import { importRoute } from './yarp-route.ts';

export interface YarpImport {
  /** Always valid. */
  readonly document: ConfigurationDocument;
  /** What was not carried over, or not quite; none where all was. Pointers lead into the section. */
  readonly notes: readonly ImportNote[];
}

export interface YarpSection {
  readonly section: unknown;
  /** Where it is in the file. */
  readonly pointer: string;
}

const SECTION_NAME = 'reverseproxy';

/**
 * Finds YARP's section in the content of an `appsettings.json`: the one named ReverseProxy, or the content
 * itself, or the first section that looks like it; null where there is none.
 */
export function findYarpSection(settings: unknown): YarpSection | null {
  if (!isPlainObject(settings)) return null;
  const entries = Object.entries(settings);
  const named = entries.find(([key, value]) => key.toLowerCase() === SECTION_NAME && isPlainObject(value));
  const found = named ?? (looksLikeYarp(settings) ? null : entries.find(([, value]) => looksLikeYarp(value)));
  if (found === null) return { section: settings, pointer: '' };
  return found === undefined ? null : { section: found[1], pointer: childPointer('', found[0]) };
}

function looksLikeYarp(value: unknown): boolean {
  if (!isPlainObject(value)) return false;
  return Object.keys(value).some((key) => ['routes', 'clusters'].includes(key.toLowerCase()));
}

/** Takes the section that YARP loads. Never throws, whatever it is given. */
export function importYarp(section: unknown): YarpImport {
  const notes = new NoteList();
  const reader = new SectionReader(section, '', notes);
  reader.ignore('$schema');
  const { clusters, findCluster } = importClusters(reader);
  const routes = importRoutes(reader, findCluster);
  reader.noteUnread();
  const document = keepValid({ clusters, routes }, notes);
  return { document, notes: notes.toArray() };
}

interface NamedSection {
  readonly id: string;
  /** As it is in the source. */
  readonly name: string;
  readonly section: SectionReader;
}

interface ImportedClusters {
  readonly clusters: Map<string, ImportedEntry<Cluster>>;
  /** Takes the id in the source, which counts in any letter case there. */
  readonly findCluster: (name: string) => string | undefined;
}

function importClusters(reader: SectionReader): ImportedClusters {
  const clusters = new Map<string, ImportedEntry<Cluster>>();
  const ids = new Map<string, string>();
  for (const { id, name, section } of listSections(reader, 'Clusters', 'ClusterId', 'cluster')) {
    if (!ids.has(name.toLowerCase())) ids.set(name.toLowerCase(), id);
    clusters.set(id, { value: importCluster(section), pointer: section.pointer });
  }
  return { clusters, findCluster: (name) => ids.get(name.toLowerCase()) };
}

function importRoutes(
  reader: SectionReader,
  findCluster: (name: string) => string | undefined,
): ImportedEntries['routes'] {
  const routes: ImportedEntries['routes'] = new Map();
  for (const { id, section } of listSections(reader, 'Routes', 'RouteId', 'route')) {
    const value = importRoute(section, findCluster);
    if (value !== null) routes.set(id, { value, pointer: section.pointer });
  }
  return routes;
}

/** The entries of a dictionary by id, or of a list whose entries name themselves under `idKey`. */
function listSections(
  reader: SectionReader,
  collection: string,
  idKey: string,
  kind: string,
): readonly NamedSection[] {
  const sections = reader.items(collection).map(({ key, value, pointer }) => {
    const section = new SectionReader(value, pointer, reader.notes);
    return { name: section.filledText(idKey) ?? key, section };
  });
  const ids = assignIds(
    sections.map(({ name }) => name),
    kind,
  );
  return sections.map(({ name, section }, index) => {
    const id = ids[index] as string;
    if (id !== name) {
      const message = `the id ${quoteText(name)} is ${quoteText(id)} now: ours are unique, of letters, digits, '.', '_' and '-'`;
      reader.notes.add(section.pointer, message);
    }
    return { id, name, section };
  });
}
