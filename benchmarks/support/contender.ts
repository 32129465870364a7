/** Proxies under comparison: each is one process (or a tree of them) in front of the same origin. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConfigurationDocument } from '../../lib/core/config/model.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const START_LIMIT_MS = 15_000;

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

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGTERM');
    await gone;
    rmSync(this.#directory, { recursive: true, force: true });
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

async function untilListening(name: string, port: number): Promise<void> {
  const deadlineMs = performance.now() + START_LIMIT_MS;
  for (;;) {
    const listening = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(true));
      socket.on('connect', () => socket.destroy());
      socket.on('error', () => resolve(false));
    });
    if (listening) return;
    if (performance.now() > deadlineMs) throw new Error(`${name} does not listen on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Starts a process and waits until it listens on the port that it is given. */
export async function start(
  name: string,
  command: (port: number, directory: string) => { file: string; words: string[] },
): Promise<Contender> {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'gateway-benchmark-'));
  const { file, words } = command(port, directory);
  const child = spawn(file, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  await untilListening(name, port);
  return new Contender(name, port, child, directory);
}

/** The gateway with one route and as many workers as said, its access log off. */
export function startGateway(originPort: number, workers = 1): Promise<Contender> {
  const cluster = { destinations: { origin: { url: `http://127.0.0.1:${originPort}` } } };
  const route = { match: { path: '/{**rest}' }, cluster: 'origin' };
  return startGatewayWith({ clusters: { origin: cluster }, routes: { all: route } }, workers);
}

/** The gateway with a configuration, its access log off. */
export function startGatewayWith(configuration: ConfigurationDocument, workers = 1): Promise<Contender> {
  return start('gateway', (port, directory) => {
    const config = join(directory, 'gateway.json');
    writeFileSync(config, JSON.stringify(configuration));
    const words = ['--config', config, '--state', join(directory, 'state'), '--listen', `127.0.0.1:${port}`];
    const rest = [
      '--admin',
      '127.0.0.1:0',
      '--workers',
      String(workers),
      '--access-log',
      'off',
      '--log-level',
      'error',
    ];
    return { file: process.execPath, words: [join(ROOT, 'bin/gateway'), 'start', ...words, ...rest] };
  });
}

/** A script of this folder that is given the origin's port and its own. */
export function startScript(name: string, script: string, originPort: number): Promise<Contender> {
  return start(name, (port) => ({
    file: process.execPath,
    words: [join(ROOT, 'benchmarks', script), String(originPort), String(port)],
  }));
}

/** Null where nginx is not installed. */
export async function startNginx(name: string, location: string, extra = ''): Promise<Contender | null> {
  if (!['/usr/sbin/nginx', '/usr/bin/nginx'].some(existsSync)) return null;
  return start(name, (port, directory) => {
    const file = join(directory, 'nginx.conf');
    writeFileSync(
      file,
      `worker_processes 1; daemon off; error_log /dev/null; pid ${directory}/nginx.pid;
       events { worker_connections 4096; }
       http { access_log off; keepalive_requests 100000000; ${extra}
         server { listen 127.0.0.1:${port} backlog=1024; location / { ${location} } } }`,
    );
    return { file: 'nginx', words: ['-c', file, '-p', directory] };
  });
}
