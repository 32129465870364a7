import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import { formatProblem } from '../../core/config/problem.ts';
import { EXIT } from '../exit-codes.ts';
import { readSecret } from '../secret-from-environment.ts';
import { ApiClient, ApiError } from './api-client.ts';

/** What every command that talks to a gateway takes. */
export interface RemoteOptions {
  readonly adminUrl: string;
  readonly json?: boolean;
}

/** The file that the first start leaves in the state directory. */
const FIRST_TOKEN_FILE = 'admin.token';

/** Adds the options that say which gateway is meant, and how the answer is printed. */
export function addRemoteOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--admin-url <url>', 'admin address of the gateway; the token comes from GATEWAY_TOKEN')
        .env('GATEWAY_ADMIN_URL')
        .default('http://127.0.0.1:9901'),
    )
    .option('--json', 'print the answer as JSON, for scripts');
}

/** Runs what a command does and ends with its exit code; what goes wrong is said on standard error. */
export async function runRemote(
  options: RemoteOptions,
  work: (client: ApiClient) => Promise<number>,
): Promise<void> {
  try {
    process.exitCode = await work(new ApiClient(parseUrl(options.adminUrl), findToken(process.env)));
  } catch (error) {
    process.exitCode = report(error, options.json === true);
  }
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new RangeError(`--admin-url ${text}: give a URL such as http://127.0.0.1:9901`);
}

/** The token of the environment or, on the machine of a gateway, the one that its first start made. */
function findToken(environment: NodeJS.ProcessEnv): string | null {
  const token = readSecret(environment, 'GATEWAY_TOKEN');
  if (token !== null) return token;
  try {
    return readFileSync(join(environment.GATEWAY_STATE || './.gateway', FIRST_TOKEN_FILE), 'utf8').trim();
  } catch {
    return null;
  }
}

function report(error: unknown, json: boolean): number {
  if (error instanceof ApiError) {
    if (json) process.stdout.write(`${JSON.stringify(error.problem)}\n`);
    complain(error.message);
    for (const { pointer, message, hint } of error.problem.problems ?? []) {
      process.stderr.write(
        `  ${formatProblem({ pointer, message, ...(hint === undefined ? {} : { hint }) })}\n`,
      );
    }
    return exitCodeOf(error);
  }
  complain(error instanceof Error ? error.message : String(error));
  return EXIT.failed;
}

function exitCodeOf({ status }: ApiError): number {
  if (status === 412) return EXIT.conflict;
  if (status !== 401 && status !== 403) return EXIT.failed;
  process.stderr.write(
    '  give a token in GATEWAY_TOKEN or GATEWAY_TOKEN_FILE; `gateway token create` makes one\n',
  );
  return EXIT.unauthorized;
}

function complain(message: string): void {
  process.stderr.write(`fengling-gateway: ${message}\n`);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
