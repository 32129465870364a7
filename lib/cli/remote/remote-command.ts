import type { Command } from 'commander';
import { Option } from 'commander';
import { formatProblem, type Problem } from '../../core/config/problem.ts';
import { ERRORS } from '../../core/errors.ts';
import { EXIT } from '../exit-codes.ts';
import { switchFrom } from '../option-parsers.ts';
import { printErrorLines, printJson } from '../output.ts';
import { ApiClient, ApiError } from './api-client.ts';
import { type ApiToken, findToken, UnusableTokenError } from './api-token.ts';
import { type ClientTlsOptions, checkSecrecy, readClientTls } from './connection-security.ts';
import { InvalidDocumentError } from './invalid-document.ts';

/** What every command that talks to a gateway takes. */
export interface RemoteOptions extends ClientTlsOptions {
  readonly adminUrl: string;
  readonly allowInsecure?: boolean;
  readonly json?: boolean;
}

const DEFAULT_ADMIN_URL = 'http://127.0.0.1:9901';
const TOKEN_HELP = `
The token comes from GATEWAY_TOKEN, else from the file that GATEWAY_TOKEN_FILE names, else from admin.token in the
directory GATEWAY_STATE (./.gateway), where the first start of a gateway leaves one.`;

/** Adds the options that say which gateway is meant, and how the answer is printed. */
export function addRemoteOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--admin-url <url>', 'admin address of the gateway')
        .env('GATEWAY_ADMIN_URL')
        .default(DEFAULT_ADMIN_URL),
    )
    .addOption(
      new Option('--admin-ca <file>', 'authorities that an https address is verified by, in PEM').env(
        'GATEWAY_ADMIN_CA',
      ),
    )
    .addOption(
      new Option(
        '--admin-cert <file>',
        'own certificate, for a gateway with --admin-tls-client-ca, in PEM',
      ).env('GATEWAY_ADMIN_CERT'),
    )
    .addOption(
      new Option('--admin-key <file>', 'private key of that certificate, in PEM').env('GATEWAY_ADMIN_KEY'),
    )
    .addOption(
      new Option(
        '--allow-insecure',
        'send the token over plain http to another host, where others can read it',
      ).default(undefined, 'refused; also GATEWAY_ALLOW_INSECURE=true'),
    )
    .option('--json', 'print the answer as JSON, for scripts')
    .addHelpText('after', TOKEN_HELP);
}

/** Runs what a command does and ends with its exit code; what goes wrong is said on standard error. */
export async function runRemote(
  options: RemoteOptions,
  work: (client: ApiClient) => Promise<number>,
): Promise<void> {
  const { adminUrl, allowInsecure, json = false } = options;
  let token: ApiToken | null = null;
  try {
    // An empty variable is one that is not set.
    const url = parseUrl(adminUrl || DEFAULT_ADMIN_URL);
    token = findToken(process.env);
    const isInsecureAllowed = switchFrom('GATEWAY_ALLOW_INSECURE');
    if (token.token !== null) checkSecrecy(url, allowInsecure ?? isInsecureAllowed);
    process.exitCode = await work(new ApiClient(url, token.token, readClientTls(options)));
  } catch (error) {
    if (json) printJson(jsonOf(error));
    printErrorLines([`fengling-gateway: ${describe(error, token)}`, ...listProblems(error)]);
    process.exitCode = exitCodeOf(error);
  }
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new RangeError(`--admin-url ${text}: give a URL such as ${DEFAULT_ADMIN_URL}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new RangeError('--admin-url: leave user and password out; a token goes into GATEWAY_TOKEN');
  }
  // The address of the API itself is as good as that of the listener.
  url.pathname = url.pathname.replace(/\/api\/gateway\/?$/, '/');
  url.search = '';
  url.hash = '';
  return url;
}

function describe(error: unknown, token: ApiToken | null): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  if (error.status === 401 && token?.token === null) {
    return `a token is needed: ${token.origin}; \`gateway token create\` makes one`;
  }
  const isOfToken = error.problem.code !== ERRORS.certificateNeeded.code;
  if (!isOfToken || (error.status !== 401 && error.status !== 403)) return error.message;
  return `${error.message} (the token is from ${token?.origin}; \`gateway token create\` makes another)`;
}

function listProblems(error: unknown): string[] {
  return problemsOf(error).map((problem) => `  ${formatProblem(problem)}`);
}

/** All that is wrong, where the message does not say it already. */
function problemsOf(error: unknown): readonly Problem[] {
  if (error instanceof InvalidDocumentError) return error.problems;
  const problems = error instanceof ApiError ? error.problem.problems : undefined;
  return problems ?? [];
}

function jsonOf(error: unknown): unknown {
  if (error instanceof ApiError) return { ...error.problem, detail: error.message };
  const problems = problemsOf(error);
  return { detail: (error as Error).message, ...(problems.length === 0 ? {} : { problems }) };
}

function exitCodeOf(error: unknown): number {
  if (error instanceof UnusableTokenError) return EXIT.unauthorized;
  if (!(error instanceof ApiError)) return EXIT.failed;
  if (error.status === 412) return EXIT.conflict;
  return error.status === 401 || error.status === 403 ? EXIT.unauthorized : EXIT.failed;
}
