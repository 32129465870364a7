import type { Cluster, ConfigurationDocument, Route } from '../config/model.ts';
import type { Problem } from '../config/problem.ts';
import { validateDocument } from '../config/validate.ts';
import type { NoteList } from './note-list.ts';

/** An entry with its place in the source. */
export interface ImportedEntry<T> {
  readonly value: T;
  readonly pointer: string;
}

export interface ImportedEntries {
  readonly clusters: Map<string, ImportedEntry<Cluster>>;
  readonly routes: Map<string, ImportedEntry<Route>>;
}

/**
 * The document of these entries, without those that validation refuses, such as routes that cannot be told
 * apart; a note says why each was left out. To leave one out may make another invalid (a cluster, its
 * routes), so it goes on until nothing is refused.
 */
export function keepValid(entries: ImportedEntries, notes: NoteList): ConfigurationDocument {
  for (;;) {
    const document = documentOf(entries);
    const { problems } = validateDocument(document);
    if (problems.length === 0) return document;
    const removed = problems.filter((problem) => removeEntry(entries, problem, notes)).length;
    if (removed === 0) {
      notes.add('', `nothing could be carried over: ${problems[0]?.message}`);
      return { clusters: {}, routes: {} };
    }
  }
}

function documentOf({ clusters, routes }: ImportedEntries): ConfigurationDocument {
  return { clusters: valuesOf(clusters), routes: valuesOf(routes) };
}

function valuesOf<T>(entries: ReadonlyMap<string, ImportedEntry<T>>): Record<string, T> {
  return Object.fromEntries([...entries].map(([id, { value }]) => [id, value]));
}

/** Returns false where the problem is of no entry, or of one that is gone already. */
function removeEntry(entries: ImportedEntries, { pointer, message }: Problem, notes: NoteList): boolean {
  // Ids need no escaping in a pointer.
  const [, section, id = '', ...rest] = pointer.split('/');
  if (section !== 'clusters' && section !== 'routes') return false;
  const place = entries[section].get(id)?.pointer;
  if (place === undefined) return false;
  const kind = section === 'clusters' ? 'cluster' : 'route';
  const where = rest.length === 0 ? '' : `${rest.join('/')}: `;
  notes.add(place, `the ${kind} was left out: ${where}${message}`);
  return entries[section].delete(id);
}
