import type { Problem } from '../../core/config/problem.ts';
import { counted } from '../output.ts';

/** What commands take instead of the name of a file. */
export const STANDARD_INPUT = '-';

/** A file that is no configuration document; the message counts what is wrong, `problems` says it. */
export class InvalidDocumentError extends Error {
  readonly problems: readonly Problem[];
  constructor(file: string, problems: readonly Problem[]) {
    super(`${nameOf(file)} is refused: ${counted(problems.length, 'problem')}`);
    this.problems = problems;
  }
}

function nameOf(file: string): string {
  return file === STANDARD_INPUT ? 'standard input' : file;
}
