/**
 * Work over a whole table, cut into slices, so that it never holds up what else the process does: a
 * generator yields after each slice, and whoever runs it decides when it goes on.
 */

/** How much work is done between two yields, with a plain entry as the unit: a few milliseconds. */
export const SLICE_SIZE = 200;

/** Runs sliced work to its end in one go, and returns its result. */
export function finishSlices<T>(slices: Iterator<void, T>): T {
  let step = slices.next();
  while (step.done !== true) {
    step = slices.next();
  }
  return step.value;
}

/** Tells when a slice is full. */
export class SliceMeter {
  #done = 0;

  /** Counts work that was done. Returns true where that fills the slice: it is time to yield. */
  isFullAfter(work: number): boolean {
    this.#done += work;
    if (this.#done < SLICE_SIZE) {
      return false;
    }
    this.#done = 0;
    return true;
  }
}

/** Sorted in one go, and compared without a pause: about a millisecond. */
const RUN_LENGTH = 2_000;

/** Merge sort. Returns a new sorted list; equal items keep their order. */
export function* sortInSlices<T>(
  items: readonly T[],
  compare: (left: T, right: T) => number,
): Generator<void, T[]> {
  let runs: T[][] = [];
  for (let start = 0; start < items.length; start += RUN_LENGTH) {
    runs.push(items.slice(start, start + RUN_LENGTH).sort(compare));
    yield;
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let index = 0; index < runs.length; index += 2) {
      merged.push(yield* mergeRuns(runs[index]!, runs[index + 1] ?? [], compare));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* mergeRuns<T>(
  left: readonly T[],
  right: readonly T[],
  compare: (left: T, right: T) => number,
): Generator<void, T[]> {
  const merged: T[] = [];
  let leftIndex = 0;
  let rightIndex = 0;
  while (leftIndex < left.length && rightIndex < right.length) {
    if (compare(left[leftIndex]!, right[rightIndex]!) <= 0) {
      merged.push(left[leftIndex]!);
      leftIndex += 1;
    } else {
      merged.push(right[rightIndex]!);
      rightIndex += 1;
    }
    if (merged.length % RUN_LENGTH === 0) {
      yield;
    }
  }
  return merged.concat(left.slice(leftIndex), right.slice(rightIndex));
}
