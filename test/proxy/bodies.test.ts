/** Bodies arrive byte by byte as they were sent, both ways, at the same time, however they are framed. */
import { createHash, randomBytes } from 'node:crypto';
import t from 'tap';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import type { OriginRequest } from '../helpers/origin-request.ts';
import { formatRequest } from '../helpers/raw-client.ts';
import { startProxiedOrigin } from './proxied-origin.ts';

const proxied = await startProxiedOrigin(t, { cluster: { pool: { maxConnections: 4 } } });

const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** The body in chunks of many sizes, from one byte up. */
function cut(body: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  for (let start = 0, size = 1; start < body.length; start += size, size = ((size * 7) % 60_013) + 1)
    pieces.push(body.subarray(start, start + size));
  return pieces;
}

function encodeChunks(body: Buffer): Buffer {
  const parts = cut(body).flatMap((piece) => [
    Buffer.from(`${piece.length.toString(16)}\r\n`),
    piece,
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

/**
 * Answers at once and keeps the last byte back until the request has come whole: were the response over before,
 * nobody would have to take the rest of the request.
 */
async function answerMeanwhile(
  request: OriginRequest,
  connection: OriginConnection,
  body: Buffer,
  chunked: boolean,
): Promise<void> {
  const [most, last] = [body.subarray(0, -1), body.subarray(-1)];
  if (chunked) {
    connection.beginChunked();
    for (const piece of cut(most)) connection.writeChunk(piece);
  } else {
    connection.answerWithLength(body.length, { body: most });
  }
  await request.ended;
  if (!chunked) connection.write(last);
  else {
    if (last.length > 0) connection.writeChunk(last);
    connection.endChunked();
  }
}

for (const size of [0, 1, 65_536, 10_485_760]) {
  for (const up of ['a length', 'chunks']) {
    for (const down of ['a length', 'chunks']) {
      t.test(`${size} bytes with ${up} up, with ${down} down`, async (t) => {
        const [upload, download] = [randomBytes(size), randomBytes(size)];
        proxied.origin.handler = (request, connection) =>
          answerMeanwhile(request, connection, download, down === 'chunks');
        const client = await proxied.connect(t);
        const arrived = proxied.origin.requestArrived();
        const framing: Record<string, string> =
          up === 'chunks' ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': String(size) };
        client.send(formatRequest('POST', '/', framing));
        client.send(up === 'chunks' ? encodeChunks(upload) : upload);
        const response = await client.readResponse();
        const received = await arrived;
        t.same([response.status, response.ended, await received.ended], [200, 'complete', 'complete']);
        t.equal(hashOf(received.body), hashOf(upload), 'the request');
        t.equal(hashOf(response.body), hashOf(download), 'the response');
        t.equal(response.header('content-length'), down === 'chunks' ? undefined : String(size));
        if (up !== 'chunks') t.equal(received.header('content-length'), String(size));
      });
    }
  }
}

t.test('a body that ends with the connection arrives whole, and can be told from a broken one', async (t) => {
  const body = randomBytes(1_000_000);
  const whole = await proxied.exchange(formatRequest('GET', '/'), (_, connection) =>
    connection.answerUntilClose({ body }),
  );
  t.same([whole.response.status, whole.response.ended], [200, 'complete']);
  t.equal(hashOf(whole.response.body), hashOf(body));
  const broken = await proxied.exchange(formatRequest('GET', '/'), (_, connection) => {
    connection.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n');
    connection.write(body);
    connection.reset();
  });
  t.not(broken.response.ended, 'complete');
});

t.test('a body passes while it is still being made, both ways', async (t) => {
  const client = await proxied.connect(t);
  let conversation: OriginConnection | undefined;
  proxied.origin.handler = (_, connection) => {
    conversation = connection;
    connection.beginChunked();
    connection.writeChunk('listening;');
  };
  const arrived = proxied.origin.requestArrived();
  client.send(formatRequest('POST', '/', { 'Transfer-Encoding': 'chunked' }));
  client.send('5\r\nfirst\r\n');
  const received = await arrived;
  await client.readHead();
  await client.readBodyUntil('listening;');
  conversation?.writeChunk('more;');
  await client.readBodyUntil('more;');
  client.send('6\r\nsecond\r\n0\r\n\r\n');
  t.equal(await received.ended, 'complete');
  t.equal(received.text, 'firstsecond');
  conversation?.endChunked();
  t.equal((await client.readResponse()).text, 'listening;more;');
});

t.test('a body of GET and of methods that seldom have one passes too', async (t) => {
  for (const method of ['GET', 'DELETE', 'OPTIONS', 'QUERY', 'PROPFIND']) {
    const { received, response } = await proxied.exchange(formatRequest(method, '/', {}, 'body'));
    t.equal(await received.ended, 'complete');
    t.same([received.method, received.text, response.text], [method, 'body', 'ok']);
  }
});

t.test('a request without a body goes on without one', async (t) => {
  for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS']) {
    const { received } = await proxied.exchange(formatRequest(method, '/'));
    t.same([received.header('content-length'), received.header('transfer-encoding')], [undefined, undefined]);
  }
  for (const method of ['POST', 'PUT', 'PATCH']) {
    const { received } = await proxied.exchange(formatRequest(method, '/', { 'Content-Length': '0' }));
    t.same([received.header('content-length'), received.header('transfer-encoding')], ['0', undefined]);
  }
});
