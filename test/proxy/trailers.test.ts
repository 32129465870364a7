/** Trailer fields (RFC 9110 §6.5): passed both ways, but for those that a trailer must not carry. */
import t from 'tap';
import type { HeaderField } from '../helpers/http-message.ts';
import { formatRequest } from '../helpers/raw-client.ts';
import { answerOk, startProxiedOrigin } from './proxied-origin.ts';

const proxied = await startProxiedOrigin(t);

/** Parsers may refuse the whole message for these, which is as good as dropping them. */
const FRAMING: readonly HeaderField[] = [
  ['Content-Length', '5'],
  ['Transfer-Encoding', 'gzip'],
  ['Connection', 'close'],
  ['Upgrade', 'evil'],
];
/** Routing, authentication and what says how to read the body. */
const FORBIDDEN: readonly HeaderField[] = [
  ['Host', 'evil.example'],
  ['Authorization', 'Bearer evil'],
  ['Cookie', 'evil=1'],
  ['Set-Cookie', 'evil=1'],
  ['Content-Type', 'text/evil'],
  ['Content-Encoding', 'evil'],
  ['Cache-Control', 'public'],
  ['Location', 'http://evil.example/'],
  ['Trailer', 'X-Sum'],
  ['TE', 'gzip'],
  ['X-Forwarded-For', '192.0.2.66'],
  ['X-Forwarded-Host', 'evil.example'],
  ['Forwarded', 'for=192.0.2.66'],
  ['X-Request-Id', 'evil'],
];
const ALLOWED: readonly HeaderField[] = [
  ['X-Sum', '7'],
  ['grpc-status', '0'],
  ['X-Sum', '8'],
];

const lines = (fields: readonly HeaderField[]) =>
  fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');

/** Sends a body in chunks with trailers; gives the request as the origin got it, whole. */
async function sendTrailers(trailers: readonly HeaderField[], fields: Record<string, string> = {}) {
  const head = formatRequest('POST', '/', { 'Transfer-Encoding': 'chunked', ...fields });
  const { received, response } = await proxied.exchange(`${head}4\r\nbody\r\n0\r\n${lines(trailers)}\r\n`);
  const end = await received.ended;
  return { received, response, end };
}

t.test('trailers of a response reach the client, in order', async (t) => {
  const { response } = await proxied.exchange(formatRequest('GET', '/'), (_, connection) =>
    connection.answerChunked({ headers: { Trailer: 'X-Sum' }, chunks: ['body'], trailers: ALLOWED }),
  );
  t.same([response.text, response.ended], ['body', 'complete']);
  t.same(response.trailers, ALLOWED);
  t.equal(response.header('trailer'), 'X-Sum');
});

t.test('a response with trailers and no body has them too', async (t) => {
  const { response } = await proxied.exchange(formatRequest('GET', '/'), (_, connection) =>
    connection.answerChunked({ chunks: [], trailers: ALLOWED }),
  );
  t.same([response.text, response.trailers], ['', ALLOWED]);
});

t.test('fields that a trailer must not carry are dropped from a response', async (t) => {
  for (const field of FORBIDDEN) {
    const { response } = await proxied.exchange(formatRequest('GET', '/'), (_, connection) =>
      connection.answerChunked({ chunks: ['body'], trailers: [field, ['X-Sum', '7']] }),
    );
    t.same([response.ended, response.trailers], ['complete', [['X-Sum', '7']]], field[0]);
  }
});

t.test('fields of framing in the trailers of a response never get to the client', async (t) => {
  for (const field of FRAMING) {
    const { response } = await proxied.exchange(formatRequest('GET', '/'), (_, connection) => {
      const trailers: HeaderField[] = [field, ['X-Sum', '7']];
      connection.answerChunked({ headers: { Connection: 'close' }, chunks: ['body'], trailers });
      connection.close();
    });
    const whole = response.ended === 'complete';
    t.same(response.trailers, whole ? [['X-Sum', '7']] : [], field[0]);
    t.notMatch(response.bodyBytes.toString(), new RegExp(`${field[0]}:`, 'i'));
  }
});

t.test('trailers of a response are not for HTTP/1.0', async (t) => {
  const text = 'GET / HTTP/1.0\r\nHost: localhost\r\n\r\n';
  const { response } = await proxied.exchange(text, (_, connection) =>
    connection.answerChunked({ chunks: ['body'], trailers: ALLOWED }),
  );
  t.same([response.text, response.ended], ['body', 'complete']);
});

t.test('announced trailers of a request reach the origin, in order', async (t) => {
  const { received, response, end } = await sendTrailers(ALLOWED, { Trailer: 'X-Sum, grpc-status' });
  t.equal(end, 'complete');
  t.same([received.text, received.trailers], ['body', ALLOWED]);
  t.equal(response.status, 200);
});

t.test('fields that a trailer must not carry are dropped from a request', async (t) => {
  for (const field of FORBIDDEN) {
    const { received, end } = await sendTrailers([field, ['X-Sum', '7']], { Trailer: 'X-Sum' });
    t.equal(end, 'complete');
    t.same(received.trailers, [['X-Sum', '7']], field[0]);
    t.notMatch(received.headBytes.toString(), /evil/, `${field[0]} does not become a header`);
  }
});

t.test('fields of framing in the trailers of a request never get to the origin', async (t) => {
  const head = formatRequest('POST', '/', { 'Transfer-Encoding': 'chunked', Trailer: 'X-Sum' });
  for (const field of FRAMING) {
    const client = await proxied.connect(t);
    proxied.origin.handler = answerOk;
    const arrived = proxied.origin.requestArrived();
    client.send(`${head}4\r\nbody\r\n`);
    const received = await arrived;
    client.send(`0\r\n${lines([field, ['X-Sum', '7']])}\r\n`);
    const whole = (await received.ended) === 'complete';
    t.same(received.trailers, whole ? [['X-Sum', '7']] : [], field[0]);
    t.notMatch(received.bodyBytes.toString(), new RegExp(`${field[0]}:`, 'i'));
  }
});

t.test('a trailer never becomes a header', async (t) => {
  const { received } = await sendTrailers([['X-Role', 'admin']], { Trailer: 'X-Role' });
  t.equal(received.header('x-role'), undefined);
});

t.test('trailers that were not announced may be lost, but harm nobody', async (t) => {
  const { received, response, end } = await sendTrailers([['X-Sum', '7']]);
  t.same([end, received.text, response.text], ['complete', 'body', 'ok']);
});

t.test('an announcement without trailers is no harm', async (t) => {
  const { received, response, end } = await sendTrailers([], { Trailer: 'X-Sum' });
  t.same([end, received.text, received.trailers, response.text], ['complete', 'body', [], 'ok']);
});
