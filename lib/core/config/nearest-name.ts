/** Beyond this the table of distances is not worth its cost, and a typing error is not what happened. */
const MAX_NAME_LENGTH = 128;

/**
 * The candidate that `name` was probably meant to be, null where none is near. Letter case counts for
 * nothing; up to a third of the letters may differ. The first of equally near candidates is returned.
 */
export function findNearestName(name: string, candidates: Iterable<string>): string | null {
  if (name.length > MAX_NAME_LENGTH) {
    return null;
  }
  const wanted = name.toLowerCase();
  let limit = Math.max(1, Math.floor(name.length / 3));
  let nearest: string | null = null;
  for (const candidate of candidates) {
    const distance = boundedEditDistance(wanted, candidate.toLowerCase(), limit);
    if (distance <= limit) {
      nearest = candidate;
      limit = distance - 1;
    }
  }
  return nearest;
}

/**
 * Optimal string alignment distance (Damerau–Levenshtein with each pair transposed once): insertions,
 * deletions, substitutions and swaps of neighbours cost 1 each. Gives up with `limit + 1` once the
 * distance must be above `limit`.
 */
export function boundedEditDistance(left: string, right: string, limit: number): number {
  if (Math.abs(left.length - right.length) > limit) {
    return limit + 1;
  }
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = distanceRow(left, right, row, previous, beforePrevious);
    // A swap reaches back over two rows, so both must be past the limit.
    if (Math.min(...current) > limit && Math.min(...previous) > limit) {
      return limit + 1;
    }
    beforePrevious = previous;
    previous = current;
  }
  return Math.min(previous[right.length]!, limit + 1);
}

/** One row of the table: the distances of the first `row` characters of `left` from each start of `right`. */
function distanceRow(
  left: string,
  right: string,
  row: number,
  previous: readonly number[],
  beforePrevious: readonly number[],
): number[] {
  const current = [row];
  for (let column = 1; column <= right.length; column += 1) {
    const isSame = left[row - 1] === right[column - 1];
    const substituted = previous[column - 1]! + (isSame ? 0 : 1);
    let distance = Math.min(substituted, previous[column]! + 1, current[column - 1]! + 1);
    const isSwap =
      row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
    if (isSwap) {
      distance = Math.min(distance, beforePrevious[column - 2]! + 1);
    }
    current.push(distance);
  }
  return current;
}
