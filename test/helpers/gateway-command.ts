/** The command line of the real gateway. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { DEFAULT_LIMIT_MS } from './change-signal.ts';

const GATEWAY_COMMAND = fileURLToPath(new URL('../../bin/gateway', import.meta.url));
/** The commands that were run since this test file began: its tests are one process. */
const seen = new Set<string>();

export interface GatewayOptions {
  /** The configuration file: an object, or its text as it is; absent: no file. */
  readonly config?: object | string;
  /** 127.0.0.1:0 unless given. */
  readonly listen?: string;
  /** 127.0.0.1:0 unless given. */
  readonly admin?: string;
  /** 1 unless given. */
  readonly workers?: number;
  /** A new one that goes with the test, unless given: to start again from what another left. */
  readonly stateDirectory?: string;
  readonly logLevel?: string;
  /** On, off, or the share of requests that is logged, 0 to 1. */
  readonly accessLog?: 'on' | 'off' | number;
  readonly drainTimeoutMs?: number;
  /** More flags, as they are. */
  readonly flags?: readonly string[];
  /** Added to the environment of the test. */
  readonly environment?: Readonly<Record<string, string>>;
  /** How long the start may take; 20 s unless given. */
  readonly startLimitMs?: number;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export type GatewayChild = ChildProcessByStdio<null, Readable, Readable>;

/** The command line of `start`; what is null or not given is left to the gateway. */
export function listStartArguments(
  options: GatewayOptions,
  stateDirectory: string,
  configFile: string | null,
): string[] {
  const flags: Record<string, string | number | null | undefined> = {
    '--config': configFile,
    '--listen': options.listen ?? '127.0.0.1:0',
    '--admin': options.admin ?? '127.0.0.1:0',
    '--workers': options.workers ?? 1,
    '--state': stateDirectory,
    '--log-level': options.logLevel,
    '--access-log': options.accessLog,
    '--drain-timeout-ms': options.drainTimeoutMs,
  };
  const given = Object.entries(flags).filter(([, value]) => value !== undefined && value !== null);
  return ['start', ...given.flatMap(([flag, value]) => [flag, String(value)]), ...(options.flags ?? [])];
}

type Environment = Readonly<Record<string, string>>;

/**
 * The words that run `bin/gateway` with the Node that runs the tests, without tap's notice. Tap gives every process
 * options for Node, which make it report the lines that it ran: more than a third of what a start costs.
 */
export function listUnseenCommand(environment: Environment = {}): string[] {
  const options = environment.NODE_OPTIONS ?? process.env.NODE_OPTIONS ?? '';
  return ['env', `NODE_OPTIONS=${options}`, process.execPath, GATEWAY_COMMAND];
}

/** Of each command in a test file the first is seen by tap: the others run the same lines. */
function listCommand(commandArguments: readonly string[], environment: Environment): string[] {
  const names = commandArguments.slice(0, 2).filter((word) => /^[a-z][a-z-]*$/.test(word));
  const command = names.join(' ');
  if (seen.has(command)) return listUnseenCommand(environment);
  seen.add(command);
  return [process.execPath, GATEWAY_COMMAND];
}

/** Starts `bin/gateway` with the Node that runs the tests. */
export function spawnGateway(
  commandArguments: readonly string[],
  environment: Environment = {},
): GatewayChild {
  const [program = '', ...parameters] = listCommand(commandArguments, environment);
  const child = spawn(program, [...parameters, ...commandArguments], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.setEncoding('utf8');
  child.stderr.setEncoding('utf8');
  return child;
}

export interface CommandResult extends ProcessExit {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the gateway to its end. @throws Error where it has to be killed after `limitMs` */
export async function runGatewayCommand(
  commandArguments: readonly string[],
  environment: Environment = {},
  limitMs = DEFAULT_LIMIT_MS,
): Promise<CommandResult> {
  const child = spawnGateway(commandArguments, environment);
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr.on('data', (text: string) => {
    output.stderr += text;
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`\`gateway ${commandArguments.join(' ')}\` ran on: ${JSON.stringify(output)}`));
    }, limitMs);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, ...output });
    });
  });
}
