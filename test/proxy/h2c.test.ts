/** Upgrades that the gateway does not make: the request is served as if it had not asked (RFC 9110 §7.8). */
import t from 'tap';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import { formatRequest } from '../helpers/raw-client.ts';
import { answerOk, startProxiedOrigin } from './proxied-origin.ts';

const proxied = await startProxiedOrigin(t);

const H2C = {
  Connection: 'Upgrade, HTTP2-Settings',
  Upgrade: 'h2c',
  'HTTP2-Settings': 'AAMAAABkAAQAAP__',
};

const ASKING: readonly (readonly [
  what: string,
  method: string,
  fields: Record<string, string>,
  body: string,
])[] = [
  ['h2c on GET', 'GET', H2C, ''],
  ['h2c on POST with a body', 'POST', H2C, 'a body that must be seen as one'],
  ['h2c on GET with a body', 'GET', H2C, 'body'],
  ['a WebSocket on POST', 'POST', { Connection: 'Upgrade', Upgrade: 'websocket' }, 'body'],
  ['another protocol', 'GET', { Connection: 'Upgrade', Upgrade: 'foo/2' }, ''],
  ['several protocols', 'GET', { Connection: 'upgrade', Upgrade: 'websocket, h2c' }, ''],
  ['a protocol with nothing in it', 'GET', { Connection: 'Upgrade', Upgrade: '' }, ''],
];

for (const [what, method, fields, body] of ASKING) {
  t.test(`${what} is served without an upgrade`, async (t) => {
    const { received, response } = await proxied.exchange(formatRequest(method, '/asking', fields, body));
    if (body !== '') t.equal(await received.ended, 'complete');
    t.same([received.method, received.target, received.text], [method, '/asking', body]);
    for (const name of ['upgrade', 'http2-settings']) t.equal(received.header(name), undefined, name);
    t.notMatch(received.header('connection') ?? '', /upgrade/i);
    t.same([response.status, response.text, response.header('upgrade')], [200, 'ok', undefined]);
  });
}

t.test('what stands behind such a request is not read from its middle', async (t) => {
  for (const [what, method, fields, body] of ASKING.filter(([, , fields]) => fields.Upgrade !== '')) {
    const client = await proxied.connect(t);
    const seen = proxied.origin.requests.length;
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<OriginConnection>();
    proxied.origin.handler = (_, connection) => arrive(connection);
    client.send(`${formatRequest(method, '/asking', fields, body)}GET /behind?`);
    const asking = await arrived;
    client.send(formatRequest('GET', '/smuggled'));
    asking.answer({ body: 'ok' });
    t.equal((await client.readResponse()).text, 'ok', what);
    // A target with a space in it.
    t.equal((await client.readResponse()).status, 400, what);
    if ((await client.waitForClose()) !== 'closed') t.comment('reset behind the answer');
    t.equal(client.unread.length, 0);
    t.equal(proxied.origin.requests.length, seen + 1, what);
  }
});

t.test('a request behind such a one is served over the same connection', async (t) => {
  proxied.origin.handler = answerOk;
  for (const [what, method, fields, body] of ASKING) {
    const client = await proxied.connect(t);
    client.send(formatRequest(method, '/asking', fields, body) + formatRequest('GET', '/behind'));
    t.equal((await client.readResponse()).text, 'ok', what);
    t.equal((await client.readResponse()).text, 'ok', what);
    t.equal(client.connectionEnd, null, what);
  }
});

t.test('h2c with chunks: the body is read as a body, and nothing hides behind it', async (t) => {
  const text = formatRequest('POST', '/', { ...H2C, 'Transfer-Encoding': 'chunked' });
  const { received } = await proxied.exchange(`${text}4\r\nbody\r\n0\r\n\r\n`);
  t.equal(await received.ended, 'complete');
  t.same([received.text, received.header('upgrade')], ['body', undefined]);
});
