/** The rules for what comes from one of several places: a file, a variable, a server, or the entry itself. */
import type { ProblemList } from './problem-list.ts';

/**
 * Adds a problem unless exactly one of the keys is given. `what` says what they give, such as "the private
 * key". Returns whether one is.
 */
export function checkOneSource(
  pointer: string,
  entry: object,
  keys: readonly string[],
  what: string,
  problems: ProblemList,
): boolean {
  const given = givenOf(entry, keys);
  if (given.length === 0) {
    problems.add(pointer, `${what} is missing`, `give ${keys.join(' or ')}`);
  }
  reportSeveral(pointer, given, what, problems);
  return given.length === 1;
}

/** Adds a problem where more than one of the keys is given. Returns whether any is. */
export function checkSourceAtMostOnce(
  pointer: string,
  entry: object,
  keys: readonly string[],
  what: string,
  problems: ProblemList,
): boolean {
  const given = givenOf(entry, keys);
  reportSeveral(pointer, given, what, problems);
  return given.length > 0;
}

function givenOf(entry: object, keys: readonly string[]): readonly string[] {
  return keys.filter((key) => Object.hasOwn(entry, key));
}

function reportSeveral(pointer: string, given: readonly string[], what: string, problems: ProblemList): void {
  if (given.length > 1) {
    problems.add(pointer, `${what} comes from more than one place: ${given.join(', ')}`, 'keep one of them');
  }
}
