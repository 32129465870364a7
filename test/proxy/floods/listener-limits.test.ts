/** What a client may ask for at most, and how long it may take over it: heads, targets, requests, idle connections. */
import t from 'tap';
import { formatRequest, type RawClient } from '../../helpers/raw-client.ts';
import { outcome, startProxiedOrigin } from '../proxied-origin.ts';

const HEADER_BYTES = 4_096;
const HEADER_COUNT = 20;
const TARGET_BYTES = 200;
const REQUESTS = 3;

const proxied = await startProxiedOrigin(t, {
  routes: { all: { match: { hosts: ['localhost'], path: '/{**rest}' } } },
  cluster: { pool: { maxConnections: 50 } },
  flags: [
    ...['--headers-timeout-ms', '1500', '--keep-alive-timeout-ms', '1000'],
    ...['--max-header-bytes', String(HEADER_BYTES), '--max-header-count', String(HEADER_COUNT)],
    ...['--max-target-bytes', String(TARGET_BYTES), '--max-requests-per-connection', String(REQUESTS)],
  ],
});

/** Far above every limit above: reached only where there is none. */
const LIMIT_MS = 20_000;
const TIMED_OUT = [408, 'GW_ERR_REQUEST_TIMEOUT'];
const HEAD_TOO_LARGE = [431, 'GW_ERR_HEADERS_TOO_LARGE'];

// Most of the tests wait for a limit, so they run side by side.
t.jobs = 20;
const options = { buffered: true };

async function answerThenClose(client: RawClient) {
  const response = await client.readResponse({ limitMs: LIMIT_MS });
  await client.waitForClose(LIMIT_MS);
  return outcome(response);
}

for (const [what, ...parts] of [
  ['no byte at all'],
  ['one byte', 'G'],
  ['empty lines only', '\r\n\r\n'],
  ['a head without its end', 'GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: '],
] as const) {
  t.test(`a new connection that sends ${what} gets 408`, options, async (t) => {
    const client = await proxied.connect(t);
    for (const part of parts) client.send(part);
    t.same(await answerThenClose(client), TIMED_OUT);
  });
}

t.test('a head that comes byte by byte gets 408, whatever comes in time', options, async (t) => {
  const client = await proxied.connect(t);
  const text = `GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ${'x'.repeat(1_000)}`;
  let sent = 0;
  const sending = setInterval(() => client.send(text.charAt(sent++)), 20);
  t.teardown(() => clearInterval(sending));
  t.same(await answerThenClose(client), TIMED_OUT);
});

t.test('the second request of a connection has no more time for its head', options, async (t) => {
  const client = await proxied.connect(t);
  client.send(formatRequest('GET', '/'));
  t.equal((await client.readResponse()).status, 200);
  client.send('GET / HTTP/1.1\r\nHost: loc');
  t.same(await answerThenClose(client), TIMED_OUT);
});

t.test('an idle connection is closed without a word, also after an empty line', options, async (t) => {
  for (const text of ['', '\r\n']) {
    const client = await proxied.connect(t);
    client.send(formatRequest('GET', '/'));
    t.equal((await client.readResponse()).status, 200);
    client.send(text);
    t.equal(await client.waitForClose(LIMIT_MS), 'closed');
    t.equal(client.unread.length, 0);
  }
});

t.test('a request that takes longer than these limits is not idle', options, async (t) => {
  const slow = await proxied.connect(t);
  const held = Promise.withResolvers<() => void>();
  const { handler } = proxied.origin;
  proxied.origin.handler = (request, connection) => {
    if (request.target === '/slow') held.resolve(() => connection.answer({ body: 'at last' }));
    else handler(request, connection);
  };
  slow.send(formatRequest('GET', '/slow'));
  const answer = await held.promise;
  const idle = await proxied.connect(t);
  idle.send('GET');
  t.same(await answerThenClose(idle), TIMED_OUT, 'the limits have passed');
  answer();
  t.equal((await slow.readResponse()).text, 'at last');
});

/** A request whose head has so many bytes. */
function headOf(bytes: number): string {
  const empty = formatRequest('GET', '/', { 'X-Long': '' });
  return formatRequest('GET', '/', { 'X-Long': 'x'.repeat(bytes - empty.length) });
}

t.test('a head of more bytes than allowed gets 431', options, async (t) => {
  t.equal((await proxied.request(headOf(HEADER_BYTES - 100))).status, 200);
  for (const bytes of [HEADER_BYTES + 100, 20 * HEADER_BYTES]) {
    const client = await proxied.connect(t);
    client.send(headOf(bytes));
    t.same(await answerThenClose(client), HEAD_TOO_LARGE, `${bytes} bytes`);
  }
});

t.test('a head that never ends gets 431 once it is too long', options, async (t) => {
  const client = await proxied.connect(t);
  client.send('GET / HTTP/1.1\r\nHost: localhost\r\n');
  const sending = setInterval(() => client.send(`X-${'y'.repeat(100)}: z\r\n`), 2);
  t.teardown(() => clearInterval(sending));
  t.same(await answerThenClose(client), HEAD_TOO_LARGE);
});

t.test('a head of more fields than allowed gets 431', options, async (t) => {
  const fieldsOf = (count: number) =>
    Array.from({ length: count - 1 }, (_, index) => [`X-${index}`, 'value'] as const);
  t.equal((await proxied.request(formatRequest('GET', '/', fieldsOf(HEADER_COUNT)))).status, 200);
  const response = await proxied.request(formatRequest('GET', '/', fieldsOf(HEADER_COUNT + 1)));
  t.same(outcome(response), HEAD_TOO_LARGE);
});

t.test('a target that is longer than allowed gets 414', options, async (t) => {
  const targetOf = (length: number) => `/path?${'q'.repeat(length - 6)}`;
  t.equal((await proxied.request(formatRequest('GET', targetOf(TARGET_BYTES)))).status, 200);
  const response = await proxied.request(formatRequest('GET', targetOf(TARGET_BYTES + 1)));
  t.same(outcome(response), [414, 'GW_ERR_TARGET_TOO_LONG']);
});

t.test('the last request that a connection may make says so, and ends it', options, async (t) => {
  const client = await proxied.connect(t);
  for (let count = 1; count <= REQUESTS; count += 1) {
    client.send(formatRequest('GET', `/${count}`));
    const response = await client.readResponse();
    t.equal(response.status, 200);
    t.equal(/close/.test(response.header('connection') ?? ''), count === REQUESTS, `request ${count}`);
  }
  t.equal(await client.waitForClose(), 'closed');
});

t.test('what is pipelined behind the last request is not served', options, async (t) => {
  const client = await proxied.connect(t);
  const targets = Array.from({ length: 10 }, (_, index) => `/pipelined-${index}`);
  client.send(targets.map((target) => formatRequest('GET', target)).join(''));
  for (let count = 1; count <= REQUESTS; count += 1) t.equal((await client.readResponse()).status, 200);
  await client.waitForClose();
  t.equal(client.unread.length, 0);
  const served = proxied.origin.requests.filter(({ target }) => target.startsWith('/pipelined-'));
  t.same(
    served.map(({ target }) => target),
    targets.slice(0, REQUESTS),
  );
});

t.test('requests that the gateway answers itself count as well', options, async (t) => {
  const client = await proxied.connect(t);
  for (let count = 1; count <= REQUESTS; count += 1) {
    client.send(formatRequest('GET', '/', { Host: 'elsewhere' }));
    t.equal((await client.readResponse()).status, 404);
  }
  t.equal(await client.waitForClose(), 'closed');
});
