/** The `redis-server` program, as a server or as a sentinel: started, stopped and asked by its own tools. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestCertificate } from './certificate.ts';
import { ChangeSignal, DEFAULT_LIMIT_MS } from './change-signal.ts';
import { LineSplitter } from './line-splitter.ts';
import { findServerPort } from './server-port.ts';
import { createTemporaryDirectory } from './temporary-directory.ts';
import type { TestOwner } from './test-owner.ts';

const run = promisify(execFile);

const MAX_START_ATTEMPTS = 5;
const MAX_LOG_LINES = 100_000;
const IS_READY = /Ready to accept connections|Sentinel ID is/;
const PORT_IS_TAKEN = /Address already in use|Failed listening on port/;
/** On Linux the kernel ends the server with the test, however that ends. */
const DYING_WITH_THE_TEST = ['setpriv', '--pdeathsig', 'KILL'];
const canDieWithTheTest = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0;

export interface DaemonOptions {
  /** The lines of its configuration file, for the port that was found and the directory of its data. */
  readonly configuration: (port: number, directory: string) => readonly string[];
  /** Arguments behind the configuration file, such as `--sentinel`. */
  readonly flags?: readonly string[];
  /** Of the user `default`, for `command`. */
  readonly password?: string;
  readonly tls?: TestCertificate;
}

export class RedisDaemon {
  readonly port: number;
  /** Where its configuration file is, and in `data` what it keeps. Goes with the test. */
  readonly directory: string;
  readonly log: string[] = [];
  readonly #options: DaemonOptions;
  readonly #changed = new ChangeSignal();
  #child: ChildProcess | null = null;

  constructor(port: number, directory: string, options: DaemonOptions) {
    this.port = port;
    this.directory = directory;
    this.#options = options;
  }

  get configurationFile(): string {
    return join(this.directory, 'redis.conf');
  }

  /** Starts the program and waits until it answers. @throws Error with the end of its log where it exits */
  async start(): Promise<void> {
    const logStart = this.log.length;
    const words = ['redis-server', this.configurationFile, ...(this.#options.flags ?? [])];
    const [program = '', ...parameters] = canDieWithTheTest ? [...DYING_WITH_THE_TEST, ...words] : words;
    const child = spawn(program, parameters, { cwd: this.directory, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    const lines = new LineSplitter((line) => this.#addLogLine(line));
    for (const output of [child.stdout, child.stderr]) {
      output.setEncoding('utf8').on('data', (text: string) => lines.add(text));
    }
    child.once('error', (error) => this.#end(child, error.message));
    child.once('close', (code, signal) => this.#end(child, `exit ${code ?? signal}`));
    await this.waitForLog(IS_READY, logStart);
  }

  /** Ends it as a power failure would, and waits until it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }

  /** Stops it from doing anything while its connections stay open: it hangs. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /**
   * Asks it by `redis-cli`; gives what that prints for scripts, without the last line feed.
   * @throws Error where it answers with an error, or not at all for ten seconds
   */
  async command(...words: readonly string[]): Promise<string> {
    const { password, tls } = this.#options;
    const encryption = tls === undefined ? [] : ['--tls', '--cacert', tls.caFile, ...clientCertificate(tls)];
    const { stdout } = await run('redis-cli', ['-p', String(this.port), '-e', ...encryption, ...words], {
      timeout: DEFAULT_LIMIT_MS,
      maxBuffer: 64 * 1_048_576,
      env: { ...process.env, ...(password === undefined ? {} : { REDISCLI_AUTH: password }) },
    });
    return stdout.replace(/\n$/, '');
  }

  /** Waits for a line of its log, among those from line `start` on. @throws Error where it exits before */
  async waitForLog(pattern: RegExp, start = 0, limitMs = DEFAULT_LIMIT_MS): Promise<string> {
    let position = start;
    const find = () => {
      for (; position < this.log.length; position += 1) {
        const line = this.log[position] ?? '';
        if (pattern.test(line)) return line;
      }
      if (this.#child === null) throw new Error(`redis-server has ended: ${this.#describe()}`);
      return undefined;
    };
    return this.#changed.waitFor(find, limitMs, () => `no ${pattern} in its log: ${this.#describe()}`);
  }

  #addLogLine(line: string): void {
    if (this.log.length < MAX_LOG_LINES) this.log.push(line);
    this.#changed.notify();
  }

  #end(child: ChildProcess, how: string): void {
    if (this.#child === child) this.#child = null;
    this.#addLogLine(how);
  }

  #describe(): string {
    return `port ${this.port}\n${this.log.slice(-20).join('\n')}`;
  }
}

function clientCertificate({ certFile, keyFile }: TestCertificate): string[] {
  return ['--cert', certFile, '--key', keyFile];
}

/**
 * Starts a daemon on a free port; it ends with the test.
 * @param create makes the object from the port and the directory for its files
 */
export async function startDaemon<D extends RedisDaemon>(
  owner: TestOwner,
  options: DaemonOptions,
  create: (port: number, directory: string) => D | Promise<D>,
): Promise<D> {
  const directory = await createTemporaryDirectory(owner);
  for (let attempt = 1; ; attempt += 1) {
    const daemon = await create(await findServerPort(), directory);
    const lines = options.configuration(daemon.port, directory);
    await writeFile(daemon.configurationFile, `${lines.join('\n')}\n`);
    try {
      await daemon.start();
      owner.teardown(() => daemon.kill());
      return daemon;
    } catch (error) {
      await daemon.kill();
      const isTaken = daemon.log.some((line) => PORT_IS_TAKEN.test(line));
      if (!isTaken || attempt === MAX_START_ATTEMPTS) throw error;
    }
  }
}
