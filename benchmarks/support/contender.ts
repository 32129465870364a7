/** Proxies under comparison: each is one process (or a tree of them) in front of the same origin. */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConfigurationDocument } from '../../lib/core/config/model.ts';
import { residentMegabytes } from './process-usage.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const START_LIMIT_MS = 15_000;
const STOP_LIMIT_MS = 5_000;
/** Where the output of a contender goes that is told to keep it. */
export const OUTPUT_FILE = 'output.log';

/** A running process that listens on a port, and what it needs on disk. */
export class Contender {
  readonly name: string;
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #directory: string;

  constructor(name: string, port: number, process: ChildProcess, directory: string) {
    this.name = name;
    this.port = port;
    this.#process = process;
    this.#directory = directory;
  }

  /** CPU time of the whole process tree so far, user and system, in seconds. */
  cpuSeconds(): number {
    return treeOf(this.#process.pid ?? 0).reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);
  }

  /** Resident memory of the whole process tree in MB; pages that processes share count in each. */
  residentMegabytes(): number {
    return treeOf(this.#process.pid ?? 0).reduce((sum, pid) => sum + residentMegabytesOf(pid), 0);
  }

  /** How much it has written to a file of its own, in bytes. */
  writtenBytes(file: string): number {
    return statSync(join(this.#directory, file), { throwIfNoEntry: false })?.size ?? 0;
  }

  /** One that does not end by itself is killed: an open connection may hold it. */
  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const gone = new Promise((resolve) => this.#process.once('exit', resolve));
      const tree = treeOf(this.#process.pid ?? 0);
      const timer = setTimeout(() => tree.forEach(kill), STOP_LIMIT_MS);
      this.#process.kill('SIGTERM');
      await gone;
      clearTimeout(timer);
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}

function residentMegabytesOf(pid: number): number {
  try {
    return residentMegabytes(pid).now;
  } catch {
    return 0;
  }
}

/** Clock ticks a second, which Linux fixes at 100 for /proc. */
const TICKS_PER_SECOND = 100;

function cpuSecondsOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}

function treeOf(root: number): number[] {
  const tree = [root];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const parent = Number(readFileSync(`/proc/${entry}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]);
      if (tree.includes(parent)) tree.push(Number(entry));
    } catch {
      // It ended meanwhile.
    }
  }
  return tree;
}

export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function untilListening(name: string, port: number, hasEnded: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + START_LIMIT_MS;
  for (;;) {
    const listening = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(true));
      socket.on('connect', () => socket.destroy());
      socket.on('error', () => resolve(false));
    });
    if (listening) return;
    if (hasEnded()) throw new Error(`${name} ended before it listened on port ${port}`);
    if (performance.now() > deadlineMs) throw new Error(`${name} does not listen on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export interface StartOptions {
  /** The cores that it may use, as taskset takes them: `1` or `2,3`; absent or null: all that this process may. */
  readonly cores?: string | null;
  /** Whether standard output is kept in `OUTPUT_FILE` of its directory; it is dropped otherwise. */
  readonly keepsOutput?: boolean;
}

/** Starts a process and waits until it listens on the port that it is given. */
export async function start(
  name: string,
  command: (port: number, directory: string) => { file: string; words: string[] },
  { cores = null, keepsOutput = false }: StartOptions = {},
): Promise<Contender> {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'gateway-benchmark-'));
  const { file, words } = command(port, directory);
  const output = keepsOutput ? openSync(join(directory, OUTPUT_FILE), 'w') : 'ignore';
  const pinned = cores === null ? [file, ...words] : ['taskset', '-c', cores, file, ...words];
  const child = spawn(pinned[0]!, pinned.slice(1), { stdio: ['ignore', output, 'inherit'] });
  if (typeof output === 'number') closeSync(output);
  let hasEnded = false;
  child.once('exit', () => {
    hasEnded = true;
  });
  child.once('error', () => {
    hasEnded = true;
  });
  const contender = new Contender(name, port, child, directory);
  try {
    await untilListening(name, port, () => hasEnded);
  } catch (error) {
    if (!hasEnded) await contender.stop();
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
  return contender;
}

export interface GatewayOptions extends StartOptions {
  readonly accessLog?: 'on' | 'off';
  /** Whether the port is one for TLS; the certificates are those of the configuration. */
  readonly tls?: boolean;
  /** More words of its command line. */
  readonly flags?: readonly string[];
}

/** The gateway with a configuration, its access log off unless said. */
export function startGatewayWith(
  configuration: ConfigurationDocument,
  workers = 1,
  { accessLog = 'off', tls = false, flags = [], ...options }: GatewayOptions = {},
): Promise<Contender> {
  const command = (port: number, directory: string) => {
    const config = join(directory, 'gateway.json');
    writeFileSync(config, JSON.stringify(configuration));
    const listening = (isUsed: boolean) => `127.0.0.1:${isUsed ? port : 0}`;
    const settings = {
      config,
      state: join(directory, 'state'),
      listen: listening(!tls),
      ...(tls ? { 'listen-tls': listening(true) } : {}),
      admin: listening(false),
      workers: String(workers),
      'access-log': accessLog,
      'log-level': accessLog === 'on' ? 'info' : 'error',
    };
    const words = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    return { file: process.execPath, words: [join(ROOT, 'bin/gateway'), 'start', ...words, ...flags] };
  };
  return start('gateway', command, options);
}

/** A script of this folder that is given the origin's port and its own. */
export function startScript(
  name: string,
  script: string,
  originPort: number,
  options: StartOptions = {},
  ...more: string[]
): Promise<Contender> {
  const command = (port: number) => ({
    file: process.execPath,
    words: [join(ROOT, 'benchmarks', script), String(originPort), String(port), ...more],
  });
  return start(name, command, options);
}

export function hasNginx(): boolean {
  return ['/usr/sbin/nginx', '/usr/bin/nginx'].some(existsSync);
}

/** Null where nginx is not installed. */
export async function startNginx(name: string, location: string, extra = ''): Promise<Contender | null> {
  const http = (port: number) => `access_log off; ${extra}
    server { listen 127.0.0.1:${port} backlog=1024; location / { ${location} } }`;
  return hasNginx() ? startNginxWith(name, http) : null;
}

/**
 * nginx with one worker, which may read what is in its directory; `http` gives what stands in the block of that name, `directory` is its own.
 */
export function startNginxWith(
  name: string,
  http: (port: number, directory: string) => string,
  options: StartOptions = {},
): Promise<Contender> {
  const command = (port: number, directory: string) => {
    const file = join(directory, 'nginx.conf');
    writeFileSync(
      file,
      `${process.getuid?.() === 0 ? 'user root root; ' : ''}worker_processes 1; daemon off;
       error_log /dev/null; pid ${directory}/nginx.pid;
       worker_rlimit_nofile 8192; events { worker_connections 4096; }
       http { client_body_temp_path ${directory}/bodies; proxy_temp_path ${directory}/proxied;
         keepalive_requests 100000000; ${http(port, directory)} }`,
    );
    return { file: 'nginx', words: ['-c', file, '-p', directory] };
  };
  return start(name, command, options);
}
