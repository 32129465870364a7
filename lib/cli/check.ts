import { formatProblem, type Problem } from '../core/config/problem.ts';
import { validateDocument } from '../core/config/validate.ts';
import { ConfigFileStore } from '../store/config-file-store.ts';
import { UnreadableStoreError } from '../store/config-store.ts';
import { counted, printLines } from './output.ts';

export interface CheckResult {
  readonly ok: boolean;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  readonly routes: number;
  readonly clusters: number;
}

/** Reads and validates a configuration file, just as a start does. */
export async function checkFile(path: string): Promise<CheckResult> {
  let document: unknown;
  try {
    document = (await new ConfigFileStore(path).read()).document;
  } catch (error) {
    if (!(error instanceof UnreadableStoreError)) throw error;
    return { ok: false, problems: error.problems, warnings: [], routes: 0, clusters: 0 };
  }
  const { configuration, problems, warnings } = validateDocument(document);
  return {
    ok: configuration !== null,
    problems,
    warnings,
    routes: configuration?.routes.size ?? 0,
    clusters: configuration?.clusters.size ?? 0,
  };
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
    ? `is valid: ${counted(result.routes, 'route')}, ${counted(result.clusters, 'cluster')}`
    : `is refused: ${counted(result.problems.length, 'problem')}`;
  printLines([
    ...result.problems.map((problem) => `error    ${formatProblem(problem)}`),
    ...result.warnings.map((warning) => `warning  ${formatProblem(warning)}`),
    `${path} ${verdict}`,
  ]);
}
