/** Connections are used again on both sides, and answers come in the order of their requests. */
import t from 'tap';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import { formatRequest } from '../helpers/raw-client.ts';
import { answerOk, startProxiedOrigin } from './proxied-origin.ts';

const proxied = await startProxiedOrigin(t, {
  cluster: { pool: { maxConnections: 8, idleMs: 60_000 } },
});

t.test('a client uses its connection for many requests', async (t) => {
  const client = await proxied.connect(t);
  proxied.origin.handler = (request, connection) => connection.answer({ body: request.target });
  for (let count = 0; count < 50; count += 1) {
    const text =
      count % 2 === 0 ? formatRequest('GET', `/${count}`) : formatRequest('POST', `/${count}`, {}, 'body');
    client.send(text);
    t.equal((await client.readResponse()).text, `/${count}`);
  }
  t.equal(client.connectionEnd, null);
});

t.test('connections to the origin are used again by whichever client comes next', async (t) => {
  await proxied.exchange(formatRequest('GET', '/first'));
  const accepted = proxied.origin.acceptedConnections;
  for (let count = 0; count < 10; count += 1) await proxied.exchange(formatRequest('GET', '/again'));
  t.equal(proxied.origin.acceptedConnections, accepted);
});

t.test('at most maxConnections are opened to an origin, the other requests wait', async (t) => {
  const held: OriginConnection[] = [];
  proxied.origin.handler = (_, connection) => held.push(connection);
  const before = proxied.origin.requests.length;
  const clients = await Promise.all(Array.from({ length: 20 }, () => proxied.connect(t)));
  for (const client of clients) client.send(formatRequest('GET', '/held'));
  await proxied.origin.waitForRequests(before + 8);
  t.ok(proxied.origin.connections <= 8, `${proxied.origin.connections} connections`);
  proxied.origin.handler = answerOk;
  for (const connection of held.splice(0)) connection.answer({ body: 'ok' });
  for (const client of clients) t.equal((await client.readResponse()).text, 'ok');
  t.ok(proxied.origin.connections <= 8, `${proxied.origin.connections} connections`);
});

t.test('an origin that says `Connection: close` gets the next request on another connection', async (t) => {
  const first = await proxied.exchange(formatRequest('GET', '/a'), (_, connection) =>
    connection.answer({ headers: { Connection: 'close' }, body: 'ok' }),
  );
  const second = await proxied.exchange(formatRequest('GET', '/b'));
  t.equal(second.response.status, 200);
  t.not(first.received.connectionNumber, second.received.connectionNumber);
});

t.test('pipelined requests are answered in order, also where the first takes longest', async (t) => {
  const client = await proxied.connect(t);
  let slow: OriginConnection | undefined;
  proxied.origin.handler = (request, connection) => {
    if (request.target === '/slow') slow = connection;
    else connection.answer({ body: request.target });
  };
  const arrived = proxied.origin.requestArrived();
  const targets = ['/slow', '/1', '/2', '/3'];
  client.send(
    targets.map((target, index) => formatRequest('POST', target, {}, index % 2 === 0 ? 'body' : '')).join(''),
  );
  await arrived;
  slow?.answer({ body: '/slow' });
  for (const target of targets) t.equal((await client.readResponse()).text, target);
  t.equal(client.unread.length, 0);
});

t.test('pipelined requests are answered in order where the gateway answers some itself', async (t) => {
  const client = await proxied.connect(t);
  proxied.origin.handler = (request, connection) => connection.answer({ body: request.target });
  client.send(
    formatRequest('GET', '/1') +
      formatRequest('HEAD', '/2') +
      formatRequest('GET', '/3') +
      formatRequest('GET', '/../'),
  );
  t.equal((await client.readResponse()).text, '/1');
  t.equal((await client.readResponse({ toHead: true })).status, 200);
  t.equal((await client.readResponse()).text, '/3');
  t.equal((await client.readResponse()).status, 400);
  await client.waitForClose();
});

t.test('pipelined requests of one client never mix with those of another', async (t) => {
  proxied.origin.handler = (request, connection) =>
    connection.answer({ body: `${request.target} ${request.header('x-client')}` });
  await Promise.all(
    ['a', 'b', 'c', 'd'].map(async (name) => {
      const client = await proxied.connect(t);
      const targets = Array.from({ length: 40 }, (_, index) => `/${index}`);
      client.send(targets.map((target) => formatRequest('GET', target, { 'X-Client': name })).join(''));
      for (const target of targets) t.equal((await client.readResponse()).text, `${target} ${name}`);
    }),
  );
});

for (const [what, text] of [
  ['CONNECT', 'CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n'],
  ['an unknown expectation', formatRequest('GET', '/', { Expect: 'miracles' })],
  [
    'a WebSocket upgrade',
    formatRequest('GET', '/', {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    }),
  ],
  ['bytes that are no request', 'rubbish\r\n\r\n'],
] as const) {
  t.test(`${what} pipelined behind a request is not answered in its place`, async (t) => {
    const client = await proxied.connect(t);
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<OriginConnection>();
    proxied.origin.handler = (request, connection) => {
      if (request.target === '/first') arrive(connection);
    };
    client.send(formatRequest('GET', '/first'));
    const first = await arrived;
    client.send(text);
    await client.flushed();
    // The worker is asked in between, so that it has read what stands above.
    await proxied.gateway.metrics();
    first.answer({ headers: { 'X-First': 'yes' } });
    t.equal((await client.readResponse()).header('x-first'), 'yes');
  });
}
