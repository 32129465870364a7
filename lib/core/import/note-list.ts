/** Something of the source that is not, or not quite, in the result. */
export interface ImportNote {
  /** JSON Pointer (RFC 6901) into the source. */
  readonly pointer: string;
  readonly message: string;
}

/** More than anyone reads, and little enough to keep and to show. */
const MAX_NOTES = 10_000;

/** Gathers notes up to a bound, and counts the ones beyond it. */
export class NoteList {
  readonly #notes: ImportNote[] = [];
  #omitted = 0;

  add(pointer: string, message: string): void {
    if (this.#notes.length < MAX_NOTES) this.#notes.push({ pointer, message });
    else this.#omitted += 1;
  }

  /** The notes in the order in which they came; a last one says how many were left out. */
  toArray(): readonly ImportNote[] {
    if (this.#omitted === 0) return [...this.#notes];
    return [...this.#notes, { pointer: '', message: `and ${this.#omitted} more` }];
  }
}
