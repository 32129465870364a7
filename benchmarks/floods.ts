/**
 * What good traffic notices of clients that send their heads byte by byte and come back when they are closed:
 * errors and latency of a steady load on kept connections, and of new connections, before, during and after.
 *
 *   node benchmarks/floods.ts [slow connections, default 2000] [seconds, default 20]
 */
import { connect, type Socket } from 'node:net';
import { type Contender, startGatewayWith, startScript } from './support/contender.ts';
import { check, type Figure, figure, formatTable, spread } from './support/figures.ts';
import { loadFigures, type PacedLoad, startLoad } from './support/paced-load.ts';
import { type Scope, withScope } from './support/scope.ts';

const slowConnections = Number(process.argv[2] ?? 2_000);
const seconds = Number(process.argv[3] ?? 20);
const WORKERS = 2;
const REQUESTS_PER_SECOND = 200;
const NEWCOMER_INTERVAL_MS = 100;
const BYTE_INTERVAL_MS = 500;
/** How many slow connections are opened at once. */
const BATCH = 50;
const BATCH_INTERVAL_MS = 20;

/** Keeps so many slow connections open: whoever is closed comes back. */
class Flood {
  readonly #port: number;
  readonly #wanted: number;
  readonly #open = new Set<Socket>();
  readonly #timers: readonly NodeJS.Timeout[];
  closedCount = 0;

  constructor(port: number, wanted: number) {
    this.#port = port;
    this.#wanted = wanted;
    this.#timers = [
      setInterval(() => this.#openSome(), BATCH_INTERVAL_MS),
      setInterval(() => this.#sendOn(), BYTE_INTERVAL_MS),
    ];
  }

  get size(): number {
    return this.#open.size;
  }

  #openSome(): void {
    const missing = Math.min(BATCH, this.#wanted - this.#open.size);
    for (let index = 0; index < missing; index += 1) this.#openOne();
  }

  #openOne(): void {
    const socket = connect(this.#port, '127.0.0.1', () =>
      socket.write('GET / HTTP/1.1\r\nHost: a\r\nX-Slow: '),
    );
    this.#open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#open.delete(socket);
      this.closedCount += 1;
    });
    socket.resume();
  }

  #sendOn(): void {
    for (const socket of this.#open) if (socket.writable) socket.write('x');
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    for (const socket of this.#open) socket.destroy();
  }
}

/** One request on a connection of its own. @returns how long it took in ms; null where it failed */
function askAsNewcomer(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const startMs = performance.now();
    let received = '';
    const socket = connect(port, '127.0.0.1', () =>
      socket.write('GET /r0/any HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
    );
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      const isGood = received.startsWith('HTTP/1.1 200 ') && received.endsWith('hello world\n');
      resolve(isGood ? performance.now() - startMs : null);
    });
  });
}

/** Sends requests as newcomers for a while. */
async function askAsNewcomers(port: number, durationMs: number): Promise<(number | null)[]> {
  const asked: Promise<number | null>[] = [];
  const untilMs = performance.now() + durationMs;
  while (performance.now() < untilMs) {
    asked.push(askAsNewcomer(port));
    await new Promise((resolve) => setTimeout(resolve, NEWCOMER_INTERVAL_MS));
  }
  return Promise.all(asked);
}

async function measure(gateway: Contender, load: PacedLoad, when: string): Promise<Figure[]> {
  await load.take();
  const cpuSeconds = gateway.cpuSeconds();
  const answers = await askAsNewcomers(gateway.port, seconds * 1_000);
  const usedSeconds = gateway.cpuSeconds() - cpuSeconds;
  const latencies = answers.filter((latencyMs) => latencyMs !== null);
  return [
    ...loadFigures(await load.take(), when),
    check(`failed new connections ${when}`, answers.length - latencies.length, 0),
    figure(`new connections ${when}: number; ms p50 / p99 / max`, `${answers.length}; ${spread(latencies)}`),
    figure(`CPU of the gateway ${when}, % of one core`, (100 * usedSeconds) / seconds),
  ];
}

async function run(scope: Scope): Promise<Figure[]> {
  const origin = await startScript('origin', 'support/origin.ts', 0);
  scope.teardown(() => origin.stop());
  const cluster = { destinations: { origin: { url: `http://127.0.0.1:${origin.port}` } } };
  const route = { match: { path: '/{**rest}' }, cluster: 'origin' };
  const gateway = await startGatewayWith({ clusters: { origin: cluster }, routes: { all: route } }, WORKERS);
  scope.teardown(() => gateway.stop());
  const load = startLoad(scope, {
    ports: [gateway.port],
    routes: [0],
    requestsPerSecond: REQUESTS_PER_SECOND,
  });

  const before = await measure(gateway, load, 'before');
  const flood = new Flood(gateway.port, slowConnections);
  scope.teardown(() => flood.stop());
  const during = await measure(gateway, load, 'during the flood');
  const sizes = [
    figure('slow connections at the end of the flood', flood.size),
    figure('slow connections that the gateway closed', flood.closedCount),
  ];
  flood.stop();
  return [...before, ...during, ...sizes, ...(await measure(gateway, load, 'after'))];
}

console.log(formatTable(`${slowConnections} slow connections`, await withScope(run)));
process.exit(0);
