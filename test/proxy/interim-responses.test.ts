/** Interim responses (1xx): early hints are passed on, with a cap; others say nothing that a client could use. */
import t from 'tap';
import { formatRequest } from '../helpers/raw-client.ts';
import type { RawResponse } from '../helpers/response-reader.ts';
import { startProxiedOrigin } from './proxied-origin.ts';

const proxied = await startProxiedOrigin(t);

const statuses = (response: RawResponse) => response.informational.map(({ status }) => status);

t.test('early hints are passed on, each with its links, before the final response', async (t) => {
  const { response } = await proxied.exchange(formatRequest('GET', '/'), (_, connection) => {
    connection.inform(103, { Link: '</a.css>; rel=preload; as=style' });
    connection.inform(103, [
      ['Link', '</b.css>; rel=preload; as=style'],
      ['link', '</c.js>; rel=preload; as=script'],
    ]);
    connection.answer({ body: 'final' });
  });
  t.same([response.status, response.text], [200, 'final']);
  t.same(
    response.informational.map((hint) => [hint.status, hint.header('link')]),
    [
      [103, '</a.css>; rel=preload; as=style'],
      [103, '</b.css>; rel=preload; as=style, </c.js>; rel=preload; as=script'],
    ],
  );
});

t.test('early hints come at once, not with the final response', async (t) => {
  const client = await proxied.connect(t);
  const { promise: finish, resolve } = Promise.withResolvers<() => void>();
  proxied.origin.handler = (_, connection) => {
    connection.inform(103, { Link: '</a.css>; rel=preload; as=style' });
    resolve(() => connection.answer({ body: 'final' }));
  };
  client.send(formatRequest('GET', '/'));
  t.match((await client.waitForBytes('\r\n\r\n')).toString(), /^HTTP\/1\.1 103 /);
  (await finish)();
  t.equal((await client.readResponse()).text, 'final');
});

t.test('of more than eight early hints the rest is dropped', async (t) => {
  const { response } = await proxied.exchange(formatRequest('GET', '/'), (_, connection) => {
    for (let count = 0; count < 100; count += 1)
      connection.inform(103, { Link: `</${count}>; rel=preload; as=style` });
    connection.answer({ body: 'final' });
  });
  t.same(statuses(response), Array(8).fill(103));
  t.equal(response.text, 'final');
});

t.test('hop-by-hop fields and cookies of early hints go no further', async (t) => {
  const { response } = await proxied.exchange(formatRequest('GET', '/'), (_, connection) => {
    connection.inform(103, {
      Link: '</a>; rel=preload; as=style',
      Connection: 'X-A',
      'X-A': '1',
      'Keep-Alive': 'timeout=1',
      'Set-Cookie': 'a=1',
    });
    connection.answer({ body: 'final' });
  });
  const [hint] = response.informational;
  t.same(
    hint?.headers.map(([name]) => name.toLowerCase()),
    ['link'],
  );
});

t.test('early hints are not for HTTP/1.0', async (t) => {
  const text = 'GET / HTTP/1.0\r\nHost: localhost\r\n\r\n';
  const { response } = await proxied.exchange(text, (_, connection) => {
    connection.inform(103, { Link: '</a>; rel=preload; as=style' });
    connection.answer({ body: 'final' });
  });
  t.same([statuses(response), response.text], [[], 'final']);
});

t.test('102 and 1xx that nobody knows are not passed on', async (t) => {
  const { response } = await proxied.exchange(formatRequest('GET', '/'), (_, connection) => {
    connection.inform(102);
    connection.inform(110, { Link: '</a>; rel=preload; as=style' });
    connection.inform(199);
    connection.answer({ body: 'final' });
  });
  t.same([statuses(response), response.text], [[], 'final']);
});

t.test('an early hint with malformed links is dropped, and the final response comes', async (t) => {
  const { response } = await proxied.exchange(formatRequest('GET', '/'), (_, connection) => {
    connection.inform(103, { Link: 'rubbish' });
    connection.inform(103, { 'X-Other': 'no link' });
    connection.inform(103, { Link: '</good>; rel=preload; as=style' });
    connection.answer({ body: 'final' });
  });
  t.same(
    response.informational.map((hint) => hint.header('link')),
    ['</good>; rel=preload; as=style'],
  );
  t.equal(response.text, 'final');
});
