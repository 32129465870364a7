/** Every wait has an end: connecting, heads, bodies, slow clients and clients that do not read. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import t, { type Test } from 'tap';
import { formatRequest } from '../helpers/raw-client.ts';
import { startScriptedClusters } from './scripted-clusters.ts';

/** Far above every limit below: reached only where there is none. */
const LIMIT_MS = 25_000;
/** The limits that a test waits for. */
const CONNECT_MS = 1_000;
const HEADERS_MS = 300;
const IDLE_MS = 600;
/** Those that it must not meet: a busy machine may keep this process, and with it its origins, from running. */
const LONG_MS = 15_000;
const SLOW_HEAD = { timeouts: { headersMs: HEADERS_MS, idleMs: LONG_MS } } as const;
const SLOW_BODY = { timeouts: { headersMs: LONG_MS, idleMs: IDLE_MS } } as const;

// Each test mostly waits, so they run side by side.
t.jobs = 20;

const silentPort = await openSilentPort(t);
const proxy = await startScriptedClusters(t, {
  unreachable: {
    origins: 0,
    urls: [`http://127.0.0.1:${silentPort}`],
    timeouts: { connectMs: CONNECT_MS },
  },
  'unreachable-first': {
    urls: [`http://127.0.0.1:${silentPort}`],
    timeouts: { connectMs: CONNECT_MS },
  },
  headers: SLOW_HEAD,
  uploaded: { timeouts: { headersMs: 700, idleMs: LONG_MS } },
  body: SLOW_BODY,
  'short-body': SLOW_BODY,
  drip: { timeouts: { headersMs: LONG_MS, idleMs: 2_000 } },
  'slow-body': SLOW_BODY,
  'no-body': SLOW_BODY,
  'chunked-body': SLOW_BODY,
  'not-read': SLOW_BODY,
  'origin-not-read': SLOW_HEAD,
  heads: SLOW_BODY,
});

/**
 * A port of a process that accepts nothing: once its queue is full, the kernel drops what comes, and a
 * connection attempt gets no answer at all.
 */
async function openSilentPort(owner: Test): Promise<number> {
  const listen =
    "const s=require('node:net').createServer().listen({port:0,host:'127.0.0.1',backlog:1},()=>console.log(s.address().port))";
  const child = spawn(process.execPath, ['-e', listen], { stdio: ['ignore', 'pipe', 'inherit'] });
  owner.teardown(() => child.kill('SIGKILL'));
  const [said] = await once(child.stdout, 'data');
  const port = Number(said);
  child.kill('SIGSTOP');
  // The queue holds one more than asked for; all later ones are left hanging.
  const fillers = Array.from({ length: 8 }, () =>
    connectTcp({ port, host: '127.0.0.1' }).on('error', () => {}),
  );
  owner.teardown(() => {
    for (const filler of fillers) filler.destroy();
  });
  await Promise.any(fillers.map((filler) => once(filler, 'connect')));
  return port;
}

const options = { buffered: true };

t.test('an origin that does not accept is 504 after connectMs', options, async (t) => {
  const response = await proxy.request(formatRequest('GET', '/unreachable/'));
  t.equal(response.status, 504);
  t.match(response.text, '"code":"GW_ERR_UPSTREAM_CONNECT_TIMEOUT"');
  t.equal((await proxy.logged(response)).attempts, 2);
});

t.test('a request goes to another destination when connecting takes too long', options, async (t) => {
  proxy.origin('unreachable-first').handler = (_, connection) => connection.answer({ body: 'here' });
  const attempts: unknown[] = [];
  for (let round = 0; round < 2; round++) {
    const response = await proxy.request(formatRequest('POST', '/unreachable-first/', {}, 'body'));
    t.same([response.status, response.text], [200, 'here']);
    attempts.push((await proxy.logged(response)).attempts);
  }
  t.same(attempts.sort(), [1, 2]);
});

t.test('a silent origin is 504 after headersMs, and its connection is closed', options, async (t) => {
  const origin = proxy.origin('headers');
  const client = await proxy.connect(t);
  for (const method of ['GET', 'POST']) {
    const before = origin.requests.length;
    client.send(formatRequest(method, '/headers/', {}, method === 'POST' ? 'body' : ''));
    const response = await client.readResponse({ limitMs: LIMIT_MS });
    t.equal(response.status, 504);
    t.match(response.text, '"code":"GW_ERR_UPSTREAM_TIMEOUT"');
    t.equal(origin.requests.length, before + 1, 'not tried again unless the cluster says so');
    await origin.waitForConnections(0);
  }
  t.equal(client.connectionEnd, null, 'the client connection lives on');
});

t.test('headersMs counts from the end of a slow upload', options, async (t) => {
  const origin = proxy.origin('uploaded');
  const client = await proxy.connect(t);
  client.send(formatRequest('POST', '/uploaded/', { 'Content-Length': '30' }, 'x'));
  const [request] = await origin.waitForRequests(1);
  // Longer in all than headersMs, but never silent for long.
  const pieces = setInterval(() => client.send('x'), 50);
  t.teardown(() => clearInterval(pieces));
  void request?.ended.then(() => clearInterval(pieces));
  const response = await client.readResponse({ limitMs: LIMIT_MS });
  t.equal(await request?.ended, 'complete', 'the whole upload was awaited');
  t.equal(response.status, 504);
});

t.test('an origin that stops within a body breaks the response off after idleMs', options, async (t) => {
  for (const cluster of ['body', 'short-body']) {
    const origin = proxy.origin(cluster);
    origin.handler = (_, connection) => {
      if (cluster === 'short-body') return connection.answerWithLength(10, { body: 'begun' });
      connection.beginChunked();
      connection.writeChunk('begun');
    };
    const response = await proxy.request(formatRequest('GET', `/${cluster}/`), { limitMs: LIMIT_MS });
    t.same([response.status, response.text, response.ended], [200, 'begun', 'reset']);
    await origin.waitForConnections(0);
    t.equal((await proxy.logged(response)).code, 'GW_ERR_UPSTREAM_BODY');
  }
});

t.test('a body may take longer than idleMs as long as it moves', options, async (t) => {
  const body = 'x'.repeat(50);
  proxy.origin('drip').handler = (_, connection) => {
    connection.answerWithLength(body.length, {});
    connection.drip(body, 50);
  };
  const response = await proxy.request(formatRequest('GET', '/drip/'), { limitMs: LIMIT_MS });
  t.same([response.text, response.ended], [body, 'complete']);
});

t.test('a client that stops within its body gets 408, and the origin is cut off', options, async (t) => {
  for (const [cluster, framing, begun] of [
    ['slow-body', { 'Content-Length': '100' }, 'begun'],
    ['chunked-body', { 'Transfer-Encoding': 'chunked' }, '5\r\nbegun\r\n'],
  ] as const) {
    const origin = proxy.origin(cluster);
    const client = await proxy.connect(t);
    client.send(formatRequest('POST', `/${cluster}/`, framing) + begun);
    const response = await client.readResponse({ limitMs: LIMIT_MS });
    t.equal(response.status, 408);
    t.match(response.text, '"code":"GW_ERR_REQUEST_TIMEOUT"');
    t.equal(response.header('connection'), 'close');
    await client.waitForClose();
    t.not(await origin.requests[0]?.ended, 'complete');
    await origin.waitForConnections(0);
  }
});

t.test('a client that announces a body and sends none gets 408', options, async (t) => {
  const client = await proxy.connect(t);
  client.send(formatRequest('POST', '/no-body/', { 'Content-Length': '100' }));
  t.equal((await client.readResponse({ limitMs: LIMIT_MS })).status, 408);
  await client.waitForClose();
  await proxy.origin('no-body').waitForConnections(0);
});

t.test('a client that does not read is reset after idleMs, and the origin let go', options, async (t) => {
  const origin = proxy.origin('not-read');
  origin.handler = (_, connection) => connection.answer({ body: Buffer.alloc(50_000_000, 'x') });
  const client = await proxy.connect(t);
  client.stopReading();
  client.send(formatRequest('GET', '/not-read/'));
  await origin.waitForRequests(1);
  await origin.waitForConnections(0, LIMIT_MS);
  client.resumeReading();
  t.not((await client.readResponse()).ended, 'complete');
  t.equal(
    (await proxy.gateway.waitForLog(({ route, msg }) => msg === 'request' && route === 'not-read')).code,
    'GW_ERR_CLIENT_TIMEOUT',
  );
});

t.test('an origin that does not read an upload is 504 after headersMs', options, async (t) => {
  const origin = proxy.origin('origin-not-read');
  origin.handler = (_, connection) => connection.stopReading();
  const client = await proxy.connect(t);
  client.send(formatRequest('POST', '/origin-not-read/', { 'Content-Length': '50000000' }));
  client.send(Buffer.alloc(50_000_000, 'x'));
  const response = await client.readResponse({ limitMs: LIMIT_MS });
  t.equal(response.status, 504);
  t.match(response.text, '"code":"GW_ERR_UPSTREAM_TIMEOUT"');
});

t.test('a head that comes too slowly gets 408, and the connection is closed', options, async (t) => {
  const origin = proxy.origin('heads');
  const dripping = await proxy.connect(t);
  dripping.send('GET /heads/ HTTP/1.1\r\nHost: localhost\r\n');
  const pieces = setInterval(() => dripping.send('X-A: 1\r\n'), 500);
  t.teardown(() => clearInterval(pieces));
  const silent = await proxy.connect(t);
  silent.send('GET /heads/ HT');
  for (const client of [dripping, silent]) {
    const response = await client.readResponse({ limitMs: LIMIT_MS });
    t.equal(response.status, 408);
    t.match(response.text, '"code":"GW_ERR_REQUEST_TIMEOUT"');
    t.equal(response.header('connection'), 'close');
    await client.waitForClose();
  }
  t.equal(origin.requests.length, 0);
});
