/** Which fields of a response go on to the client, and how. */
import t from 'tap';
import type { HeaderField } from '../helpers/http-message.ts';
import { formatRequest } from '../helpers/raw-client.ts';
import { problemCode, startProxiedOrigin } from './proxied-origin.ts';

const proxied = await startProxiedOrigin(t, {
  routes: {
    all: {},
    transformed: {
      match: { path: '/transformed' },
      responseHeaders: {
        set: { 'X-Set': 'gateway', 'x-new': 'made', 'cache-control': 'no-store' },
        append: { 'Set-Cookie': 'route=1', vary: 'Origin' },
        remove: ['server', 'X-Gone'],
      },
    },
  },
});

/** What the client gets where the origin answers with these fields. */
async function answerWith(headers: readonly HeaderField[] | Record<string, string>, path = '/') {
  const { response } = await proxied.exchange(formatRequest('GET', path), (_, connection) =>
    connection.answer({ headers, body: 'ok' }),
  );
  return response;
}

t.test('end-to-end fields pass with their spelling, their order and their repetitions', async (t) => {
  const fields: HeaderField[] = [
    ['ETAG', '"a"'],
    ['Vary', 'Accept'],
    ['x-LOWER-Upper', 'one'],
    ['X-Lower-upper', 'two'],
    ['vary', 'Origin'],
    ['X-Empty', ''],
    ['Server', 'scripted'],
    ['Date', 'Tue, 15 Nov 1994 08:12:31 GMT'],
  ];
  const { headers } = await answerWith(fields);
  const names = new Set(fields.map(([name]) => name.toLowerCase()));
  t.same(
    headers.filter(([name]) => names.has(name.toLowerCase())),
    fields,
  );
});

t.test('every Set-Cookie stays a field of its own, in order', async (t) => {
  const cookies = ['b=2; Path=/', 'a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT', 'b=3; Path=/x', 'a=1'];
  const response = await answerWith(cookies.map((cookie): HeaderField => ['Set-Cookie', cookie]));
  t.same(response.headerValues('set-cookie'), cookies);
});

t.test('bytes above ASCII in a value pass unharmed', async (t) => {
  const { response } = await proxied.exchange(formatRequest('GET', '/'), (_, connection) =>
    connection.write('HTTP/1.1 200 OK\r\nX-Bytes: caf\u00e9 \u0080\u00ff\r\nContent-Length: 0\r\n\r\n'),
  );
  t.ok(response.headBytes.includes(Buffer.from('X-Bytes: caf\u00e9 \u0080\u00ff\r\n', 'latin1')));
});

t.test('they do so too where the body comes later than the head', async (t) => {
  const client = await proxied.connect(t);
  const held = Promise.withResolvers<void>();
  proxied.origin.handler = async (_, connection) => {
    connection.write('HTTP/1.1 200 OK\r\nX-Bytes: caf\u00e9\r\nContent-Length: 2\r\n\r\n');
    await held.promise;
    connection.write('ok');
  };
  client.send(formatRequest('GET', '/'));
  const head = await client.waitForBytes('\r\n\r\n');
  held.resolve();
  t.ok(head.includes(Buffer.from('X-Bytes: caf\u00e9\r\n', 'latin1')));
});

t.test('status and reason phrase pass as they are', async (t) => {
  for (const [status, reason] of [
    [200, 'Fine'],
    [299, 'Odd But Allowed'],
    [418, "I'm a Teapot"],
    [451, ''],
    [599, 'Network'],
  ] as const) {
    const { response } = await proxied.exchange(formatRequest('GET', '/'), (_, connection) =>
      connection.write(`HTTP/1.1 ${status} ${reason}\r\nContent-Length: 0\r\n\r\n`),
    );
    t.equal(response.status, status);
    if (reason !== '') t.equal(response.reason, reason);
  }
});

t.test('a reason phrase with bytes above ASCII harms nobody', async (t) => {
  for (const [reason, expected] of [
    [Buffer.from('caf\u00e9 \u2713', 'utf8'), Buffer.from('caf\u00e9 \u2713', 'utf8').toString('latin1')],
    [Buffer.from('caf\u00e9', 'latin1'), undefined],
  ] as const) {
    const text = [Buffer.from('HTTP/1.1 200 '), reason, Buffer.from('\r\nContent-Length: 2\r\n\r\nok')];
    const { response } = await proxied.exchange(formatRequest('GET', '/'), (_, connection) =>
      connection.write(Buffer.concat(text)),
    );
    t.same([response.status, response.text], [200, 'ok']);
    if (expected !== undefined) t.equal(response.reason, expected);
  }
});

t.test('hop-by-hop fields are dropped', async (t) => {
  const response = await answerWith({
    'Keep-Alive': 'timeout=1, max=3',
    'Proxy-Connection': 'close',
    'Proxy-Authenticate': 'Basic',
    Upgrade: 'h2c',
    TE: 'trailers',
    'X-End': 'kept',
  });
  for (const name of ['proxy-connection', 'proxy-authenticate', 'upgrade', 'te'])
    t.same(response.headerValues(name), [], name);
  t.notMatch(response.header('keep-alive') ?? '', /max=3/);
  t.equal(response.header('x-end'), 'kept');
});

t.test('what Connection names is dropped', async (t) => {
  const response = await answerWith({
    Connection: 'X-One, x-TWO',
    'X-One': '1',
    'x-two': '2',
    'X-Three': '3',
  });
  t.same([response.header('x-one'), response.header('x-two')], [undefined, undefined]);
  t.equal(response.header('x-three'), '3');
  t.notMatch(response.header('connection') ?? '', /x-/i);
});

t.test('Connection cannot nominate fields that the message means something else without', async (t) => {
  const fields: HeaderField[] = [
    ['Set-Cookie', 'a=1'],
    ['Content-Type', 'text/html'],
    ['Content-Encoding', 'gzip'],
    ['Cache-Control', 'private'],
    ['Location', '/elsewhere'],
    ['Date', 'Tue, 15 Nov 1994 08:12:31 GMT'],
  ];
  for (const [name, value] of fields) {
    const response = await answerWith([
      ['Connection', name],
      [name, value],
    ]);
    t.same(response.headerValues(name), [value], name);
  }
});

t.test('Connection cannot nominate Content-Length', async (t) => {
  const response = await answerWith({ Connection: 'content-length' });
  t.same([response.header('content-length'), response.text, response.ended], ['2', 'ok', 'complete']);
});

t.test("the origin's `Connection: close` does not close the connection to the client", async (t) => {
  const client = await proxied.connect(t);
  for (const body of ['one', 'two']) {
    proxied.origin.handler = (_, connection) => {
      connection.answer({ headers: { Connection: 'close' }, body });
      connection.close();
    };
    client.send(formatRequest('GET', '/'));
    const response = await client.readResponse();
    t.equal(response.text, body);
    t.notMatch(response.header('connection') ?? '', /close/i);
  }
  t.equal(client.connectionEnd, null);
});

t.test('a route sets, appends and removes fields of the response', async (t) => {
  const response = await answerWith(
    [
      ['X-Set', 'origin'],
      ['x-set', 'again'],
      ['Cache-Control', 'public'],
      ['Set-Cookie', 'a=1'],
      ['Vary', 'Accept'],
      ['Server', 'scripted'],
      ['x-GONE', '1'],
      ['X-Other', 'kept'],
    ],
    '/transformed',
  );
  t.same(response.headerValues('x-set'), ['gateway']);
  t.same(response.headerValues('x-new'), ['made']);
  t.same(response.headerValues('cache-control'), ['no-store']);
  t.same(response.headerValues('set-cookie'), ['a=1', 'route=1']);
  t.same(response.headerValues('vary'), ['Accept', 'Origin']);
  t.same(response.headerValues('server'), []);
  t.same(response.headerValues('x-gone'), []);
  t.same(response.headerValues('x-other'), ['kept']);
});

t.test('a failure of the origin passes as it is, and is not taken for one of the gateway', async (t) => {
  for (const status of [500, 501, 502, 503, 504]) {
    const { response } = await proxied.exchange(formatRequest('GET', '/'), (_, connection) =>
      connection.answer({ status, reason: 'Mine', headers: { 'Retry-After': '7' }, body: 'my words' }),
    );
    t.same([response.status, response.reason, response.text], [status, 'Mine', 'my words']);
    t.same([response.header('retry-after'), problemCode(response)], ['7', undefined]);
  }
});

t.test('redirects are not followed and their Location is not touched', async (t) => {
  const location = 'http://10.1.2.3:9/next?a=1';
  const { response } = await proxied.exchange(formatRequest('GET', '/'), (_, connection) =>
    connection.answer({ status: 302, headers: { Location: location } }),
  );
  t.same([response.status, response.header('location')], [302, location]);
});
