/** Connections that do not come about: each failure in time, by its name, and once. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { holdDeadPort } from '../../helpers/dead-port.ts';
import { startOrigin } from '../../helpers/scripted-origin.ts';
import { answerOk } from '../proxied-origin.ts';
import { createUpstream, outcomeOf, type SentRequest, send, settle } from './upstream-client.ts';

/** What failed before anything was sent. */
async function checkUnsent(t: Test, sent: SentRequest, outcome: string): Promise<void> {
  t.equal(await outcomeOf(sent), outcome);
  t.same(sent.told, ['failure']);
  t.same([sent.failure?.condition, sent.failure?.isStale], ['connect', false]);
}

/** Accepts connections and says nothing on them. */
async function startSilentServer(t: Test): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

t.test('a port where nobody listens', async (t) => {
  const upstream = createUpstream(t, `http://127.0.0.1:${await holdDeadPort(t)}`, { maxConnections: 1 });
  const sent = Array.from({ length: 5 }, () => send(upstream));
  for (const one of sent) {
    await checkUnsent(t, one, 'CONNECT');
    t.match(one.failure?.detail, /ECONNREFUSED/);
  }
  await settle();
});

t.test('a name that leads nowhere', async (t) => {
  const error = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
  const upstream = createUpstream(t, 'http://nowhere.test', {
    resolve: (_host, _options, callback) => callback(error, []),
  });
  const sent = send(upstream);
  await checkUnsent(t, sent, 'CONNECT');
  t.equal(sent.failure?.detail, 'ENOTFOUND: no such name');
  await settle();
});

t.test('an address that is not to be connected to', async (t) => {
  const byName = createUpstream(t, 'http://metadata.test', {
    resolve: (_host, _options, callback) => callback(null, [{ address: '169.254.169.254', family: 4 }]),
  });
  for (const upstream of [byName, createUpstream(t, 'http://169.254.169.254')])
    await checkUnsent(t, send(upstream), 'FORBIDDEN');
  await settle();
});

t.test('a name that is never resolved: the time limit counts', async (t) => {
  const upstream = createUpstream(t, 'http://slow.test', { connectMs: 50, resolve: () => {} });
  await checkUnsent(t, send(upstream), 'CONNECT_TIMEOUT');
  await settle();
});

t.test('a server that never says anything of TLS: the time limit counts for that, too', async (t) => {
  const port = await startSilentServer(t);
  const upstream = createUpstream(t, `https://127.0.0.1:${port}`, { connectMs: 200 });
  await checkUnsent(t, send(upstream), 'CONNECT_TIMEOUT');
  await settle();
});

t.test('the time limit is over once the connection stands', async (t) => {
  const origin = await startOrigin(() => {}, { owner: t });
  // So long that a process that stands still for a moment connects in time.
  const upstream = createUpstream(t, origin.url, { connectMs: 2_000 });
  const [sent, timing] = [
    send(upstream),
    createUpstream(t, 'http://slow.test', { connectMs: 2_100, resolve: () => {} }),
  ];
  await origin.waitForRequests(1);
  await send(timing).over;
  t.same(sent.told, ['sent']);
  sent.exchange.abort();
  await settle();
});

t.test('those who wait go on when the connection before them fails', async (t) => {
  const origin = await startOrigin(answerOk, { owner: t });
  let count = 0;
  const upstream = createUpstream(t, `http://flaky.test:${origin.port}`, {
    maxConnections: 1,
    connectMs: 2_000,
    resolve: (_host, _options, callback) => {
      count += 1;
      if (count > 2) callback(null, [{ address: '127.0.0.1', family: 4 }]);
      else if (count === 2) callback(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), []);
    },
  });
  const sent = Array.from({ length: 4 }, () => send(upstream));
  t.same(await Promise.all(sent.map(outcomeOf)), ['CONNECT_TIMEOUT', 'CONNECT', '200 ok', '200 ok']);
  t.equal(origin.acceptedConnections, 1);
});

t.test('a failure makes room: nothing counts as a connection any more', async (t) => {
  const upstream = createUpstream(t, `http://127.0.0.1:${await holdDeadPort(t)}`, {
    maxConnections: 2,
    maxQueued: 0,
  });
  const sent = [send(upstream), send(upstream)];
  t.equal(upstream.full, true);
  await Promise.all(sent.map(({ over }) => over));
  t.equal(upstream.full, false);
});

t.test('an origin that ends the connection as soon as it stands', async (t) => {
  for (const end of ['close', 'reset'] as const) {
    const origin = await startOrigin(() => {}, { owner: t, onConnection: (connection) => connection[end]() });
    const upstream = createUpstream(t, origin.url);
    const { outcome, failure } = await send(upstream).over;
    t.match([outcome, failure?.isStale], [/^(RESET|CONNECT)$/, false], end);
    await settle();
  }
});
