/** What becomes of a WebSocket when one of its ends fails, falls silent or does not read. */
import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import type { RawClient } from '../helpers/raw-client.ts';
import { PiecewiseSender } from './piecewise-sender.ts';
import { startScriptedClusters } from './scripted-clusters.ts';
import {
  ACCEPT_FIELDS,
  closeCode,
  echo,
  formatUpgrade,
  openWebSocket,
  startEchoOrigin,
} from './websocket-peers.ts';

const LIMIT_MS = 25_000;
const IDLE_MS = 1_500;

const echoOrigin = await startEchoOrigin(t);
const proxy = await startScriptedClusters(t, {
  ends: {},
  vanishes: {},
  idle: { timeouts: { idleMs: IDLE_MS } },
  'one-way': { timeouts: { idleMs: IDLE_MS } },
  pinged: { origins: 0, urls: [echoOrigin.url], timeouts: { idleMs: IDLE_MS } },
  reading: {},
  echo: { origins: 0, urls: [echoOrigin.url] },
});

interface RawWebSocket {
  readonly client: RawClient;
  readonly connection: OriginConnection;
  readonly atOrigin: Socket;
}

/** A WebSocket of which both ends are in the hands of the test. */
async function openRaw(t: Test, cluster: string): Promise<RawWebSocket> {
  const opened = Promise.withResolvers<Omit<RawWebSocket, 'client'>>();
  proxy.origin(cluster).handler = (_, connection) => {
    const atOrigin = connection.switchProtocols(ACCEPT_FIELDS);
    atOrigin.on('error', () => {});
    opened.resolve({ connection, atOrigin });
  };
  const client = await proxy.connect(t);
  client.send(formatUpgrade(`/${cluster}/`));
  t.equal((await client.readHead()).status, 101);
  await client.readResponse();
  return { client, ...(await opened.promise) };
}

t.test('a text passes both ways on bare sockets', async (t) => {
  const { client, atOrigin } = await openRaw(t, 'ends');
  atOrigin.write('to the client');
  await client.waitForBytes('to the client');
  const arrived = new Promise((resolve) => atOrigin.once('data', resolve));
  client.send('to the origin');
  t.equal(String(await arrived), 'to the origin');
});

t.test('an origin that ends or resets the connection ends that of the client', async (t) => {
  for (const end of ['close', 'reset'] as const) {
    const { client, connection, atOrigin } = await openRaw(t, 'ends');
    atOrigin.write('last words');
    await client.waitForBytes('last words');
    connection[end]();
    await client.waitForClose();
    await proxy.origin('ends').waitForConnections(0);
    await proxy.waitUntilIdle('ends');
  }
});

t.test('what an origin sent before it ended the connection arrives', async (t) => {
  const { client, connection, atOrigin } = await openRaw(t, 'ends');
  atOrigin.write(Buffer.alloc(3_000_000, 'x'));
  atOrigin.write('the end');
  connection.close();
  await client.waitForBytes('the end');
  t.equal(client.unread.length, 3_000_007);
  t.equal(await client.waitForClose(), 'closed');
});

t.test('a client that goes away ends the connection to the origin', async (t) => {
  for (const depart of ['close', 'reset', 'end'] as const) {
    const { client } = await openRaw(t, 'vanishes');
    client[depart]();
    await proxy.origin('vanishes').waitForConnections(0);
    await proxy.waitUntilIdle('vanishes');
  }
});

t.test('a real client learns of a lost origin', async (t) => {
  const socket = await openWebSocket(t, proxy.port, '/echo/');
  const code = closeCode(socket);
  echoOrigin.opened.at(-1)?.socket.terminate();
  t.equal(await code, 1006, 'no close frame is made up');
});

t.test('idleMs ends a WebSocket on which nothing moves', async (t) => {
  const { client } = await openRaw(t, 'idle');
  await client.waitForClose(LIMIT_MS);
  await proxy.origin('idle').waitForConnections(0);
  await proxy.waitUntilIdle('idle');
});

t.test('a WebSocket lives as long as something moves, be it only one way', async (t) => {
  const { client, atOrigin } = await openRaw(t, 'one-way');
  const startedMs = performance.now();
  const pieces = setInterval(() => atOrigin.write('x'), IDLE_MS / 8);
  t.teardown(() => clearInterval(pieces));
  await proxy.waitUntil(
    async () => client.connectionEnd !== null || performance.now() - startedMs > 3 * IDLE_MS,
    'time stands still',
  );
  t.equal(client.connectionEnd, null);
});

t.test('pings keep a WebSocket alive', async (t) => {
  const socket = await openWebSocket(t, proxy.port, '/pinged/');
  let pongs = 0;
  const enough = Promise.withResolvers<void>();
  socket.on('pong', () => {
    pongs += 1;
    if (pongs === 24) enough.resolve();
  });
  // Longer in all than idleMs, three times.
  const pings = setInterval(() => socket.ping(), IDLE_MS / 8);
  t.teardown(() => clearInterval(pings));
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await Promise.race([enough.promise, closed]);
  t.ok(pongs >= 24, `${pongs} pongs`);
  t.equal(await echo(socket, 'still here'), 'still here');
});

t.test('an end that does not read makes the other wait', { timeout: 60_000 }, async (t) => {
  const bytes = Buffer.alloc(100_000_000, 'x');
  const before = await proxy.residentBytes();
  const { client, connection, atOrigin } = await openRaw(t, 'reading');
  const sink = { send: (piece: Buffer) => connection.write(piece), flushed: () => connection.flushed() };
  client.stopReading();
  const fromOrigin = new PiecewiseSender(sink, bytes);
  await fromOrigin.waitUntilStuck(proxy);
  connection.stopReading();
  const fromClient = new PiecewiseSender(client, bytes);
  await fromClient.waitUntilStuck(proxy);
  const grown = (await proxy.residentBytes()) - before;
  t.ok(fromOrigin.sentBytes < bytes.length / 4, `the origin could send ${fromOrigin.sentBytes} bytes`);
  t.ok(fromClient.sentBytes < bytes.length / 4, `the client could send ${fromClient.sentBytes} bytes`);
  t.ok(grown < bytes.length, `the worker has grown by ${grown} bytes`);
  const received = new Promise<void>((resolve) => {
    let count = 0;
    atOrigin.on('data', (chunk: Buffer) => {
      count += chunk.length;
      if (count === bytes.length) resolve();
    });
  });
  connection.resumeReading();
  await received;
  client.close();
  await proxy.waitUntilIdle('reading');
});

t.test('no WebSocket harms the worker', async (t) => {
  t.same(proxy.workerTroubles(), []);
});
