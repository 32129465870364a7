/** An origin whose fields no client may be given: that client gets a 502, and the gateway lives on. */
import t from 'tap';
import { formatRequest } from '../helpers/raw-client.ts';
import { outcome, startProxiedOrigin } from './proxied-origin.ts';

const proxied = await startProxiedOrigin(t, { cluster: { timeouts: { headersMs: 5_000, idleMs: 5_000 } } });

const OK = 'HTTP/1.1 200 OK\r\n';
const MALFORMED: readonly (readonly [fault: string, response: string])[] = [
  ['a control character in a value', `${OK}X-Bad: a\u0001b\r\nContent-Length: 0\r\n\r\n`],
  ['DEL in a value', `${OK}X-Bad: a\u007fb\r\nContent-Length: 0\r\n\r\n`],
  ['CR in a value', `${OK}X-Bad: a\rb\r\nContent-Length: 0\r\n\r\n`],
  ['a space in a name', `${OK}X Bad: a\r\nContent-Length: 0\r\n\r\n`],
  ['a name above ASCII', `${OK}X-B\u00e4d: a\r\nContent-Length: 0\r\n\r\n`],
  ['no name', `${OK}: a\r\nContent-Length: 0\r\n\r\n`],
  ['a folded value', `${OK}X-Bad: a\r\n b\r\nContent-Length: 0\r\n\r\n`],
];

for (const [fault, text] of MALFORMED) {
  t.test(`a response with ${fault} gets 502`, async (t) => {
    const { response } = await proxied.exchange(formatRequest('GET', '/'), (_, connection) =>
      connection.write(text),
    );
    t.same(outcome(response), [502, 'GW_ERR_UPSTREAM_PROTOCOL']);
    t.notMatch(response.text, /127\.0\.0\.1|HPE|undici|llhttp/i, 'says nothing of the inside');
    const next = await proxied.exchange(formatRequest('GET', '/next'));
    t.same([next.response.status, next.response.text], [200, 'ok']);
  });
}

t.test('a response in a transfer coding that the gateway cannot undo gets 502', async (t) => {
  for (const coding of ['gzip, chunked', 'gzip', 'identity']) {
    const { response } = await proxied.exchange(formatRequest('GET', '/'), (_, connection) => {
      connection.write(`${OK}Transfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n`);
      connection.close();
    });
    t.same(outcome(response), [502, 'GW_ERR_UPSTREAM_PROTOCOL'], coding);
  }
});
