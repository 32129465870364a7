import t from 'tap';
import { buildResponseHead } from '../../../lib/core/http/response-headers.ts';

t.test('end-to-end fields pass in order, as they were written, and the request id is added', async (t) => {
  const raw = ['Content-Type', 'text/plain', 'Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'Content-Length', '5'];
  const head = buildResponseHead(raw, 200, 'id-1');
  t.same(head.headers, [...raw, 'x-request-id', 'id-1']);
  t.equal(head.contentLength, 5);
});

t.test("the origin's own request id stays", async (t) => {
  t.same(buildResponseHead(['X-Request-ID', 'own'], 200, 'id-1').headers, ['X-Request-ID', 'own']);
});

t.test('hop-by-hop fields and framing do not pass', async (t) => {
  const names = 'Connection Keep-Alive Proxy-Connection Proxy-Authenticate Upgrade TE Transfer-Encoding';
  const raw = names.split(' ').flatMap((name) => [name, 'x']);
  const head = buildResponseHead(raw, 200, 'id-1');
  t.same([head.headers, head.contentLength], [['x-request-id', 'id-1'], -1]);
});

t.test('what Connection nominates does not pass, but for what must', async (t) => {
  const raw = [
    'Connection',
    'X-Once, Set-Cookie',
    'x-once',
    '1',
    'Set-Cookie',
    'a=1',
    'connection',
    'X-Two',
    'X-Two',
    '2',
  ];
  t.same(buildResponseHead(raw, 200, 'id-1').headers, ['Set-Cookie', 'a=1', 'x-request-id', 'id-1']);
});

t.test('a status that allows no Content-Length gets none (RFC 9110 §8.6)', async (t) => {
  const raw = ['Content-Length', '4', 'Trailer', 'X-Sum'];
  for (const status of [101, 204]) {
    const head = buildResponseHead(raw, status, 'id-1');
    t.equal(head.headers.includes('Content-Length'), false, String(status));
    t.equal(head.contentLength, -1);
  }
  for (const status of [200, 304, 404]) {
    t.equal(buildResponseHead(raw, status, 'id-1').headers.includes('Content-Length'), true, String(status));
  }
});

t.test('trailers are announced where there can be some', async (t) => {
  const has = (status: number) =>
    buildResponseHead(['Trailer', 'X-Sum'], status, 'id').headers.includes('Trailer');
  t.same([has(200), has(204)], [true, false]);
});
