/** The largest body that a route takes, and how a client learns that its own is larger. */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import t from 'tap';
import { formatRequest } from '../helpers/raw-client.ts';
import { outcome, startProxiedOrigin } from './proxied-origin.ts';

const LIMIT = 1_000;
const proxied = await startProxiedOrigin(t, {
  routes: {
    limited: { limits: { maxBodyBytes: LIMIT } },
    none: { match: { path: '/none' }, limits: { maxBodyBytes: 0 } },
    large: { match: { path: '/large' }, limits: { maxBodyBytes: 1_048_576 } },
  },
  cluster: { timeouts: { idleMs: 5_000 } },
});

const TOO_LARGE = [413, 'GW_ERR_BODY_TOO_LARGE'];
const CHUNKED = { 'Transfer-Encoding': 'chunked' };
const chunk = (content: string) => `${content.length.toString(16)}\r\n${content}\r\n`;

t.test('a body of exactly the limit passes, with a length and in chunks', async (t) => {
  const body = 'x'.repeat(LIMIT);
  const byLength = await proxied.exchange(formatRequest('POST', '/', {}, body));
  t.same([byLength.response.status, await byLength.received.ended], [200, 'complete']);
  t.equal(byLength.received.text, body);
  const text = formatRequest('POST', '/', CHUNKED) + chunk(body.slice(1)) + chunk('x') + chunk('');
  const byChunks = await proxied.exchange(text);
  t.same([byChunks.response.status, await byChunks.received.ended], [200, 'complete']);
  t.equal(byChunks.received.text, body);
});

t.test('a Content-Length above the limit gets 413 at once, and nothing goes on', async (t) => {
  const head = formatRequest('POST', '/', { 'Content-Length': String(LIMIT + 1) });
  const response = await proxied.requestForwardingNothing(head);
  t.same(outcome(response), TOO_LARGE);
  t.match(response.header('connection'), /close/i);
});

t.test('neither a length beyond all bounds nor the smallest is too much for that', async (t) => {
  const seen = proxied.origin.requests.length;
  for (const [path, length] of [
    ['/', Number.MAX_SAFE_INTEGER],
    ['/none', 1],
  ] as const) {
    const response = await proxied.request(formatRequest('POST', path, { 'Content-Length': String(length) }));
    t.same(outcome(response), TOO_LARGE, `${length} bytes`);
  }
  t.equal(proxied.origin.requests.length, seen);
});

t.test('a length that no number holds exactly gets 400: it would be sent on rounded', async (t) => {
  for (const length of ['9007199254740992', String(2n ** 63n), String(2n ** 64n)]) {
    const response = await proxied.requestForwardingNothing(
      formatRequest('POST', '/large', { 'Content-Length': length }),
    );
    t.equal(response.status, 400, `${length} bytes`);
  }
});

t.test('a route may take no body at all, and then takes requests without one', async (t) => {
  for (const fields of [{}, { 'Content-Length': '0' }]) {
    const { response } = await proxied.exchange(formatRequest('POST', '/none', fields));
    t.equal(response.status, 200);
  }
});

t.test('chunks beyond the limit get 413, and the request to the origin is cut off', async (t) => {
  const client = await proxied.connect(t);
  proxied.origin.handler = () => {};
  const arrived = proxied.origin.requestArrived();
  client.send(formatRequest('POST', '/', CHUNKED) + chunk('a'.repeat(LIMIT)));
  const received = await arrived;
  client.send(chunk('b'));
  const response = await client.readResponse();
  t.same(outcome(response), TOO_LARGE);
  t.match(response.header('connection'), /close/i);
  t.not(await received.ended, 'complete');
  t.notMatch(received.text, /b/);
  await client.waitForClose();
});

t.test('the limit counts content, not the sizes and extensions of chunks', async (t) => {
  const pieces = `1;${'e'.repeat(10)}\r\nx\r\n`.repeat(LIMIT);
  const { response } = await proxied.exchange(formatRequest('POST', '/', CHUNKED) + pieces + chunk(''));
  t.equal(response.status, 200);
});

t.test('what stands behind a body that is too large is not served', async (t) => {
  const body = 'x'.repeat(LIMIT + 1);
  for (const text of [
    formatRequest('POST', '/', {}, body),
    formatRequest('POST', '/', CHUNKED) + chunk(body) + chunk(''),
  ]) {
    const seen = proxied.origin.requests.length;
    const client = await proxied.connect(t);
    proxied.origin.handler = () => {};
    client.send(text + formatRequest('GET', '/behind'));
    t.same(outcome(await client.readResponse()), TOO_LARGE);
    await client.waitForClose();
    const after = await proxied.exchange(formatRequest('GET', '/after'));
    t.equal(after.response.status, 200);
    t.notOk(proxied.origin.requests.slice(seen).some(({ target }) => target === '/behind'));
  }
});

/** Sends it all before it reads a byte, as simple clients do; gives what it could read then. */
async function sendThenRead(text: string): Promise<string> {
  const socket = connectTcp(proxied.gateway.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.pause();
  const closed = once(socket, 'close');
  await new Promise<unknown>((resolve, reject) => {
    socket.once('error', reject);
    socket.write(text, 'latin1', resolve);
  });
  let answer = '';
  socket.setEncoding('latin1').on('data', (piece: string) => {
    answer += piece;
  });
  socket.resume();
  await closed;
  return answer;
}

t.test('a client that sends 5 MB and only then reads still gets its 413', async (t) => {
  const body = 'x'.repeat(5_000_000);
  proxied.origin.handler = () => {};
  for (const [what, text] of [
    ['with a length', formatRequest('POST', '/', {}, body)],
    ['in chunks', formatRequest('POST', '/', CHUNKED) + chunk(body) + chunk('')],
    ['in chunks to a larger limit', formatRequest('POST', '/large', CHUNKED) + chunk(body) + chunk('')],
  ] as const) {
    t.match(await sendThenRead(text), /^HTTP\/1\.1 413 .*GW_ERR_BODY_TOO_LARGE/s, what);
  }
});

t.test('a client that never stops sending is cut off in the end', async (t) => {
  const client = await proxied.connect(t);
  client.send(formatRequest('POST', '/', { 'Content-Length': String(2 ** 40) }));
  const response = await client.readHead();
  t.equal(response.status, 413);
  const piece = Buffer.alloc(65_536);
  const sending = setInterval(() => client.send(piece), 1);
  t.teardown(() => clearInterval(sending));
  t.match(await client.waitForClose(), /closed|reset/);
});
