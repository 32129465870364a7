/** What is no TLS at the TLS port, TLS where none is spoken, and handshakes that never end. */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import t from 'tap';
import { eventually } from '../../helpers/eventually.ts';
import { connect, formatRequest } from '../../helpers/raw-client.ts';
import { outcome } from '../proxied-origin.ts';
import { helloFor } from './hello-bytes.ts';
import { startSecureGateway } from './secure-gateway.ts';
import { createAuthority } from './test-authority.ts';

const authority = await createAuthority(t);
const server = await authority.issue();
const gateway = await startSecureGateway(t, {
  'a.test': { certFile: server.certFile, keyFile: server.keyFile },
});

/** What the worker says of its connections. */
async function openConnections(): Promise<number> {
  const metrics = await gateway.gateway.metrics();
  return [...metrics].find(([name]) => name.startsWith('gateway_worker_connections'))?.[1] ?? 0;
}

async function mustHaveConnections(count: number): Promise<void> {
  const open = await openConnections();
  if (open !== count) throw new Error(`${open} connections instead of ${count}`);
}

/** The same worker serves on, and nothing is left of what was tried. @throws Error where that is not so */
async function mustServeOn(): Promise<void> {
  const { status } = await gateway.request('a.test');
  const workers = gateway.gateway.logs.filter(({ msg }) => msg === 'worker serves').length;
  if (status !== 200 || workers !== 1) throw new Error(`status ${status} of worker ${workers}`);
  await eventually(() => mustHaveConnections(0));
}

t.afterEach(mustServeOn);

t.test('plain HTTP at the TLS port is told so', async (t) => {
  const client = await connect(gateway.port, { owner: t });
  client.send(formatRequest('GET', '/'));
  t.same(outcome(await client.readResponse()), [400, 'GW_ERR_TLS_EXPECTED']);
  t.equal(gateway.origin.requests.length, 0);
  client.close();
});

t.test('TLS at the plain port gets no TLS, and no request comes of it', async (t) => {
  const before = gateway.origin.requests.length;
  const socket = connectTls({ port: gateway.gateway.port, host: '127.0.0.1', servername: 'a.test' });
  await t.rejects(once(socket, 'secureConnect', { signal: AbortSignal.timeout(10_000) }));
  socket.destroy();
  t.equal(gateway.origin.requests.length, before);
});

for (const [what, bytes, failure] of [
  ['garbage', Buffer.from([0, 1, 2, 3]), 'malformed'],
  ['an alert', Buffer.from([21, 3, 1, 0, 2, 2, 40]), 'malformed'],
  ['a hello that is cut off by its own lengths', Buffer.from([22, 3, 1, 0, 5, 1, 0, 0, 1, 0]), 'malformed'],
] as const) {
  t.test(`${what} is refused with an alert`, async (t) => {
    const failed = await gateway.handshakes(failure);
    const client = await connect(gateway.port, { owner: t });
    client.send(bytes);
    await client.waitForClose();
    t.same([...client.unread], [21, 3, 3, 0, 2, 2, 50]);
    t.equal(await gateway.handshakes(failure), failed + 1);
  });
}

t.test('clients that leave in the middle are counted, and leave nothing behind', async (t) => {
  const failed = await gateway.handshakes('closed');
  for (const bytes of ['', '\x16\x03\x01']) {
    const client = await connect(gateway.port, { owner: t });
    client.send(bytes);
    await client.flushed();
    client.end();
    await client.waitForClose();
  }
  const reset = await connect(gateway.port, { owner: t });
  reset.send('\x16\x03\x01');
  await reset.flushed();
  reset.reset();
  await eventually(async () => {
    const now = await gateway.handshakes('closed');
    if (now < failed + 3) throw new Error(`${now - failed} of 3`);
  });
});

t.test('a flood of half handshakes holds up nobody, ends in time, and leaves nothing behind', async (t) => {
  const timeouts = await gateway.handshakes('timeout');
  const hello = await helloFor('a.test');
  const beginnings = [Buffer.alloc(0), hello.subarray(0, 100), hello];
  const half = Array.from({ length: 300 }, (_, index) => {
    const socket = connectTcp(gateway.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(beginnings[index % 3] ?? '');
    return socket.resume();
  });
  const ended = Promise.all(half.map((socket) => once(socket, 'close')));
  await eventually(() => mustHaveConnections(300));
  t.equal((await gateway.request('a.test')).status, 200, 'others are served meanwhile');
  await ended;
  t.equal(await gateway.handshakes('timeout'), timeouts + 300);
});
