/** The form of operations that come from outside. */
import type { Operation } from './change.ts';
import { describeExpectation, describePattern } from './expectation.ts';
import { idPatternOf, KINDS, type Kind } from './model.ts';
import { findNearestName } from './nearest-name.ts';
import { isForbiddenKey, isPlainObject } from './plain-data.ts';
import type { ProblemList } from './problem-list.ts';
import { matchesPattern } from './schema-node.ts';

const ACTIONS = ['put', 'delete'] as const;

/**
 * Reads operations, and adds a problem for all that is wrong with the form of one, with pointers such as
 * `/operations/3/kind`. Returns those of good form; of several on one entry only the last. Their values are
 * still unchecked: they need not be what their type says.
 */
export function readOperations(operations: readonly unknown[], problems: ProblemList): Operation[] {
  const read = new Map<string, Operation>();
  for (const [index, candidate] of operations.entries()) {
    const operation = readOperation(candidate, `/operations/${index}`, problems);
    if (operation !== null) {
      read.set(`${operation.kind} ${operation.id}`, operation);
    }
  }
  return [...read.values()];
}

function readOperation(candidate: unknown, pointer: string, problems: ProblemList): Operation | null {
  if (!isPlainObject(candidate)) {
    problems.add(pointer, 'must be an object', 'give it op, kind, id, and value for a put');
    return null;
  }
  const op = readWord(candidate, 'op', ACTIONS, pointer, problems);
  const kind = readWord(candidate, 'kind', KINDS, pointer, problems);
  const id = readId(candidate, kind, pointer, problems);
  const lacksValue = op === 'put' && !Object.hasOwn(candidate, 'value');
  if (lacksValue) {
    problems.add(pointer, '"value" is missing', 'a put holds the whole entry');
  }
  if (op === null || kind === null || id === null || lacksValue) {
    return null;
  }
  return op === 'delete' ? { op, kind, id } : ({ op, kind, id, value: candidate.value } as Operation);
}

function readWord<T extends string>(
  operation: Record<string, unknown>,
  name: string,
  words: readonly T[],
  pointer: string,
  problems: ProblemList,
): T | null {
  const value = Object.hasOwn(operation, name) ? operation[name] : undefined;
  const word = words.find((known) => known === value);
  if (word !== undefined) {
    return word;
  }
  const nearest = typeof value === 'string' ? findNearestName(value, words) : null;
  problems.add(
    `${pointer}/${name}`,
    `must be ${describeExpectation({ enum: words })}`,
    nearest === null ? undefined : `did you mean ${nearest}?`,
  );
  return null;
}

function readId(
  operation: Record<string, unknown>,
  kind: Kind | null,
  pointer: string,
  problems: ProblemList,
): string | null {
  const pattern = idPatternOf(kind ?? 'route');
  const id = Object.hasOwn(operation, 'id') ? operation.id : undefined;
  if (typeof id !== 'string' || !matchesPattern(pattern, id)) {
    problems.add(`${pointer}/id`, `must be ${describePattern(pattern)}`);
    return null;
  }
  if (isForbiddenKey(id)) {
    problems.add(`${pointer}/id`, `the name "${id}" is not allowed anywhere`, 'choose another name');
    return null;
  }
  return id;
}
