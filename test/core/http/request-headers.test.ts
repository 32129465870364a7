import t from 'tap';
import { NO_IDENTITY_HEADERS } from '../../../lib/core/http/identity-headers.ts';
import {
  buildRequestHeaders,
  cleanTrailers,
  type ForwardingFacts,
  readRequestHead,
} from '../../../lib/core/http/request-headers.ts';

const FACTS: ForwardingFacts = {
  peerAddress: '192.0.2.7',
  peerTrusted: false,
  scheme: 'http',
  clientHost: 'shop.example:8080',
  requestId: 'id-1',
  identityHeaders: NO_IDENTITY_HEADERS,
};
const TRUSTED: ForwardingFacts = { ...FACTS, peerTrusted: true };

/** What the gateway says of a client that said nothing of itself. */
const OWN = [
  ['x-forwarded-for', '192.0.2.7'],
  ['x-forwarded-proto', 'http'],
  ['x-forwarded-host', 'shop.example:8080'],
  ['x-request-id', 'id-1'],
];

/** The fields for the origin, as pairs. */
function build(fields: readonly (readonly [string, string])[], facts = FACTS): string[][] {
  const raw = fields.flat();
  const flat = buildRequestHeaders(raw, readRequestHead(raw), facts);
  return flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? '']] : []));
}

t.test('one pass reads what routing, limits and forwarding need', async (t) => {
  const head = readRequestHead([
    ...['Host', 'a', 'CONTENT-LENGTH', '12', 'Transfer-Encoding', 'GZIP', 'transfer-encoding', 'Chunked'],
    ...[
      'X-Request-ID',
      'given',
      'X-Forwarded-For',
      '1.1.1.1',
      'x-forwarded-for',
      '2.2.2.2',
      'Forwarded',
      'for=a',
    ],
    ...['X-Forwarded-Proto', 'https', 'X-Forwarded-Host', 'b', 'TE', 'gzip, Trailers', 'Trailer', 'X-Sum'],
    ...['Connection', 'X-Once', 'Accept', '*/*'],
  ]);
  t.match(head, {
    hostCount: 1,
    host: 'a',
    contentLength: 12,
    repeatsContentLength: false,
    transferEncoding: 'gzip, chunked',
    requestId: 'given',
    forwardedFor: '1.1.1.1, 2.2.2.2',
    hasForwarded: true,
    hasForwardedProto: true,
    hasForwardedHost: true,
    expectsTrailers: true,
    announcesTrailers: true,
  });
  t.same(head.nominated, new Set(['x-once']));
});

t.test('an empty head has nothing', async (t) => {
  t.match(readRequestHead([]), {
    hostCount: 0,
    contentLength: -1,
    transferEncoding: null,
    requestId: '',
    forwardedFor: '',
    expectsTrailers: false,
    announcesTrailers: false,
    nominated: null,
  });
});

t.test('what must not occur twice is counted', async (t) => {
  const head = readRequestHead(['Host', 'a', 'host', 'b', 'Content-Length', '5', 'content-length', '5']);
  t.same([head.hostCount, head.repeatsContentLength], [2, true]);
  t.equal(readRequestHead(['TE', 'gzip']).expectsTrailers, false);
});

t.test('end-to-end fields pass in order, as they were written', async (t) => {
  const fields = [
    ['Accept', '*/*'],
    ['Cookie', 'a=1'],
    ['cookie', 'b=2'],
    ['Content-Length', '5'],
    ['X-Odd', ''],
  ] as const;
  t.same(build(fields), [...fields, ...OWN]);
});

t.test('hop-by-hop fields, Host and framing do not pass', async (t) => {
  const names =
    'Host Connection Keep-Alive Proxy-Connection Proxy-Authorization Upgrade HTTP2-Settings Transfer-Encoding';
  t.same(build(names.split(' ').map((name) => [name, 'x'] as const)), OWN);
  t.same(
    build([
      ['Expect', '100-continue'],
      ['Trailer', 'X-Sum'],
    ]),
    OWN,
  );
});

t.test('TE passes as trailers or not at all', async (t) => {
  t.same(build([['TE', 'gzip;q=0.5, trailers']]), [['te', 'trailers'], ...OWN]);
  t.same(build([['TE', 'gzip']]), OWN);
});

t.test('what Connection nominates does not pass, but for what must', async (t) => {
  const fields = [
    ['Connection', 'X-Once, Content-Length, Authorization'],
    ['X-Once', '1'],
    ['x-once', '2'],
    ['Content-Length', '3'],
    ['Authorization', 'Basic eA=='],
  ] as const;
  t.same(build(fields), [['Content-Length', '3'], ['Authorization', 'Basic eA=='], ...OWN]);
});

t.test('a nomination cannot remove what the gateway adds', async (t) => {
  t.same(build([['Connection', 'X-Request-Id, X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host']]), OWN);
});

const CLAIMS = [
  ['X-Forwarded-For', '10.0.0.1'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-Host', 'other.example'],
  ['X-Forwarded-Port', '443'],
  ['X-Real-IP', '10.0.0.1'],
  ['X-Request-Id', 'given'],
  ['X_Forwarded_For', '10.0.0.9'],
] as const;

t.test('what a stranger says of itself is replaced', async (t) => {
  t.same(build(CLAIMS), OWN);
});

t.test('what a trusted peer says is kept and added to', async (t) => {
  t.same(build(CLAIMS, TRUSTED), [
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Host', 'other.example'],
    ['X-Forwarded-Port', '443'],
    ['X-Real-IP', '10.0.0.1'],
    ['x-forwarded-for', '10.0.0.1, 192.0.2.7'],
    ['x-request-id', 'id-1'],
  ]);
  t.same(build([], TRUSTED), OWN, 'what it leaves out is said for it');
});

t.test('Forwarded is written where the client side writes it (RFC 7239)', async (t) => {
  const own = 'for=192.0.2.7;host="shop.example:8080";proto=http';
  const fields = [
    ['Forwarded', 'for=a'],
    ['forwarded', 'for=b'],
  ] as const;
  const forwarded = (facts: ForwardingFacts) =>
    build(fields, facts).filter(([name]) => name?.toLowerCase() === 'forwarded');
  t.same(forwarded(FACTS), [['forwarded', own]]);
  t.same(forwarded(TRUSTED), [['forwarded', `for=a, for=b, ${own}`]]);
  t.same(forwarded({ ...FACTS, peerAddress: '2001:db8::1' }), [
    ['forwarded', 'for="[2001:db8::1]";host="shop.example:8080";proto=http'],
  ]);
});

t.test('a trailer section keeps only what may come late (RFC 9110 §6.5.1)', async (t) => {
  t.same(cleanTrailers(['X-Sum', '1', 'Content-Length', '9', 'x-sum', '2']), ['X-Sum', '1', 'x-sum', '2']);
  const forbidden =
    'Authorization Cookie Set-Cookie Host Transfer-Encoding Content-Type Content-Encoding Content-Range ' +
    'Cache-Control Age Date Expires Location Retry-After Vary WWW-Authenticate Range Connection Keep-Alive TE ' +
    'Trailer Upgrade X-Forwarded-For Forwarded X-Real-IP X-Request-Id Expect Proxy-Authorization X_Forwarded_For';
  for (const name of forbidden.split(' ')) t.equal(cleanTrailers([name, 'x']), null, name);
  t.equal(cleanTrailers([]), null);
  t.equal(cleanTrailers(['odd']), null, 'half a field is none');
});

t.test('what Connection says of the connection is found in any list, and in several fields', async (t) => {
  const said = (...values: string[]) => {
    const head = readRequestHead(values.flatMap((value) => ['Connection', value]));
    return [head.saysClose, head.saysKeepAlive, head.saysUpgrade];
  };
  t.same(said(), [false, false, false]);
  t.same(said('keep-alive'), [false, true, false]);
  t.same(said('Keep-Alive'), [false, true, false]);
  t.same(said('CLOSE'), [true, false, false]);
  t.same(said('x-a ,\tclose', 'Upgrade, keep-alive'), [true, true, true]);
  t.same(said('closed', 'not-close', 'keep-alive-not', 'upgraded'), [false, false, false]);
});

t.test('a length that is no number is none that anybody could go by', async (t) => {
  for (const value of ['+5', '-5', '0x5', '5, 5', '', '5.0', '5e1', ' 5'])
    t.ok(Number.isNaN(readRequestHead(['Content-Length', value]).contentLength), value);
  t.equal(readRequestHead(['Content-Length', '5']).contentLength, 5);
  const thrice = ['1', 'x', '2'].flatMap((value) => ['Content-Length', value]);
  t.equal(readRequestHead(thrice).repeatsContentLength, true);
});

t.test('Upgrade and Expect are read in lower case, all of them', async (t) => {
  t.match(readRequestHead(['upgrade', 'WebSocket', 'UPGRADE', 'h2c', 'expect', '100-Continue']), {
    upgrade: 'websocket, h2c',
    expect: '100-continue',
  });
});
