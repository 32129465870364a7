import type { Operation } from '../core/config/change.ts';
import { KINDS, type Kind } from '../core/config/model.ts';

/** Remembers what the entries were before a change, and tells the operations that make them so again. */
export class UndoRecord {
  /** Undefined: the entry was not there. */
  readonly #valuesBefore = new Map<Kind, Map<string, unknown>>();

  constructor() {
    for (const kind of KINDS) this.#valuesBefore.set(kind, new Map());
  }

  /** Notes what an entry that the change touches was before all of it. */
  note(kind: Kind, id: string, valueBefore: unknown): void {
    this.#valuesBefore.get(kind)?.set(id, valueBefore);
  }

  /** In an order in which no route is ever without its cluster, if none was before the change. */
  *operations(): Generator<Operation> {
    for (const kind of KINDS) yield* this.#puts(kind);
    for (const kind of KINDS.toReversed()) yield* this.#deletes(kind);
  }

  *#puts(kind: Kind): Generator<Operation> {
    for (const [id, value] of this.#valuesBefore.get(kind) ?? []) {
      // What the table holds was put there as a value of this kind, which the type of the union cannot say.
      if (value !== undefined) yield { op: 'put', kind, id, value } as Operation;
    }
  }

  *#deletes(kind: Kind): Generator<Operation> {
    for (const [id, value] of this.#valuesBefore.get(kind) ?? []) {
      if (value === undefined) yield { op: 'delete', kind, id };
    }
  }
}
