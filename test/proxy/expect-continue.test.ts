/** `Expect: 100-continue` (RFC 9110 §10.1.1): whether the body is sent is the origin's word, not ours. */
import t, { type Test } from 'tap';
import type { OriginConnection } from '../helpers/origin-connection.ts';
import { formatRequest } from '../helpers/raw-client.ts';
import { outcome, startProxiedOrigin } from './proxied-origin.ts';

const proxied = await startProxiedOrigin(t, {
  routes: { some: { match: { path: '/some/{**rest}' }, limits: { maxBodyBytes: 1_000 } } },
});

const EXPECT = { Expect: '100-continue', 'Content-Length': '4' };
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

/** Sends a head that expects 100 and waits until the origin has it. */
async function ask(t: Test, fields: Record<string, string> = EXPECT) {
  const client = await proxied.connect(t);
  let origin: OriginConnection | undefined;
  proxied.origin.handler = (_, connection) => {
    origin = connection;
  };
  const arrived = proxied.origin.requestArrived();
  client.send(formatRequest('POST', '/some/thing', fields));
  const received = await arrived;
  if (origin === undefined) throw new Error('the handler was not called');
  return { client, origin, received };
}

t.test('the head goes to the origin without the body, and asks the same of it', async (t) => {
  const { client, received } = await ask(t);
  t.match(received.header('expect'), /^100-continue$/i);
  t.equal(received.header('content-length'), '4');
  t.equal(client.unread.length, 0, 'no 100 before the origin has said so');
});

t.test('bytes above ASCII in a value pass unharmed', async (t) => {
  const { received } = await ask(t, { ...EXPECT, 'X-Bytes': 'caf\u00e9' });
  t.equal(received.header('x-bytes'), 'caf\u00e9');
});

t.test("the origin's 100 goes to the client, then the body to the origin", async (t) => {
  for (const fields of [EXPECT, { Expect: '100-Continue', 'Transfer-Encoding': 'chunked' }]) {
    const { client, origin, received } = await ask(t, fields);
    origin.inform(100);
    t.equal((await client.waitForBytes('\r\n\r\n')).toString(), CONTINUE);
    client.send('Content-Length' in fields ? 'body' : '4\r\nbody\r\n0\r\n\r\n');
    t.equal(await received.ended, 'complete');
    t.equal(received.text, 'body');
    origin.answer({ body: 'thanks' });
    const response = await client.readResponse();
    t.same([response.status, response.text], [200, 'thanks']);
    t.same(
      response.informational.map(({ status }) => status),
      [100],
    );
  }
});

t.test('two 100s of the origin are one to the client', async (t) => {
  const { client, origin } = await ask(t);
  origin.inform(100);
  origin.inform(100);
  await client.waitForBytes('\r\n\r\n');
  client.send('body');
  origin.answer({ body: 'thanks' });
  const response = await client.readResponse();
  t.same(
    response.informational.map(({ status }) => status),
    [100],
  );
  t.equal(response.text, 'thanks');
});

for (const status of [417, 413, 401, 302]) {
  t.test(
    `the origin's ${status} instead of a 100 goes to the client, which never sends its body`,
    async (t) => {
      const { client, origin, received } = await ask(t);
      origin.answer({ status, body: 'no' });
      const response = await client.readResponse();
      t.same([response.status, response.text, response.informational.length], [status, 'no', 0]);
      t.match(response.header('connection'), /close/i, 'or the body could be read as the next request');
      await client.waitForClose();
      t.equal(received.text, '');
    },
  );
}

t.test('an origin that answers 200 without a 100 has its answer passed on all the same', async (t) => {
  const { client, origin } = await ask(t);
  origin.answer({ body: 'did not need it' });
  const response = await client.readResponse();
  t.same([response.status, response.text, response.informational.length], [200, 'did not need it', 0]);
});

t.test('a body that comes without waiting for the 100 is not lost', async (t) => {
  const { client, origin, received } = await ask(t);
  client.send('body');
  origin.inform(100);
  t.equal(await received.ended, 'complete');
  origin.answer({ body: 'thanks' });
  const response = await client.readResponse();
  t.same([received.text, response.text], ['body', 'thanks']);
});

for (const [fault, path, length, expected] of [
  ['no route', '/none', 4, [404, 'GW_ERR_NO_ROUTE']],
  ['a body that is too large', '/some/thing', 1_001, [413, 'GW_ERR_BODY_TOO_LARGE']],
  ['a bad target', '/some/../../thing', 4, [400, 'GW_ERR_BAD_TARGET']],
] as const) {
  t.test(`${fault}: the gateway's own refusal comes before any 100`, async (t) => {
    const client = await proxied.connect(t);
    const seen = proxied.origin.requests.length;
    client.send(formatRequest('POST', path, { Expect: '100-continue', 'Content-Length': String(length) }));
    const response = await client.readResponse();
    t.same(outcome(response), expected);
    t.equal(response.informational.length, 0);
    t.match(response.header('connection'), /close/i);
    await client.waitForClose();
    t.equal(proxied.origin.requests.length, seen);
  });
}

t.test('an unknown expectation gets 417, and nothing goes on', async (t) => {
  const response = await proxied.request(formatRequest('GET', '/some/thing', { Expect: 'miracles' }));
  t.same(outcome(response), [417, 'GW_ERR_EXPECTATION_FAILED']);
});

t.test('an expectation without a body is not passed on, and waits for nothing', async (t) => {
  const { received, response } = await proxied.exchange(
    formatRequest('GET', '/some/thing', { Expect: '100-continue' }),
  );
  t.equal(received.header('expect'), undefined);
  t.equal(response.text, 'ok');
});

t.test('an expectation in HTTP/1.0 is ignored', async (t) => {
  const text =
    'POST /some/thing HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody';
  const { received, response } = await proxied.exchange(text);
  t.same([received.header('expect'), received.text], [undefined, 'body']);
  t.same([response.text, response.informational.length], ['ok', 0]);
});
