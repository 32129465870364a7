/** What the script that publishes is given. */
import { childPointer, type Problem } from '../../core/config/problem.ts';
import { Breather } from '../breather.ts';
import { MalformedChangeError, type NewChange } from '../config-store.ts';
import { findOperationProblems } from '../entry-table.ts';
import { CommandEncoder } from './encoded-command.ts';
import { isDelete } from './stored-operations.ts';

const MAX_CHARACTERS = 67_108_864;
/** Redis before 7 takes a million words in a command. */
const MAX_OPERATIONS = 300_000;
const MAX_PROBLEMS = 1_000;

export interface EncodedChange {
  /** Kind, id and value of each operation; an empty value deletes. */
  readonly operations: CommandEncoder;
  readonly characters: number;
}

/**
 * Checks and encodes the operations, in slices. The first slice is made at once: whoever hands in a few
 * operations may change them afterwards.
 * @throws MalformedChangeError with the problems of all operations
 */
export async function encodeChange({ operations, actor, message }: NewChange): Promise<EncodedChange> {
  if (!Array.isArray(operations)) throw new MalformedChangeError(findOperationProblems(operations));
  checkTexts(operations.length, actor, message);
  const copies = [...operations];
  const breather = new Breather();
  const encoder = new CommandEncoder();
  const problems: Problem[] = [];
  let characters = actor.length + message.length;
  for (const [index, operation] of copies.entries()) {
    const fault = isDelete(operation) ? undefined : findOperationProblems([operation])[0];
    if (fault !== undefined) {
      if (problems.length < MAX_PROBLEMS) problems.push({ ...fault, pointer: childPointer('', index) });
      continue;
    }
    const value = operation.op === 'put' ? JSON.stringify(operation.value) : '';
    encoder.add(operation.kind, operation.id, value);
    characters += operation.id.length + value.length;
    if (characters > MAX_CHARACTERS) throw tooLarge(`more than ${MAX_CHARACTERS} characters`);
    if (breather.isDue) await breather.breathe();
  }
  if (problems.length > 0) throw new MalformedChangeError(problems);
  return { operations: encoder, characters };
}

function checkTexts(count: number, actor: unknown, message: unknown): void {
  if (typeof actor !== 'string' || typeof message !== 'string') {
    throw new MalformedChangeError([{ pointer: '', message: 'actor and message of a change are strings' }]);
  }
  if (count > MAX_OPERATIONS) throw tooLarge(`${count} operations, the limit is ${MAX_OPERATIONS}`);
}

function tooLarge(what: string): MalformedChangeError {
  return new MalformedChangeError([
    { pointer: '', message: `the change has ${what}`, hint: 'split it into several' },
  ]);
}
