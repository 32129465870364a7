import type { Operation } from '../core/config/change.ts';
import { COLLECTIONS, idPatternOf, KINDS, type Kind } from '../core/config/model.ts';
import { childPointer, type Problem } from '../core/config/problem.ts';
import { EntryCopy } from './entry-copy.ts';
import { isRecord } from './stored-shape.ts';

const IDS = new Map(KINDS.map((kind) => [kind, new RegExp(idPatternOf(kind))]));

/** The entries of a configuration, by kind and id, as a store holds them: not validated. */
export class EntryTable {
  readonly #entriesByKind = new Map<Kind, Map<string, unknown>>();

  constructor() {
    for (const kind of KINDS) this.#entriesByKind.set(kind, new Map());
  }

  /**
   * The entries of a document that a copy of a table made.
   * @throws RangeError where it holds what this version does not know: to drop it would lose it.
   */
  static fromDocument(document: Record<string, unknown>): EntryTable {
    const table = new EntryTable();
    const unread = new Map(Object.entries(document));
    for (const [kind, entries] of table.#entriesByKind) {
      const section = unread.get(COLLECTIONS[kind]) ?? {};
      unread.delete(COLLECTIONS[kind]);
      if (!isRecord(section)) throw new RangeError(`"${COLLECTIONS[kind]}" is not an object`);
      for (const [id, value] of Object.entries(section)) entries.set(id, value);
    }
    for (const section of unread.keys()) {
      throw new RangeError(`"${section}" is not known to this version of the gateway`);
    }
    return table;
  }

  apply(operation: Operation): void {
    const entries = this.#entriesByKind.get(operation.kind);
    if (operation.op === 'put') entries?.set(operation.id, operation.value);
    else entries?.delete(operation.id);
  }

  /** How many entries there are, of all kinds. */
  get size(): number {
    let size = 0;
    for (const entries of this.#entriesByKind.values()) size += entries.size;
    return size;
  }

  /** The value of an entry; undefined where there is none. */
  get(kind: Kind, id: string): unknown {
    return this.#entriesByKind.get(kind)?.get(id);
  }

  /** What the table holds now; later changes leave it as it is. A millisecond or two for 100,000 entries. */
  copy(): EntryCopy {
    return new EntryCopy(this.#entriesByKind);
  }
}

/** What keeps a list of operations from being applied; their values are not validated. */
export function findOperationProblems(operations: unknown): Problem[] {
  if (!Array.isArray(operations)) return [{ pointer: '', message: 'operations are not a list' }];
  return operations.flatMap((operation: unknown, index) => {
    const message = findOperationFault(operation);
    return message === null ? [] : [{ pointer: childPointer('', index), message }];
  });
}

/** What keeps one operation from being applied; null where nothing does. */
export function findOperationFault(operation: unknown): string | null {
  if (!isRecord(operation)) return 'an operation is an object {op, kind, id, value}';
  const { op, kind, id, value } = operation;
  if (op !== 'put' && op !== 'delete') return `op is "put" or "delete", not ${JSON.stringify(op)}`;
  const idPattern = IDS.get(kind as Kind);
  if (idPattern === undefined) {
    return `kind is one of ${KINDS.join(', ')}, not ${JSON.stringify(kind)}`;
  }
  if (typeof id !== 'string' || !idPattern.test(id)) {
    return `id ${JSON.stringify(id)} does not match ${idPattern.source}`;
  }
  if (op === 'put' && !isRecord(value)) return 'the value of a put is an object';
  return null;
}
