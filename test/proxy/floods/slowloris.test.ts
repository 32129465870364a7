/** Thousands of connections that send as slowly as they can: good traffic notices nothing, and they are all gone in the end. */
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { ChangeSignal } from '../../helpers/change-signal.ts';
import { eventually } from '../../helpers/eventually.ts';
import { startGateway } from '../../helpers/gateway-process.ts';
import { startLoad } from '../../helpers/load.ts';
import { formatRequest } from '../../helpers/raw-client.ts';
import { startOrigin } from '../../helpers/scripted-origin.ts';
import { waitForMetrics } from '../../helpers/worker-processes.ts';

const SLOW_HEADS = 2_000;
const SLOW_BODIES = 500;
const PIECE_INTERVAL_MS = 400;
/** Connections that are opened at once. */
const BATCH = 250;
/** What one connection that is waited for may cost, generously. */
const MOST_BYTES_EACH = 40_000;

const HEAD = `GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ${'x'.repeat(10_000)}`;
const UPLOAD = formatRequest('POST', '/upload', { 'Content-Length': '1000000' });

const origin = await startOrigin(
  (request, connection) => {
    if (request.method === 'GET') connection.answer({ body: 'ok' });
  },
  { owner: t },
);
const gateway = await startGateway(t, {
  config: {
    clusters: {
      main: { destinations: { only: { url: origin.url } }, retry: { attempts: 1 } },
      uploads: { destinations: { only: { url: origin.url } }, pool: { maxConnections: SLOW_BODIES } },
    },
    routes: {
      uploads: { match: { path: '/upload' }, cluster: 'uploads' },
      all: { match: {}, cluster: 'main' },
    },
  },
  accessLog: 'off',
  workers: 2,
  flags: ['--headers-timeout-ms', '8000'],
});

/** Connections that send a byte now and then, until the gateway has closed them all. */
class Flood {
  /** What each has sent so far. */
  readonly #open = new Map<Socket, number>();
  readonly #changed = new ChangeSignal();
  readonly #timer: NodeJS.Timeout;
  #connected = 0;
  #isOver = false;
  /** Why no more connections can be opened. */
  #problem: string | null = null;

  constructor(t: Test) {
    this.#timer = setInterval(() => this.#sendOn(), PIECE_INTERVAL_MS);
    t.teardown(() => {
      this.#isOver = true;
      clearInterval(this.#timer);
      for (const socket of this.#open.keys()) socket.destroy();
    });
  }

  /** Opens so many, no faster than the workers take them: `begun` is sent at once, the rest of `HEAD` byte by byte. */
  async add(count: number, begun: string): Promise<void> {
    for (let left = count; left > 0; left -= BATCH) {
      const wanted = this.#connected + Math.min(left, BATCH);
      for (let index = 0; index < Math.min(left, BATCH); index += 1) this.#addOne(begun);
      await this.#waitFor(() => this.#connected === wanted);
      await waitForMetrics(gateway, (metrics) => connectionsOf(metrics) >= this.#open.size, 30_000);
    }
  }

  #addOne(begun: string): void {
    let isConnected = false;
    const socket = connect(gateway.port, '127.0.0.1', () => {
      isConnected = true;
      this.#connected += 1;
      this.#open.set(socket, begun.length);
      socket.write(begun);
      this.#changed.notify();
    });
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ECONNREFUSED') this.#problem = `the gateway is gone: ${gateway.describe()}`;
    });
    socket.on('close', () => {
      this.#open.delete(socket);
      // A busy machine may have no port left for it now.
      if (!isConnected && !this.#isOver && this.#problem === null) setImmediate(() => this.#addOne(begun));
      this.#changed.notify();
    });
    socket.resume();
  }

  #sendOn(): void {
    for (const [socket, sent] of this.#open) {
      if (socket.writable) socket.write(HEAD.charAt(sent) || 'x');
      this.#open.set(socket, sent + 1);
    }
  }

  waitUntilGone(): Promise<void> {
    return this.#waitFor(() => this.#open.size === 0);
  }

  async #waitFor(holds: () => boolean): Promise<void> {
    const describe = () => `${this.#connected} connected, ${this.#open.size} open`;
    const find = () => {
      if (this.#problem !== null) throw new Error(this.#problem);
      return holds() ? true : undefined;
    };
    await this.#changed.waitFor(find, 50_000, describe);
  }
}

async function residentBytes(): Promise<number> {
  const metrics = await gateway.metrics();
  const all = [...metrics].filter(([name]) => name.startsWith('gateway_worker_resident_memory_bytes'));
  return all.reduce((sum, [, bytes]) => sum + bytes, 0);
}

/** Of all workers. */
const connectionsOf = (metrics: ReadonlyMap<string, number>) =>
  [...metrics]
    .filter(([name]) => name.startsWith('gateway_worker_connections'))
    .reduce((sum, [, count]) => sum + count, 0);

t.test('2,000 slow heads and 500 slow bodies do not harm good traffic', { timeout: 120_000 }, async (t) => {
  const loads = [true, false].map((keepAlive) =>
    startLoad({ owner: t, port: gateway.port, clients: 2, keepAlive, pauseMs: 5 }),
  );
  await Promise.all(loads.map((load) => load.waitForAnswers(50)));
  const before = await residentBytes();

  const flood = new Flood(t);
  await flood.add(SLOW_BODIES, UPLOAD);
  await flood.add(SLOW_HEADS, HEAD.slice(0, 1));
  await Promise.all(loads.map((load) => load.waitForAnswers(50)));
  const grown = (await residentBytes()) - before;
  t.ok(grown < (SLOW_HEADS + SLOW_BODIES) * MOST_BYTES_EACH, `the workers have grown by ${grown} bytes`);
  await flood.waitUntilGone();
  await Promise.all(loads.map((load) => load.waitForAnswers(50)));

  await Promise.all(loads.map((load) => load.stop()));
  for (const load of loads) {
    t.same(load.failures, []);
    t.same([...load.statuses.keys()], [200]);
  }
  await waitForMetrics(gateway, (metrics) => connectionsOf(metrics) === 0);
  const metrics = await gateway.metrics();
  const inFlight = [...metrics].filter(([name]) => name.startsWith('gateway_requests_in_flight'));
  t.ok(inFlight.every(([, count]) => count === 0));
  t.equal(metrics.get('gateway_connections_dropped_total'), 0);
  await eventually(() => {
    if (origin.connections >= 20) throw new Error(`${origin.connections} connections to the origin are left`);
  });
});
