/** Clients that send too slowly are cut off; those that are slow but fine, or not waited for, never are. */
import t, { type Test } from 'tap';
import { createCertificate } from '../../helpers/certificate.ts';
import { startGateway } from '../../helpers/gateway-process.ts';
import type { OriginConnection } from '../../helpers/origin-connection.ts';
import { type ClientOptions, connect, formatRequest, type RawClient } from '../../helpers/raw-client.ts';
import { type OriginHandler, startOrigin } from '../../helpers/scripted-origin.ts';
import { outcome } from '../proxied-origin.ts';

/** The minimum: 5,000 bytes in five seconds. */
const RATE = 1_000;
const LIMIT_MS = 25_000;

/** What the origin does with a request, by its path. */
const scripts = new Map<string, OriginHandler>();
const origin = await startOrigin(
  async (request, connection) => {
    const script = scripts.get(request.target);
    if (script !== undefined) {
      script(request, connection);
      return;
    }
    await request.ended;
    connection.answer({ body: `${request.body.length}` });
  },
  { owner: t },
);
const certificate = await createCertificate(t);
const gateway = await startGateway(t, {
  config: {
    clusters: { main: { destinations: { only: { url: origin.url } }, retry: { attempts: 1 } } },
    certificates: { localhost: { certFile: certificate.certFile, keyFile: certificate.keyFile } },
    routes: { all: { match: {}, cluster: 'main' } },
  },
  accessLog: 'off',
  flags: ['--listen-tls', '127.0.0.1:0', '--min-bytes-per-second', String(RATE)],
});
const ready = gateway.logs.find(({ msg }) => msg === 'gateway ready');
const PORTS = { plain: gateway.port, tls: Number(/:(\d+)$/.exec(String(ready?.listenTls))?.[1]) };
const TLS: ClientOptions = { tls: { ca: certificate.ca, servername: 'localhost' } };

// Each test waits for the window of five seconds to pass, so they run side by side.
t.jobs = 20;
const options = { buffered: true };

/** Sends a piece again and again until the client is answered or closed. */
function sendSteadily(t: Test, client: RawClient, piece: string, everyMs: number): () => void {
  const sending = setInterval(() => client.send(piece), everyMs);
  t.teardown(() => clearInterval(sending));
  return () => clearInterval(sending);
}

/** Sends so many bytes a second, by the clock: however late a timer is, it makes up for that. */
function sendAtRate(t: Test, client: RawClient, bytesPerSecond: number): () => void {
  const startedMs = performance.now();
  let sentBytes = 0;
  const sending = setInterval(() => {
    const dueBytes = Math.floor(((performance.now() - startedMs) * bytesPerSecond) / 1_000);
    client.send('x'.repeat(dueBytes - sentBytes));
    sentBytes = dueBytes;
  }, 100);
  t.teardown(() => clearInterval(sending));
  return () => clearInterval(sending);
}

/**
 * The clock of these tests: a client that sends nothing of its body, and is cut off when five seconds, in which
 * it was waited for, are over.
 */
async function waitForWindow(t: Test): Promise<void> {
  const client = await connect(PORTS.plain, { owner: t });
  client.send(formatRequest('POST', '/', { 'Content-Length': '10' }));
  t.equal((await client.readResponse({ limitMs: LIMIT_MS })).status, 408);
}

for (const [what, port, clientOptions] of [
  ['without TLS', PORTS.plain, {}],
  ['with TLS', PORTS.tls, TLS],
] as const) {
  t.test(`a body that comes too slowly gets 408 (${what})`, options, async (t) => {
    const client = await connect(port, { owner: t, ...clientOptions });
    client.send(formatRequest('POST', '/trickle', { 'Content-Length': '1000000' }));
    sendSteadily(t, client, 'x', 20);
    t.same(outcome(await client.readResponse({ limitMs: LIMIT_MS })), [408, 'GW_ERR_REQUEST_TIMEOUT']);
    await client.waitForClose();
  });

  t.test(`a body that comes slowly, but fast enough, is served (${what})`, options, async (t) => {
    const client = await connect(port, { owner: t, ...clientOptions });
    client.send(formatRequest('POST', '/steady', { 'Content-Length': '20000' }));
    // The whole takes eight seconds.
    const stop = sendAtRate(t, client, 2_500);
    const response = await client.readResponse({ limitMs: LIMIT_MS });
    stop();
    t.same([response.status, response.text], [200, '20000']);
  });
}

t.test('chunks of one byte each are as slow as their bytes', options, async (t) => {
  const client = await connect(PORTS.plain, { owner: t });
  client.send(formatRequest('POST', '/chunks', { 'Transfer-Encoding': 'chunked' }));
  sendSteadily(t, client, '1\r\nx\r\n', 50);
  t.equal((await client.readResponse({ limitMs: LIMIT_MS })).status, 408);
});

t.test('a quick beginning does not pay for a trickle', options, async (t) => {
  const client = await connect(PORTS.plain, { owner: t });
  client.send(formatRequest('POST', '/beginning', { 'Content-Length': '1000000' }, 'x'.repeat(500_000)));
  sendSteadily(t, client, 'x', 50);
  t.equal((await client.readResponse({ limitMs: LIMIT_MS })).status, 408);
});

t.test('an answer that flows meanwhile is cut off with the body', options, async (t) => {
  scripts.set('/duplex', (_, connection) => {
    connection.beginChunked();
    connection.drip('400\r\n'.concat('y'.repeat(1_024), '\r\n').repeat(200), 10, 200);
  });
  const client = await connect(PORTS.plain, { owner: t });
  client.send(formatRequest('POST', '/duplex', { 'Content-Length': '1000000' }));
  sendSteadily(t, client, 'x', 50);
  const response = await client.readResponse({ limitMs: LIMIT_MS });
  t.same([response.status, response.ended], [200, 'reset']);
});

t.test('an origin that pauses while it reads is not held against the client', options, async (t) => {
  const paused = Promise.withResolvers<OriginConnection>();
  scripts.set('/paused', async (request, connection) => {
    connection.stopReading();
    paused.resolve(connection);
    await request.ended;
    connection.answer({ body: `${request.body.length}` });
  });
  const client = await connect(PORTS.plain, { owner: t });
  const body = 'x'.repeat(20_000_000);
  client.send(formatRequest('POST', '/paused', {}, body));
  const connection = await paused.promise;
  await waitForWindow(t);
  await waitForWindow(t);
  connection.resumeReading();
  t.equal((await client.readResponse({ limitMs: LIMIT_MS })).text, String(body.length));
});

t.test('an origin that thinks is not held against a client whose body is there', options, async (t) => {
  const thinking = Promise.withResolvers<OriginConnection>();
  scripts.set('/thinking', (_, connection) => thinking.resolve(connection));
  const client = await connect(PORTS.plain, { owner: t });
  client.send(formatRequest('POST', '/thinking', {}, 'small body'));
  const connection = await thinking.promise;
  await waitForWindow(t);
  await waitForWindow(t);
  connection.answer({ body: 'thought' });
  t.equal((await client.readResponse()).text, 'thought');
});

t.test('server-sent events may be as rare as they like', options, async (t) => {
  const subscribed = Promise.withResolvers<OriginConnection>();
  scripts.set('/events', (_, connection) => {
    connection.beginChunked({ headers: { 'Content-Type': 'text/event-stream' } });
    connection.writeChunk('data: first\n\n');
    subscribed.resolve(connection);
  });
  const client = await connect(PORTS.plain, { owner: t });
  client.send(formatRequest('GET', '/events'));
  await client.readHead();
  const connection = await subscribed.promise;
  await waitForWindow(t);
  connection.writeChunk('data: second\n\n');
  await client.readBodyUntil('second');
  await waitForWindow(t);
  connection.writeChunk('data: third\n\n');
  t.equal(await client.readBodyUntil('third'), 'data: first\n\ndata: second\n\ndata: third\n\n');
});

t.test('a client that reads a large answer slowly gets all of it', options, async (t) => {
  const SIZE_BYTES = 8_000_000;
  scripts.set('/large', (_, connection) => connection.answer({ body: Buffer.alloc(SIZE_BYTES) }));
  const client = await connect(PORTS.plain, { owner: t });
  client.stopReading();
  client.send(formatRequest('GET', '/large'));
  await waitForWindow(t);
  await waitForWindow(t);
  client.resumeReading();
  const response = await client.readResponse({ limitMs: LIMIT_MS });
  t.same([response.ended, response.body.length], ['complete', SIZE_BYTES]);
});
