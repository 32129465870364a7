/**
 * Requests that two servers could read in two ways (RFC 9112 §6, §11.2): not one byte of them goes on, and
 * nothing that follows them on the connection is read as a request.
 */
import t from 'tap';
import { formatRequest } from '../helpers/raw-client.ts';
import { outcome, problemCode, startProxiedOrigin } from './proxied-origin.ts';

const proxied = await startProxiedOrigin(t);

/** What an attacker hopes to smuggle in: it stands behind every hostile request, and must never be served. */
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const EMPTY = '0\r\n\r\n';

const head = (fields: string, line = 'POST / HTTP/1.1') => `${line}\r\nHost: localhost\r\n${fields}\r\n`;

const BAD_REQUEST = 'GW_ERR_BAD_REQUEST';
const BAD_HOST = 'GW_ERR_BAD_HOST';
const CODING = 'GW_ERR_CODING_NOT_IMPLEMENTED';
const METHOD = 'GW_ERR_METHOD_NOT_ALLOWED';

const REFUSED: readonly (readonly [fault: string, text: string, status: number, code: string])[] = [
  // ---- Host ----
  ['no Host', 'GET / HTTP/1.1\r\nX-A: b\r\n\r\n', 400, BAD_HOST],
  ['no Host in HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', 400, BAD_HOST],
  ['two Hosts', head('Host: other\r\n', 'GET / HTTP/1.1'), 400, BAD_HOST],
  ['two equal Hosts', head('host: localhost\r\n', 'GET / HTTP/1.1'), 400, BAD_HOST],
  ['an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', 400, BAD_HOST],
  ['a list of Hosts', 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n', 400, BAD_HOST],
  ['a Host with a path', 'GET / HTTP/1.1\r\nHost: localhost/x\r\n\r\n', 400, BAD_HOST],
  ['a Host with user information', 'GET / HTTP/1.1\r\nHost: a@localhost\r\n\r\n', 400, BAD_HOST],
  ['a Host with a bad port', 'GET / HTTP/1.1\r\nHost: localhost:80x\r\n\r\n', 400, BAD_HOST],
  ['a bad Host beside an absolute form', 'GET http://a/ HTTP/1.1\r\nHost: a b\r\n\r\n', 400, BAD_HOST],
  // ---- length and coding ----
  ['Content-Length and chunks', head(`Content-Length: 5\r\n${CHUNKED}`) + EMPTY, 400, BAD_REQUEST],
  ['chunks and Content-Length', head(`${CHUNKED}Content-Length: 5\r\n`) + EMPTY, 400, BAD_REQUEST],
  ['two lengths', head('Content-Length: 1\r\nContent-Length: 2\r\n'), 400, BAD_REQUEST],
  ['two equal lengths', head('Content-Length: 1\r\nContent-Length: 1\r\n'), 400, BAD_REQUEST],
  ['a list of lengths', head('Content-Length: 1, 1\r\n'), 400, BAD_REQUEST],
  ['a signed length', head('Content-Length: +1\r\n'), 400, BAD_REQUEST],
  ['a negative length', head('Content-Length: -1\r\n'), 400, BAD_REQUEST],
  ['a length in hexadecimal', head('Content-Length: 0x1\r\n'), 400, BAD_REQUEST],
  ['a length beyond 2^53', head('Content-Length: 9007199254740993\r\n'), 400, BAD_REQUEST],
  ['a length that 2^64 only just holds', head('Content-Length: 18446744073709551615\r\n'), 400, BAD_REQUEST],
  ['a length beyond 2^64', head(`Content-Length: ${'9'.repeat(30)}\r\n`), 400, BAD_REQUEST],
  ['an empty length', head('Content-Length:\r\n'), 400, BAD_REQUEST],
  ['a coding before chunked', head('Transfer-Encoding: gzip, chunked\r\n') + EMPTY, 501, CODING],
  ['identity before chunked', head('Transfer-Encoding: identity, chunked\r\n') + EMPTY, 501, CODING],
  ['codings in two fields', head(`Transfer-Encoding: gzip\r\n${CHUNKED}`) + EMPTY, 501, CODING],
  ['chunked twice', head('Transfer-Encoding: chunked, chunked\r\n') + EMPTY, 400, BAD_REQUEST],
  ['chunked not last', head('Transfer-Encoding: chunked, gzip\r\n') + EMPTY, 400, BAD_REQUEST],
  ['a coding that is not chunked', head('Transfer-Encoding: gzip\r\n') + EMPTY, 400, BAD_REQUEST],
  ['an unknown coding', head('Transfer-Encoding: xchunked\r\n') + EMPTY, 400, BAD_REQUEST],
  ['a quoted coding', head('Transfer-Encoding: "chunked"\r\n') + EMPTY, 400, BAD_REQUEST],
  ['a parameter on chunked', head('Transfer-Encoding: chunked;a=b\r\n') + EMPTY, 400, BAD_REQUEST],
  ['an empty coding', head('Transfer-Encoding:\r\n') + EMPTY, 400, BAD_REQUEST],
  ['an empty coding beside a length', head('Transfer-Encoding:\r\nContent-Length: 1\r\n'), 400, BAD_REQUEST],
  ['an empty coding before chunked', head(`Transfer-Encoding:\r\n${CHUNKED}`) + EMPTY, 501, CODING],
  ['an empty coding behind chunked', head(`${CHUNKED}Transfer-Encoding:\r\n`) + EMPTY, 400, BAD_REQUEST],
  ['chunks in HTTP/1.0', head(CHUNKED, 'POST / HTTP/1.0') + EMPTY, 400, BAD_REQUEST],
  // ---- the shape of fields ----
  ['a folded value', head('X-A: b\r\n c\r\n'), 400, BAD_REQUEST],
  ['a first field line that begins with a space', 'GET / HTTP/1.1\r\n Host: a\r\n\r\n', 400, BAD_REQUEST],
  ['a space before the colon', head('X-A : b\r\n'), 400, BAD_REQUEST],
  ['a tab before the colon', head('Content-Length\t: 5\r\n'), 400, BAD_REQUEST],
  ['a space before the colon of the coding', head('Transfer-Encoding : chunked\r\n'), 400, BAD_REQUEST],
  ['no colon', head('X-A\r\n'), 400, BAD_REQUEST],
  ['no name', head(': a\r\n'), 400, BAD_REQUEST],
  ['a space in a name', head('X A: b\r\n'), 400, BAD_REQUEST],
  ['a name above ASCII', head('X-\u00e4: b\r\n'), 400, BAD_REQUEST],
  ['NUL in a name', head('X\u0000A: b\r\n'), 400, BAD_REQUEST],
  ['NUL in a value', head('X-A: b\u0000c\r\n'), 400, BAD_REQUEST],
  ['a control character in a value', head('X-A: b\u0001c\r\n'), 400, BAD_REQUEST],
  ['CR in a value', head('X-A: b\rc\r\n'), 400, BAD_REQUEST],
  ['CR before the coding', head(`X-A: b\r${CHUNKED}`), 400, BAD_REQUEST],
  // ---- the request line ----
  ['a version of three parts', head('', 'GET / HTTP/1.1.1'), 400, BAD_REQUEST],
  ['a version that never was', head('', 'GET / HTTP/1.9'), 400, BAD_REQUEST],
  ['no version', 'GET /\r\n\r\n', 505, 'GW_ERR_VERSION_NOT_SUPPORTED'],
  ['a version in lower case', head('', 'GET / http/1.1'), 400, BAD_REQUEST],
  ['another protocol', head('', 'GET / ICY/1.1'), 400, BAD_REQUEST],
  ['HTTP/2 in words', head('', 'GET / HTTP/2.0'), 505, 'GW_ERR_VERSION_NOT_SUPPORTED'],
  ['HTTP/0.9', head('', 'GET / HTTP/0.9'), 505, 'GW_ERR_VERSION_NOT_SUPPORTED'],
  ['a tab for a space', head('', 'GET\t/ HTTP/1.1'), 400, BAD_REQUEST],
  ['a space within the target', head('', 'GET /a b HTTP/1.1'), 400, BAD_REQUEST],
  ['a method in lower case', head('', 'get / HTTP/1.1'), 400, BAD_REQUEST],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, BAD_REQUEST],
  ['a TLS handshake', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000', 400, BAD_REQUEST],
  ['CONNECT', 'CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n', 405, METHOD],
  ['TRACE', head('', 'TRACE / HTTP/1.1'), 405, METHOD],
];

for (const [fault, text, status, code] of REFUSED) {
  t.test(`${fault}: ${status}, and nothing goes on`, async (t) => {
    const response = await proxied.requestForwardingNothing(text + SMUGGLED);
    t.same(outcome(response), [status, code]);
    t.match(response.header('connection'), /close/i);
    t.equal(JSON.parse(response.text).status, status);
  });
}

t.test('what is 405 says which methods there are', async (t) => {
  const response = await proxied.requestForwardingNothing(head('', 'TRACE / HTTP/1.1'));
  t.match(response.header('allow'), /GET.*POST/);
  t.notMatch(response.header('allow'), /TRACE|CONNECT/);
});

t.test(
  'a bare line feed in the head is either refused or no second reading: nothing is smuggled',
  async (t) => {
    const seen = proxied.origin.requests.length;
    for (const text of [
      'GET / HTTP/1.1\nHost: localhost\n\n',
      `POST / HTTP/1.1\r\nHost: localhost\r\nX-A: b\n${CHUNKED}\r\n${EMPTY}`,
      `POST / HTTP/1.1\r\nHost: localhost\r\nX-A: b\nContent-Length: 44\r\n\r\n`,
    ]) {
      const response = await proxied.requestForwardingNothing(text + SMUGGLED);
      t.equal(response.status, 400, JSON.stringify(text));
    }
    t.notOk(proxied.origin.requests.slice(seen).some(({ target }) => target === '/smuggled'));
  },
);

t.test('a head of more than 16 KiB gets 431', async (t) => {
  for (const fields of [`X-Big: ${'a'.repeat(16_384)}\r\n`, 'X-Many: 0123456789\r\n'.repeat(900)]) {
    const response = await proxied.requestForwardingNothing(head(fields, 'GET / HTTP/1.1') + SMUGGLED);
    t.same(outcome(response), [431, 'GW_ERR_HEADERS_TOO_LARGE']);
  }
});

t.test('256 fields pass, 257 get 431', async (t) => {
  const fields = (count: number) => 'a:b\r\n'.repeat(count - 1);
  const { received } = await proxied.exchange(head(fields(256), 'GET / HTTP/1.1'));
  t.equal(received.headerValues('a').length, 255, 'Host is one of them');
  const response = await proxied.requestForwardingNothing(head(fields(257), 'GET / HTTP/1.1') + SMUGGLED);
  t.same(outcome(response), [431, 'GW_ERR_HEADERS_TOO_LARGE']);
});

const BROKEN_BODIES: readonly (readonly [fault: string, body: string])[] = [
  ['a chunk size that is no number', 'xyz\r\nabc\r\n0\r\n\r\n'],
  ['a negative chunk size', '-1\r\nabc\r\n0\r\n\r\n'],
  ['a chunk size with 0x', '0x3\r\nabc\r\n0\r\n\r\n'],
  ['a chunk size beyond 2^64', `${'f'.repeat(17)}\r\nabc\r\n`],
  ['a chunk that is longer than its size', '3\r\nabcd\r\n0\r\n\r\n'],
  ['a bare line feed after a chunk size', '3\nabc\r\n0\r\n\r\n'],
  ['a bare line feed within a chunk extension', '3;a\nb\r\nabc\r\n0\r\n\r\n'],
  ['a bare line feed after a chunk', '3\r\nabc\n0\r\n\r\n'],
  ['a malformed trailer', '3\r\nabc\r\n0\r\nX A: b\r\n\r\n'],
];

for (const [fault, body] of BROKEN_BODIES) {
  t.test(
    `${fault}: the request to the origin is cut off, and the connection to the client closed`,
    async (t) => {
      const client = await proxied.connect(t);
      // The origin waits for the whole body, as one that acts on requests does.
      proxied.origin.handler = () => {};
      const arrived = proxied.origin.requestArrived();
      client.send(`${head(CHUNKED)}3\r\none\r\n`);
      const received = await arrived;
      client.send(body + SMUGGLED);
      await client.waitForClose();
      t.not(await received.ended, 'complete');
      const next = await proxied.exchange(formatRequest('GET', '/next'));
      t.equal(next.received.target, '/next', 'and not what stood behind it');
      t.not(next.received.connectionNumber, received.connectionNumber);
    },
  );
}

t.test('a client that goes away within the body: the request to the origin is cut off', async (t) => {
  for (const leave of ['end', 'reset'] as const) {
    const client = await proxied.connect(t);
    proxied.origin.handler = () => {};
    const arrived = proxied.origin.requestArrived();
    client.send(head('Content-Length: 10\r\n'));
    client.send('half');
    const received = await arrived;
    client[leave]();
    t.not(await received.ended, 'complete', leave);
  }
});

t.test('a broken request is answered even where it is the second on its connection', async (t) => {
  const client = await proxied.connect(t);
  proxied.origin.handler = (_, connection) => connection.answer({ body: 'first' });
  client.send(formatRequest('GET', '/'));
  t.equal((await client.readResponse()).text, 'first');
  client.send(head('X-A : b\r\n', 'GET / HTTP/1.1'));
  const response = await client.readResponse();
  t.equal(problemCode(response), BAD_REQUEST);
  await client.waitForClose();
});
