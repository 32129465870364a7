/** The real gateway as a process of its own, driven as its users drive it. */
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ChangeSignal, DEFAULT_LIMIT_MS } from './change-signal.ts';
import {
  type GatewayChild,
  type GatewayOptions,
  listStartArguments,
  type ProcessExit,
  spawnGateway,
} from './gateway-command.ts';
import { LineSplitter } from './line-splitter.ts';
import { parseMetrics } from './prometheus-text.ts';
import { formatRequest, request } from './raw-client.ts';
import { createTemporaryDirectory } from './temporary-directory.ts';
import type { TestOwner } from './test-owner.ts';

/** Beyond this, lines are no longer kept, and waiting for one fails. */
const MAX_LOG_LINES = 200_000;
const MAX_STDERR_CHARACTERS = 1_000_000;
const MAX_SHOWN_CHARACTERS = 4_000;
/** A drain gives idle connections two seconds, and on a busy machine all takes its time. */
const STOP_LIMIT_MS = 30_000;

/** A line of the log; what is not JSON has the whole line as its `msg`. */
export interface LogLine {
  readonly msg?: string;
  readonly [field: string]: unknown;
}

export class GatewayProcess {
  readonly logs: LogLine[] = [];
  /** The exit of the primary, once no process of the gateway holds its output any more. */
  readonly exited: Promise<ProcessExit>;
  readonly stateDirectory: string;
  readonly #configFile: string | null;
  readonly #child: GatewayChild;
  readonly #changed = new ChangeSignal();
  #exit: ProcessExit | null = null;
  #stderr = '';
  #revision = 0;

  constructor(child: GatewayChild, stateDirectory: string, configFile: string | null) {
    this.#child = child;
    this.stateDirectory = stateDirectory;
    this.#configFile = configFile;
    this.exited = this.#watchExit();
    const lines = new LineSplitter((line) => this.#addLogLine(line));
    child.stdout.on('data', (text: string) => lines.add(text));
    child.stderr.on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_STDERR_CHARACTERS);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The port that serves traffic. */
  get port(): number {
    return portOf(this.#readyLine().listen);
  }

  get adminPort(): number {
    return portOf(this.#readyLine().admin);
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The highest revision that was applied so far. */
  get revision(): number {
    return this.#revision;
  }

  /** Waits for a line that `predicate` takes, among those that came already and those to come. */
  waitForLog(predicate: (line: LogLine) => boolean, limitMs = DEFAULT_LIMIT_MS): Promise<LogLine> {
    return this.#waitForLogFrom(0, predicate, limitMs);
  }

  /** Waits for a line that `predicate` takes, among those to come from now on. */
  waitForNextLog(predicate: (line: LogLine) => boolean, limitMs = DEFAULT_LIMIT_MS): Promise<LogLine> {
    return this.#waitForLogFrom(this.logs.length, predicate, limitMs);
  }

  /** Puts another configuration in place of the file, in one step. */
  async writeConfig(document: object | string): Promise<void> {
    if (this.#configFile === null) throw new Error('this gateway was started without a configuration file');
    await replaceFile(this.#configFile, document);
  }

  /** Writes a configuration and waits until the gateway has applied or refused it: gives that log line. */
  async offerConfig(document: object | string, limitMs = DEFAULT_LIMIT_MS): Promise<LogLine> {
    const before = this.#revision;
    const isOutcome = (line: LogLine) =>
      line.msg === 'configuration refused' ||
      (line.msg === 'configuration applied' && Number(line.revision) > before);
    const [outcome] = await Promise.all([
      this.waitForNextLog(isOutcome, limitMs),
      this.writeConfig(document),
    ]);
    return outcome;
  }

  /** Writes a configuration and waits until it is applied; gives its revision. @throws Error if refused */
  async applyConfig(document: object | string, limitMs = DEFAULT_LIMIT_MS): Promise<number> {
    const outcome = await this.offerConfig(document, limitMs);
    if (outcome.msg === 'configuration applied') return Number(outcome.revision);
    throw new Error(`the configuration was refused: ${JSON.stringify(outcome)}`);
  }

  /** The samples of `/metrics`, by `name{label="value"}` with the labels sorted by name. */
  async metrics(): Promise<Map<string, number>> {
    const response = await request(this.adminPort, formatRequest('GET', '/metrics', { Connection: 'close' }));
    if (response.status !== 200) throw new Error(`/metrics answered ${response.startLine}: ${response.text}`);
    return parseMetrics(response.text);
  }

  /** Sends a signal to the primary. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /**
   * Asks the gateway to drain and waits for its exit.
   * @throws Error where it has to be killed after `limitMs`
   */
  async stop(limitMs = STOP_LIMIT_MS): Promise<ProcessExit> {
    if (this.#exit === null) this.signal('SIGTERM');
    try {
      return await this.#waitForExit(limitMs);
    } catch (error) {
      this.signal('SIGKILL');
      throw error;
    }
  }

  /** What the gateway said last, for people to read when a test fails. */
  describe(): string {
    const state = this.#exit === null ? 'running' : `exited with ${JSON.stringify(this.#exit)}`;
    const lines = this.logs.slice(-20).map((line) => JSON.stringify(line));
    const log = lines.join('\n').slice(-MAX_SHOWN_CHARACTERS);
    return `${state}\nstderr: ${this.#stderr.slice(-MAX_SHOWN_CHARACTERS)}\nlog: ${log}`;
  }

  #readyLine(): LogLine {
    const line = this.logs.find(isReadyLine);
    if (line === undefined) throw new Error(`the gateway is not ready: ${this.describe()}`);
    return line;
  }

  #waitForLogFrom(start: number, predicate: (line: LogLine) => boolean, limitMs: number): Promise<LogLine> {
    let position = start;
    const find = () => {
      for (; position < this.logs.length; position++) {
        const line = this.logs[position];
        if (line !== undefined && predicate(line)) return line;
      }
      if (this.#exit !== null) throw new Error(`the gateway has exited: ${this.describe()}`);
      if (position >= MAX_LOG_LINES)
        throw new Error('too many log lines: log less, or sample the access log');
      return undefined;
    };
    return this.#changed.waitFor(find, limitMs, () => `no such log line: ${this.describe()}`);
  }

  #watchExit(): Promise<ProcessExit> {
    return new Promise((resolve) => {
      const finish = (exit: ProcessExit) => {
        this.#exit = exit;
        this.#changed.notify();
        resolve(exit);
      };
      this.#child.once('close', (code, signal) => finish({ code, signal }));
      this.#child.once('error', (error) => {
        this.#stderr += error.message;
        finish({ code: null, signal: null });
      });
    });
  }

  #waitForExit(limitMs: number): Promise<ProcessExit> {
    return this.#changed.waitFor(
      () => this.#exit ?? undefined,
      limitMs,
      () => `no exit: ${this.describe()}`,
    );
  }

  #addLogLine(text: string): void {
    const line = parseLogLine(text);
    if (this.logs.length < MAX_LOG_LINES) this.logs.push(line);
    if (line.msg === 'configuration applied')
      this.#revision = Math.max(this.#revision, Number(line.revision));
    this.#changed.notify();
  }
}

function isReadyLine(line: LogLine): boolean {
  return line.msg === 'gateway ready';
}

function parseLogLine(text: string): LogLine {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as LogLine;
  } catch {
    // Shown as it is: a line that is no JSON is most often why a start failed.
  }
  return { msg: text };
}

function portOf(address: unknown): number {
  const match = /:(\d+)$/.exec(String(address));
  if (match === null) throw new Error(`no port in ${JSON.stringify(address)}`);
  return Number(match[1]);
}

async function replaceFile(file: string, document: object | string): Promise<void> {
  const text = typeof document === 'string' ? document : JSON.stringify(document, null, 2);
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

/**
 * Starts a gateway, waits until it is ready, and stops it with the test.
 * @throws Error where it exits or is not ready in time, with what it said
 */
export async function startGateway(owner: TestOwner, options: GatewayOptions = {}): Promise<GatewayProcess> {
  const gateway = await launchGateway(owner, options);
  await gateway.waitForLog(isReadyLine, options.startLimitMs ?? 20_000);
  return gateway;
}

/** Starts a gateway that may not become ready, and stops it with the test. */
export async function launchGateway(owner: TestOwner, options: GatewayOptions): Promise<GatewayProcess> {
  const directory = await createTemporaryDirectory(owner);
  const stateDirectory = options.stateDirectory ?? join(directory, 'state');
  const configFile = options.config === undefined ? null : join(directory, 'gateway.yaml');
  if (configFile !== null) await replaceFile(configFile, options.config ?? '');
  const child = spawnGateway(listStartArguments(options, stateDirectory, configFile), options.environment);
  const gateway = new GatewayProcess(child, stateDirectory, configFile);
  owner.teardown(() => gateway.stop());
  return gateway;
}
