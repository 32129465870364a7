import type { Operation } from '../core/config/change.ts';
import { childPointer, type Problem } from '../core/config/problem.ts';
import { Breather } from './breather.ts';
import { MalformedChangeError, type NewChange } from './config-store.ts';
import { findOperationFault } from './entry-table.ts';

const MAX_CHANGE_CHARACTERS = 67_108_864;

/**
 * The operations of a change as a later reading of the log would give them, so that what is held equals what
 * is on disk. Long lists are copied in slices; the list and its values must not be changed meanwhile.
 * @throws MalformedChangeError with every problem
 */
export async function copyOperations(change: NewChange): Promise<Operation[]> {
  const problems = findFrameProblems(change);
  if (problems.length > 0) throw new MalformedChangeError(problems);
  const copies: Operation[] = [];
  const breather = new Breather();
  let characters = 0;
  for (const [index, operation] of change.operations.entries()) {
    // What JSON cannot hold at all (undefined, a function) becomes null, as it does within lists.
    const text = JSON.stringify(operation) ?? 'null';
    characters += text.length;
    if (characters > MAX_CHANGE_CHARACTERS) throw tooLarge();
    const copy: unknown = JSON.parse(text);
    const message = findOperationFault(copy);
    if (message === null) copies.push(copy as Operation);
    else problems.push({ pointer: childPointer('', index), message });
    if (breather.isDue) await breather.breathe();
  }
  if (problems.length > 0) throw new MalformedChangeError(problems);
  return copies;
}

function findFrameProblems({ operations, actor, message, revisionFloor = 0 }: NewChange): Problem[] {
  const faults: string[] = [];
  if (!Array.isArray(operations)) faults.push('operations are not a list');
  if (typeof actor !== 'string' || typeof message !== 'string') {
    faults.push('actor and message of a change are strings');
  }
  if (!Number.isSafeInteger(revisionFloor + 1) || revisionFloor < 0) {
    faults.push('the floor of a revision is a whole number');
  }
  return faults.map((fault) => ({ pointer: '', message: fault }));
}

function tooLarge(): MalformedChangeError {
  const message = `the change has more characters than the limit, which is ${MAX_CHANGE_CHARACTERS}`;
  return new MalformedChangeError([{ pointer: '', message, hint: 'split it into several' }]);
}
