import { COLLECTIONS, type Configuration, type ConfigurationDocument, KINDS } from './model.ts';
import { SLICE_SIZE, sortInSlices } from './slices.ts';

export const EMPTY_CONFIGURATION: Configuration = {
  clusters: new Map(),
  issuers: new Map(),
  consumers: new Map(),
  certificates: new Map(),
  routes: new Map(),
};

type Entry = readonly [id: string, value: unknown];

/**
 * The document of a configuration, ready to be written as JSON or YAML: what validation takes back. Ids
 * are in code-unit order, but for those that look like array indices, which JavaScript puts first.
 */
export function documentOf(configuration: Configuration): ConfigurationDocument {
  const sections = KINDS.map((kind) => [
    COLLECTIONS[kind],
    sortById<unknown>(configuration[COLLECTIONS[kind]]),
  ]);
  return Object.fromEntries(sections) as ConfigurationDocument;
}

function sortById<T>(entries: ReadonlyMap<string, T>): Record<string, T> {
  return Object.fromEntries([...entries].sort(compareIds));
}

function compareIds([left]: Entry, [right]: Entry): number {
  return left < right ? -1 : 1;
}

/**
 * The text of the document as JSON, in pieces: together they are one JSON text that parses to what
 * `documentOf` returns, all ids in code-unit order. The entries are copied at the call, so that later
 * changes to the Maps do not mix in. A piece may be empty, since sorting takes slices too.
 */
export function documentSlices(configuration: Configuration): Generator<string, void> {
  return sectionSlices(
    KINDS.map((kind) => ({ name: COLLECTIONS[kind], entries: [...configuration[COLLECTIONS[kind]]] })),
  );
}

/** The same of one collection: all its entries, by id, as they are at the call. */
export function collectionSlices(entries: ReadonlyMap<string, unknown>): Generator<string, void> {
  return bracedSlices([...entries]);
}

function* bracedSlices(entries: readonly Entry[]): Generator<string, void> {
  yield '{';
  yield* entrySlices(yield* sortWithEmptyPieces(entries));
  yield '}';
}

interface Section {
  readonly name: string;
  readonly entries: readonly Entry[];
}

function* sectionSlices(sections: readonly Section[]): Generator<string, void> {
  let opening = '{';
  for (const { name, entries } of sections) {
    yield `${opening}"${name}":`;
    yield* bracedSlices(entries);
    opening = ',';
  }
  yield '}';
}

function* sortWithEmptyPieces(entries: readonly Entry[]): Generator<string, readonly Entry[]> {
  const slices = sortInSlices(entries, compareIds);
  let step = slices.next();
  while (step.done !== true) {
    yield '';
    step = slices.next();
  }
  return step.value;
}

function* entrySlices(entries: readonly Entry[]): Generator<string, void> {
  for (let start = 0; start < entries.length; start += SLICE_SIZE) {
    const texts = entries
      .slice(start, start + SLICE_SIZE)
      .map(([id, value]) => `${JSON.stringify(id)}:${JSON.stringify(value)}`);
    yield (start === 0 ? '' : ',') + texts.join();
  }
}
