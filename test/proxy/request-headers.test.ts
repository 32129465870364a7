/** Which fields of a request go on to the origin, and how (RFC 9110 §7.6.1). */
import t from 'tap';
import type { HeaderField } from '../helpers/http-message.ts';
import { formatRequest } from '../helpers/raw-client.ts';
import { startProxiedOrigin } from './proxied-origin.ts';

const proxied = await startProxiedOrigin(t, {
  routes: {
    all: {},
    transformed: {
      match: { path: '/transformed' },
      requestHeaders: {
        set: { 'X-Set': 'gateway', 'x-new': 'made' },
        append: { 'x-append': 'last', 'x-alone': 'only' },
        remove: ['cookie', 'X-Gone'],
      },
    },
    ownId: { match: { path: '/own-id' }, requestHeaders: { set: { 'x-request-id': 'of-the-route' } } },
  },
});

/** What the origin gets of a GET with these fields. */
async function forward(fields: readonly HeaderField[] | Record<string, string>, path = '/') {
  const { received } = await proxied.exchange(formatRequest('GET', path, fields));
  return received;
}

t.test('end-to-end fields pass with their spelling, their order and their repetitions', async (t) => {
  const fields: HeaderField[] = [
    ['ACCEPT', 'text/html'],
    ['x-LOWER-Upper', 'one'],
    ['Cookie', 'a=1'],
    ['X-Lower-upper', 'two'],
    ['Authorization', 'Bearer abc'],
    ['X-Empty', ''],
    ['User-Agent', 'test/1'],
  ];
  const { headers } = await forward(fields);
  const names = new Set(fields.map(([name]) => name.toLowerCase()));
  t.same(
    headers.filter(([name]) => names.has(name.toLowerCase())),
    fields,
  );
});

t.test('bytes above ASCII in a value pass unharmed', async (t) => {
  const received = await forward({ 'X-Bytes': 'caf\u00e9 \u0080\u00ff' });
  t.ok(received.headBytes.includes(Buffer.from('X-Bytes: caf\u00e9 \u0080\u00ff\r\n', 'latin1')));
});

t.test('hop-by-hop fields are dropped', async (t) => {
  const fields = {
    'Keep-Alive': 'timeout=5',
    'Proxy-Connection': 'keep-alive',
    'Proxy-Authorization': 'Basic abc',
    Upgrade: 'foo/2',
    'HTTP2-Settings': 'AAMAAABkAAQAAP__',
    Trailer: 'X-Sum',
    TE: 'gzip',
  };
  const received = await forward({ ...fields, 'X-End': 'kept' });
  for (const name of Object.keys(fields)) t.same(received.headerValues(name), [], name);
  t.equal(received.header('x-end'), 'kept');
});

t.test('what Connection names is dropped, in any case and from several Connection fields', async (t) => {
  const received = await forward([
    ['Connection', 'X-One,  x-TWO ,,close'],
    ['connection', 'X-Three'],
    ['X-One', '1'],
    ['X-Two', '2'],
    ['x-three', '3'],
    ['X-Four', '4'],
  ]);
  for (const name of ['x-one', 'x-two', 'x-three']) t.equal(received.header(name), undefined, name);
  t.equal(received.header('x-four'), '4');
  t.notMatch(received.header('connection') ?? '', /x-/i);
});

t.test("the client's `Connection: close` does not close the connection to the origin", async (t) => {
  const first = await forward({ Connection: 'close' });
  const second = await forward({ Connection: 'close' });
  t.equal(first.connectionNumber, second.connectionNumber);
  t.notMatch(first.header('connection') ?? '', /close/i);
});

t.test('Connection cannot nominate fields that the message means something else without', async (t) => {
  const fields: HeaderField[] = [
    ['Authorization', 'Bearer abc'],
    ['Cookie', 'a=1'],
    ['Cache-Control', 'no-store'],
    ['Content-Type', 'text/plain'],
    ['Content-Encoding', 'identity'],
    ['Range', 'bytes=0-1'],
  ];
  for (const [name, value] of fields) {
    const received = await forward([
      ['Connection', name.toLowerCase()],
      [name, value],
    ]);
    t.equal(received.header(name), value, name);
  }
});

t.test('Connection cannot nominate Content-Length', async (t) => {
  const text = formatRequest('POST', '/', { Connection: 'close, Content-Length' }, 'body');
  const { received } = await proxied.exchange(text);
  t.equal(await received.ended, 'complete');
  t.same([received.header('content-length'), received.text], ['4', 'body']);
});

t.test('Connection cannot nominate Transfer-Encoding', async (t) => {
  const fields = { Connection: 'transfer-encoding', 'Transfer-Encoding': 'chunked' };
  const { received } = await proxied.exchange(formatRequest('POST', '/', fields, '4\r\nbody\r\n0\r\n\r\n'));
  t.equal(await received.ended, 'complete');
  t.equal(received.text, 'body');
});

t.test('Connection cannot nominate Host', async (t) => {
  const received = await forward({ Connection: 'host' });
  t.equal(received.header('host'), `127.0.0.1:${proxied.origin.port}`);
});

t.test('Connection cannot nominate what the gateway adds', async (t) => {
  const names = ['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Request-Id', 'Forwarded'];
  const received = await forward({ Connection: names.join(', '), Forwarded: 'for=192.0.2.1' });
  for (const name of names) t.equal(received.headerValues(name).length, 1, name);
});

t.test('Connection cannot nominate what a route adds', async (t) => {
  const received = await forward({ Connection: 'X-Set, X-New', 'X-Set': 'client' }, '/transformed');
  t.same([received.header('x-set'), received.header('x-new')], ['gateway', 'made']);
});

t.test('of TE only `trailers` passes', async (t) => {
  for (const [value, expected] of [
    ['trailers', ['trailers']],
    ['gzip, Trailers', ['trailers']],
    ['trailers, deflate;q=0.5', ['trailers']],
    ['gzip;q=1', []],
    ['', []],
    ['not-trailers', []],
  ] as const) {
    const received = await forward({ TE: value, Connection: 'TE' });
    t.same(received.headerValues('te'), expected, value);
  }
});

t.test('a route sets, appends and removes fields of the request', async (t) => {
  const received = await forward(
    [
      ['X-Set', 'client'],
      ['x-set', 'again'],
      ['X-Append', 'first'],
      ['X-Append', 'second'],
      ['Cookie', 'a=1'],
      ['x-gone', '1'],
      ['x-other', 'kept'],
    ],
    '/transformed',
  );
  t.same(received.headerValues('x-set'), ['gateway']);
  t.same(received.headerValues('x-new'), ['made']);
  t.same(received.headerValues('x-append'), ['first', 'second', 'last']);
  t.same(received.headerValues('x-alone'), ['only']);
  t.same(received.headerValues('cookie'), []);
  t.same(received.headerValues('x-gone'), []);
  t.same(received.headerValues('x-other'), ['kept']);
});

t.test('a route may give the request id itself, and it stays one', async (t) => {
  const received = await forward({}, '/own-id');
  t.same(received.headerValues('x-request-id'), ['of-the-route']);
});

t.test('names that are properties of every object are fields like others', async (t) => {
  const fields: HeaderField[] = [
    ['__proto__', 'a'],
    ['constructor', 'b'],
    ['toString', 'c'],
    ['hasOwnProperty', 'd'],
  ];
  const received = await forward(fields);
  for (const [name, value] of fields) t.same(received.headerValues(name), [value], name);
});
