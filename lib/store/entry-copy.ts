import { COLLECTIONS, type Kind } from '../core/config/model.ts';
import { Breather } from './breather.ts';
import { objectPieces } from './json-pieces.ts';
import { setOwnProperty } from './own-property.ts';

/** The entries of one kind, side by side: two lists are copied ten times as fast as one of pairs. */
interface CopiedEntries {
  readonly ids: readonly string[];
  readonly values: readonly unknown[];
}

/** What an entry table held at one moment. The values are shared with the table and must not be changed. */
export class EntryCopy {
  readonly #entriesByKind = new Map<Kind, CopiedEntries>();

  constructor(entriesByKind: ReadonlyMap<Kind, ReadonlyMap<string, unknown>>) {
    for (const [kind, entries] of entriesByKind) {
      this.#entriesByKind.set(kind, { ids: [...entries.keys()], values: [...entries.values()] });
    }
  }

  /** A new document, made in slices. */
  async toDocument(): Promise<Record<string, Record<string, unknown>>> {
    const document: Record<string, Record<string, unknown>> = {};
    const breather = new Breather();
    for (const [kind, { ids, values }] of this.#entriesByKind) {
      const section: Record<string, unknown> = {};
      for (const [index, id] of ids.entries()) {
        setOwnProperty(section, id, values[index]);
        if (breather.isDue) await breather.breathe();
      }
      document[COLLECTIONS[kind]] = section;
    }
    return document;
  }

  /** The JSON text of the document. */
  *documentPieces(): Generator<string> {
    let separator = '{';
    for (const [kind, { ids, values }] of this.#entriesByKind) {
      yield `${separator}"${COLLECTIONS[kind]}":`;
      yield* objectPieces(ids, values, 1);
      separator = ',';
    }
    yield '}';
  }
}
