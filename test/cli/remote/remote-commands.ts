/** A gateway, and the commands that talk to it, all of them real processes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type CommandResult, listUnseenCommand, runGatewayCommand } from '../../helpers/gateway-command.ts';
import type { GatewayProcess } from '../../helpers/gateway-process.ts';
import { createTemporaryDirectory } from '../../helpers/temporary-directory.ts';
import type { TestOwner } from '../../helpers/test-owner.ts';

/** Generous, for machines that have a lot else to do. */
const LIMIT_MS = 40_000;

type Environment = Readonly<Record<string, string>>;

export class RemoteCommands {
  readonly #environment: Environment;
  readonly #directory: string;

  constructor(environment: Environment, directory: string) {
    this.#environment = environment;
    this.#directory = directory;
  }

  /** Runs a command against the gateway, with the token that its first start made unless another is given. */
  run(words: readonly string[], environment: Environment = {}): Promise<CommandResult> {
    return runGatewayCommand(words, { ...this.#environment, ...environment }, LIMIT_MS);
  }

  /** Runs a command that has to succeed, and gives the JSON that it printed. */
  async read<T = unknown>(words: readonly string[]): Promise<T> {
    const { code, stdout, stderr } = await this.run([...words, '--json']);
    if (code !== 0) throw new Error(`\`gateway ${words.join(' ')}\` ended with ${code}: ${stderr}`);
    return JSON.parse(stdout) as T;
  }

  /** Runs a line of bash in which `gateway` is the command line; its code is that of the last part to fail. */
  async shell(line: string, environment: Environment = {}): Promise<CommandResult> {
    const words = listUnseenCommand().map((word) => `"${word}"`);
    const script = `set -o pipefail; gateway() { ${words.join(' ')} "$@"; }; ${line}`;
    const child = spawn('bash', ['-c', script], {
      env: { ...process.env, ...this.#environment, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LIMIT_MS,
    });
    const ended = new Promise<Pick<CommandResult, 'code' | 'signal'>>((resolve) => {
      child.on('close', (code, signal) => resolve({ code, signal }));
    });
    const [stdout, stderr] = await Promise.all([buffer(child.stdout), buffer(child.stderr)]);
    return { ...(await ended), stdout: stdout.toString(), stderr: stderr.toString() };
  }

  /** Writes a file for commands to take. @returns its path */
  async file(name: string, content: object | string): Promise<string> {
    const path = join(this.#directory, name);
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  }
}

/** The commands that talk to `gateway`. */
export async function commandsFor(owner: TestOwner, gateway: GatewayProcess): Promise<RemoteCommands> {
  const directory = await createTemporaryDirectory(owner);
  const environment = {
    GATEWAY_ADMIN_URL: `http://127.0.0.1:${gateway.adminPort}`,
    GATEWAY_STATE: gateway.stateDirectory,
    GATEWAY_TOKEN: '',
    GATEWAY_TOKEN_FILE: '',
  };
  return new RemoteCommands(environment, directory);
}

/**
 * Something in front of a management API that forwards all requests, and does something before it lets a write
 * through. Before that may lie seconds in which a command starts and shows what it is about to do.
 * @returns its URL, for `--admin-url`
 */
export async function forwardWith(
  owner: TestOwner,
  { adminPort }: GatewayProcess,
  beforeWrite: () => unknown,
): Promise<string> {
  const server = http.createServer(async (request, response) => {
    const isWrite = request.method !== 'GET' && !request.url?.includes('dryRun=true');
    if (isWrite) await beforeWrite();
    const { method, url: path, headers } = request;
    const options = { port: adminPort, method, path, headers, agent: false };
    const forwarded = http.request(options, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
    request.pipe(forwarded);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  owner.teardown(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A configuration with one cluster and one route a name. */
export function configurationOf(routes: Readonly<Record<string, object>>): object {
  return {
    clusters: { one: { destinations: { d: { url: 'http://127.0.0.1:1' } } } },
    issuers: {},
    consumers: {},
    certificates: {},
    routes: Object.fromEntries(
      Object.entries(routes).map(([id, more]) => [
        id,
        { match: { path: `/${id}` }, cluster: 'one', ...more },
      ]),
    ),
  };
}

export function linesOf(text: string): string[] {
  return text.trimEnd().split('\n');
}
