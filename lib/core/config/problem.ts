/** One thing that is wrong with a configuration: where, what, and how to mend it. */
export interface Problem {
  /** JSON Pointer (RFC 6901) into the document; empty for the document itself. */
  readonly pointer: string;
  readonly message: string;
  /** What to do about it, where there is something to say. */
  readonly hint?: string;
}

/** Appends one reference token to a JSON Pointer, escaped as RFC 6901 §3 asks. */
export function childPointer(pointer: string, token: string | number): string {
  return `${pointer}/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** A problem on one line, for logs and terminals. */
export function formatProblem(problem: Problem): string {
  const where = problem.pointer === '' ? '(document)' : problem.pointer;
  return problem.hint === undefined
    ? `${where}: ${problem.message}`
    : `${where}: ${problem.message} (${problem.hint})`;
}
