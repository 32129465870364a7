import { EMPTY_CONFIGURATION } from '../core/config/document.ts';
import { COLLECTIONS, type Configuration, KINDS, type Kind } from '../core/config/model.ts';
import { formatProblem, type Problem } from '../core/config/problem.ts';
import { validateDocument } from '../core/config/validate.ts';
import { ConfigFileStore } from '../store/config-file-store.ts';
import { UnreadableStoreError } from '../store/config-store.ts';
import { counted, printLines } from './output.ts';

/** How many entries there are of each kind. */
type EntryCounts = Readonly<Record<(typeof COLLECTIONS)[Kind], number>>;

export interface CheckResult extends EntryCounts {
  readonly ok: boolean;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Reads and validates a configuration file, just as a start does. */
export async function checkFile(path: string): Promise<CheckResult> {
  let document: unknown;
  try {
    document = (await new ConfigFileStore(path).read()).document;
  } catch (error) {
    if (!(error instanceof UnreadableStoreError)) throw error;
    return { ok: false, problems: error.problems, warnings: [], ...countsOf(EMPTY_CONFIGURATION) };
  }
  const { configuration, problems, warnings } = validateDocument(document);
  return {
    ok: configuration !== null,
    problems,
    warnings,
    ...countsOf(configuration ?? EMPTY_CONFIGURATION),
  };
}

function countsOf(configuration: Configuration): EntryCounts {
  const counts = KINDS.map((kind) => [COLLECTIONS[kind], configuration[COLLECTIONS[kind]].size]);
  return Object.fromEntries(counts) as EntryCounts;
}

/** `gateway check FILE`: says everything that is wrong. @returns the exit code */
export async function runCheck(path: string, json: boolean): Promise<number> {
  const result = await checkFile(path);
  if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else printForPeople(path, result);
  return result.ok ? 0 : 1;
}

function printForPeople(path: string, result: CheckResult): void {
  const verdict = result.ok
    ? `is valid: ${countEntries(result)}`
    : `is refused: ${counted(result.problems.length, 'problem')}`;
  printLines([
    ...result.problems.map((problem) => `error    ${formatProblem(problem)}`),
    ...result.warnings.map((warning) => `warning  ${formatProblem(warning)}`),
    `${path} ${verdict}`,
  ]);
}

/** Routes and clusters belong to every configuration; of the others those are named that are there. */
function countEntries(counts: EntryCounts): string {
  const kinds = KINDS.filter((kind) => kind !== 'route' && kind !== 'cluster');
  const others = kinds.filter((kind) => counts[COLLECTIONS[kind]] > 0);
  const named = ['route', 'cluster', ...others] as const;
  return named.map((kind) => counted(counts[COLLECTIONS[kind]], kind)).join(', ');
}
