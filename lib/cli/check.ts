import { readFile } from 'node:fs/promises';
import { formatProblem, type Problem } from '../core/config/problem.ts';
import { validateDocument } from '../core/config/validate.ts';
import { formatOf, parseDocument } from '../store/parse-document.ts';

export interface CheckResult {
  readonly ok: boolean;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  readonly routes: number;
  readonly clusters: number;
}

/** Validates a configuration file. @throws the system's error where it cannot be read */
export async function checkFile(path: string): Promise<CheckResult> {
  const parsed = parseDocument(await readFile(path, 'utf8'), formatOf(path));
  if (parsed.problems.length > 0)
    return { ok: false, problems: parsed.problems, warnings: [], routes: 0, clusters: 0 };
  const { configuration, problems, warnings } = validateDocument(parsed.document);
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
  let result: CheckResult;
  try {
    result = await checkFile(path);
  } catch (error) {
    process.stderr.write(`fengling-gateway: cannot read ${path}: ${(error as Error).message}\n`);
    return 1;
  }
  if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else printForPeople(path, result);
  return result.ok ? 0 : 1;
}

function printForPeople(path: string, result: CheckResult): void {
  for (const problem of result.problems) process.stdout.write(`error    ${formatProblem(problem)}\n`);
  for (const warning of result.warnings) process.stdout.write(`warning  ${formatProblem(warning)}\n`);
  const verdict = result.ok
    ? `is valid: ${result.routes} routes, ${result.clusters} clusters`
    : `is refused: ${result.problems.length} problems`;
  process.stdout.write(`${path} ${verdict}\n`);
}
