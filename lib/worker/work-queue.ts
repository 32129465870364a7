/** Work that may be interrupted wherever it yields. */
export type SlicedWork = Generator<undefined, void, undefined>;

/** Long enough to get on, short enough that requests hardly notice it. */
const SLICE_MS = 2;

/** Does one piece of work after the other, in order, in slices between which the event loop goes on. */
export class WorkQueue {
  readonly #sliceMs: number;
  readonly #waiting: SlicedWork[] = [];
  #busy = false;

  /** `sliceMs`: when a slice ends at the next yield; with 0 each step is a slice of its own. */
  constructor(sliceMs = SLICE_MS) {
    this.#sliceMs = sliceMs;
  }

  /** Begins at once where nothing else waits: what fits into one slice is then done on return. */
  add(work: SlicedWork): void {
    this.#waiting.push(work);
    if (this.#busy) return;
    this.#busy = true;
    this.#runSlice();
  }

  #runSlice(): void {
    const endMs = performance.now() + this.#sliceMs;
    for (let work = this.#waiting[0]; work !== undefined; work = this.#waiting[0]) {
      if (work.next().done === true) this.#waiting.shift();
      else if (performance.now() >= endMs) break;
    }
    if (this.#waiting.length > 0) setImmediate(() => this.#runSlice());
    else this.#busy = false;
  }
}

/** Does the work in one go. */
export function runAtOnce(work: SlicedWork): void {
  while (work.next().done !== true);
}
