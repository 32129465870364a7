/** WebSockets through the gateway, with a real client and a real server at the ends. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import type { RawClient } from '../helpers/raw-client.ts';
import { startScriptedClusters } from './scripted-clusters.ts';
import {
  ACCEPT_FIELDS,
  closeCode,
  echo,
  formatUpgrade,
  nextMessage,
  openWebSocket,
  startEchoOrigin,
} from './websocket-peers.ts';

const origin = await startEchoOrigin(t);
const other = await startEchoOrigin(t);
const proxy = await startScriptedClusters(t, {
  echo: { origins: 0, urls: [origin.url] },
  counted: { origins: 0, urls: [origin.url] },
  changed: {
    origins: 0,
    urls: [`${origin.url}/base`],
    route: {
      rewrite: { removePrefix: '/changed', addPrefix: '/v2' },
      requestHeaders: { set: { 'x-gateway': 'fengling' }, append: { 'x-more': '1' }, remove: ['cookie'] },
    },
  },
  answered: {
    route: {
      responseHeaders: { set: { 'x-gateway': 'fengling' }, remove: ['server'] },
    },
  },
  chosen: {
    origins: 0,
    urls: [other.url],
    route: { match: { path: '/echo/{**rest}', headers: [{ name: 'x-version', values: ['2'] }] } },
  },
});

const open = (t: Test, path: string, options = {}) => openWebSocket(t, proxy.port, path, options);

/** The request of the newest WebSocket at the origin. */
const newestRequest = () => origin.opened.at(-1)?.request;

t.test('text and binary messages pass both ways as they are', async (t) => {
  const socket = await open(t, '/echo/');
  for (const data of ['', 'text', 'grüße 風鈴', 'x'.repeat(125), 'x'.repeat(126), 'x'.repeat(65_536)]) {
    const reply = nextMessage(socket);
    socket.send(data);
    const { data: received, isBinary } = await reply;
    t.same([received.toString(), isBinary], [data, false], `${data.length} characters`);
  }
  for (const bytes of [0, 1, 65_535, 1_048_576]) {
    const data = randomBytes(bytes);
    const reply = nextMessage(socket);
    socket.send(data);
    const { data: received, isBinary } = await reply;
    t.same([received.equals(data), isBinary], [true, true], `${bytes} bytes`);
  }
});

t.test('fragments and pings pass', async (t) => {
  const socket = await open(t, '/echo/');
  const reply = nextMessage(socket);
  socket.send('one ', { fin: false });
  const pong = once(socket, 'pong');
  socket.ping('are you there?');
  t.equal(String((await pong)[0]), 'are you there?', 'answered by the origin, between two fragments');
  socket.send('message', { fin: true });
  t.equal((await reply).data.toString(), 'one message');
});

t.test('many messages keep their order', async (t) => {
  const socket = await open(t, '/echo/');
  const received: string[] = [];
  const all = Promise.withResolvers<void>();
  socket.on('message', (data) => {
    received.push(String(data));
    if (received.length === 2_000) all.resolve();
  });
  const sent = Array.from({ length: 2_000 }, (_, index) => `${index} ${'x'.repeat(index)}`);
  for (const text of sent) socket.send(text);
  await all.promise;
  t.ok(
    received.every((text, index) => text === sent[index]),
    'every message, in order',
  );
});

t.test('extensions are negotiated between the ends', async (t) => {
  const compressed = await open(t, '/echo/', { perMessageDeflate: true });
  t.match(compressed.extensions, 'permessage-deflate');
  t.equal(await echo(compressed, 'x'.repeat(100_000)), 'x'.repeat(100_000));
  const plain = await open(t, '/echo/', { perMessageDeflate: false });
  t.equal(plain.extensions, '');
});

t.test('the subprotocol that the origin chooses reaches the client', async (t) => {
  const socket = await open(t, '/echo/', { protocols: ['chat.v2', 'chat.v1'] });
  t.equal(socket.protocol, 'chat.v2');
  t.equal(newestRequest()?.headers['sec-websocket-protocol'], 'chat.v2,chat.v1');
});

t.test('a close frame passes both ways, with its code and reason', async (t) => {
  const socket = await open(t, '/echo/');
  const atOrigin = origin.opened.at(-1)?.socket;
  const closed = once(atOrigin ?? socket, 'close');
  socket.close(4_001, 'bye');
  const [code, reason] = await closed;
  t.same([code, String(reason)], [4_001, 'bye']);
  const second = await open(t, '/echo/');
  const ended = once(second, 'close');
  origin.opened.at(-1)?.socket.close(4_002, 'over');
  const [secondCode, secondReason] = await ended;
  t.same([secondCode, String(secondReason)], [4_002, 'over']);
});

t.test('the upgrade is rewritten and transformed like any request', async (t) => {
  const headers = { Cookie: 'secret=1', 'X-Forwarded-For': '192.0.2.1', 'X-Custom': 'kept' };
  const socket = await open(t, '/changed/room?name=%C3%A9&x', { headers, host: 'a.example' });
  const request = newestRequest();
  t.equal(request?.url, '/base/v2/room?name=%C3%A9&x');
  t.equal(request?.headers.cookie, undefined);
  t.equal(request?.headers['x-gateway'], 'fengling');
  t.equal(request?.headers['x-more'], '1');
  t.equal(request?.headers['x-custom'], 'kept');
  t.equal(request?.headers['x-forwarded-for'], '127.0.0.1', 'what a stranger says of himself is replaced');
  t.equal(request?.headers['x-forwarded-proto'], 'http');
  t.equal(request?.headers['x-forwarded-host'], `127.0.0.1:${proxy.port}`);
  t.match(request?.headers['x-request-id'], /^\S+$/);
  t.equal(request?.headers.host, new URL(origin.url).host);
  t.equal(await echo(socket, 'here'), 'here');
});

t.test('the path is the canonical one that was matched', async (t) => {
  await open(t, '/other/../echo//%61%2e%2E/b');
  t.equal(newestRequest()?.url, '/echo/a../b');
});

t.test('predicates choose the route of an upgrade', async (t) => {
  const before = other.opened.length;
  await open(t, '/echo/', { headers: { 'X-Version': '1' } });
  t.equal(other.opened.length, before);
  await open(t, '/echo/', { headers: { 'X-Version': '2' } });
  t.equal(other.opened.length, before + 1);
});

t.test('the answer 101 is transformed like any response', async (t) => {
  proxy.origin('answered').handler = (_, connection) => {
    connection.switchProtocols([
      ...ACCEPT_FIELDS,
      ['Server', 'scripted'],
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
    ]);
  };
  const client: RawClient = await proxy.connect(t);
  client.send(formatUpgrade('/answered/'));
  const response = await client.readHead();
  t.equal(response.status, 101);
  t.equal(response.header('sec-websocket-accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  t.same(response.headerValues('set-cookie'), ['a=1', 'b=2']);
  t.equal(response.header('server'), undefined);
  t.equal(response.header('x-gateway'), 'fengling');
  t.match(response.header('x-request-id'), /^\S+$/);
});

t.test('metrics count the open ones', async (t) => {
  const openNow = async () => (await proxy.gateway.metrics()).get('gateway_worker_websockets{worker="1"}');
  // Those of the tests before may still be on their way out.
  await proxy.waitUntil(async () => (await openNow()) === 0, 'some WebSocket is left');
  const sockets = await Promise.all([open(t, '/counted/'), open(t, '/counted/')]);
  t.equal(await openNow(), 2);
  t.equal(await proxy.count('requests_in_flight', 'counted'), 2);
  for (const socket of sockets) {
    const closed = closeCode(socket);
    socket.close(1_000);
    t.equal(await closed, 1_000);
  }
  await proxy.waitUntilIdle('counted');
  t.equal(await openNow(), 0);
  t.equal(await proxy.count('requests_total', 'counted', { status: '101' }), 2);
});
