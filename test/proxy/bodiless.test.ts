/** Responses that have no body, whatever their head says (RFC 9112 §6.3), and old clients. */
import t, { type Test } from 'tap';
import { formatRequest } from '../helpers/raw-client.ts';
import { answerOk, startProxiedOrigin } from './proxied-origin.ts';

const proxied = await startProxiedOrigin(t, { routes: { some: { match: { path: '/some/{**rest}' } } } });

/** Sends the request twice on one connection: a body that should not be there would break the second answer. */
async function twice(t: Test, method: string, head: string) {
  const client = await proxied.connect(t);
  proxied.origin.handler = (_, connection) => connection.write(head);
  for (const _ of [1, 2]) client.send(formatRequest(method, '/some/thing'));
  const first = await client.readResponse({ toHead: method === 'HEAD' });
  const second = await client.readResponse({ toHead: method === 'HEAD' });
  t.equal(second.status, first.status);
  t.same([first.ended, first.body.length, client.unread.length], ['complete', 0, 0]);
  t.equal(client.connectionEnd, null);
  return first;
}

t.test('HEAD: Content-Length is kept, and there is no body', async (t) => {
  const response = await twice(t, 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nETag: "a"\r\n\r\n');
  t.same([response.status, response.header('content-length'), response.header('etag')], [200, '1234', '"a"']);
});

t.test('HEAD to an origin that would send chunks: no length is made up', async (t) => {
  const response = await twice(t, 'HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  t.same([response.status, response.header('content-length')], [200, undefined]);
});

t.test('HEAD without any length: no length is made up', async (t) => {
  const response = await twice(t, 'HEAD', 'HTTP/1.1 404 Not Found\r\n\r\n');
  t.same([response.status, response.header('content-length')], [404, undefined]);
});

t.test('204 has neither body nor Content-Length nor Transfer-Encoding', async (t) => {
  for (const field of ['', 'Content-Length: 0\r\n']) {
    const response = await twice(t, 'GET', `HTTP/1.1 204 No Content\r\n${field}\r\n`);
    t.equal(response.status, 204);
    t.same([response.header('content-length'), response.header('transfer-encoding')], [undefined, undefined]);
  }
});

t.test('304 has no body, and keeps the fields that describe what it would have been', async (t) => {
  const response = await twice(
    t,
    'GET',
    'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 99\r\nLast-Modified: Tue, 15 Nov 1994 12:45:26 GMT\r\n\r\n',
  );
  t.same([response.status, response.header('etag'), response.header('content-length')], [304, '"a"', '99']);
  const bare = await twice(t, 'GET', 'HTTP/1.1 304 Not Modified\r\nETag: "b"\r\n\r\n');
  t.same([bare.header('content-length'), bare.header('transfer-encoding')], [undefined, undefined]);
});

t.test('205 is passed as the empty message that it is', async (t) => {
  const response = await twice(t, 'GET', 'HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n');
  t.same([response.status, response.header('content-length')], [205, '0']);
});

t.test("the gateway's own answers to HEAD have no body either", async (t) => {
  const client = await proxied.connect(t);
  proxied.origin.handler = answerOk;
  client.send(formatRequest('HEAD', '/no-route') + formatRequest('GET', '/some/thing'));
  const missing = await client.readResponse({ toHead: true });
  t.equal(missing.status, 404);
  t.match(missing.header('content-length'), /^[1-9]/);
  t.equal((await client.readResponse()).text, 'ok', 'the connection goes on behind it');
});

t.test('an HTTP/1.0 client gets its answer and a closed connection', async (t) => {
  const client = await proxied.connect(t);
  proxied.origin.handler = answerOk;
  client.send('GET /some/thing HTTP/1.0\r\nHost: localhost\r\n\r\n');
  const response = await client.readResponse();
  t.same([response.status, response.text, response.ended], [200, 'ok', 'complete']);
  t.match(response.header('connection'), /close/i);
  t.equal(await client.waitForClose(), 'closed');
});

t.test('an HTTP/1.0 client that asks for it keeps its connection', async (t) => {
  const client = await proxied.connect(t);
  proxied.origin.handler = answerOk;
  for (const _ of [1, 2]) {
    client.send('GET /some/thing HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n');
    const response = await client.readResponse();
    t.same([response.status, response.text, response.header('content-length')], [200, 'ok', '2']);
    t.match(response.header('connection'), /keep-alive/i);
  }
  t.equal(client.connectionEnd, null);
});

t.test('chunks are taken apart for an HTTP/1.0 client, and the close ends the body', async (t) => {
  for (const wish of ['', 'Connection: keep-alive\r\n']) {
    const client = await proxied.connect(t);
    proxied.origin.handler = (_, connection) =>
      connection.answerChunked({ chunks: ['one ', 'two'], trailers: [['X-Sum', '7']] });
    client.send(`GET /some/thing HTTP/1.0\r\nHost: localhost\r\n${wish}\r\n`);
    const response = await client.readResponse();
    t.same([response.text, response.ended], ['one two', 'complete']);
    t.equal(response.header('transfer-encoding'), undefined);
    t.match(response.header('connection'), /close/i);
    t.equal(await client.waitForClose(), 'closed');
  }
});

t.test('an HTTP/1.0 request goes on as HTTP/1.1, body and all', async (t) => {
  const text = 'POST /some/thing HTTP/1.0\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody';
  const { received, response } = await proxied.exchange(text);
  t.equal(await received.ended, 'complete');
  t.same([received.startLine, received.text], ['POST /some/thing HTTP/1.1', 'body']);
  t.equal(response.status, 200);
});

t.test('bytes behind a request that closes the connection do not spoil its answer', async (t) => {
  for (const head of [
    'GET /some/thing HTTP/1.0\r\nHost: localhost\r\n\r\n',
    'GET /some/thing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
  ]) {
    for (const surplus of ['\r\n', formatRequest('GET', '/some/other'), 'rubbish']) {
      const client = await proxied.connect(t);
      const seen = proxied.origin.requests.length;
      proxied.origin.handler = answerOk;
      client.send(head + surplus);
      t.equal((await client.readResponse()).text, 'ok', JSON.stringify(surplus));
      await client.waitForClose();
      t.equal(proxied.origin.requests.length, seen + 1, 'the surplus is not served');
    }
  }
});
