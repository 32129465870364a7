/** What becomes of plain HTTP, by how the client came: to us, or to a trusted proxy in front. */
import t from 'tap';
import { createCertificate } from '../../helpers/certificate.ts';
import type { HeaderField } from '../../helpers/http-message.ts';
import { type ClientOptions, formatRequest, request } from '../../helpers/raw-client.ts';
import type { RawResponse } from '../../helpers/response-reader.ts';
import { startProxiedOrigin } from '../proxied-origin.ts';
import { formatUpgrade } from '../websocket-peers.ts';

const HSTS = 'max-age=31536000; includeSubDomains; preload';
const hsts = { maxAgeSec: 31_536_000, includeSubdomains: true, preload: true };
const { certFile, keyFile } = await createCertificate(t);
const proxy = await startProxiedOrigin(t, {
  flags: ['--listen-tls', '127.0.0.1:0', '--trusted-proxies', '127.0.0.2'],
  certificates: { default: { certFile, keyFile } },
  routes: {
    redirect: { match: { path: '/redirect/{**rest}' }, https: { redirect: true, hsts } },
    port: { match: { path: '/port' }, https: { redirect: true, port: 8_443 } },
    hsts: { match: { path: '/hsts' }, https: { hsts: { maxAgeSec: 60 } } },
    guarded: {
      match: { path: '/guarded' },
      https: { hsts: { maxAgeSec: 60 } },
      auth: { apiKey: {} },
    },
    other: { match: { path: '/other' } },
  },
});
const ready = proxy.gateway.logs.find(({ msg }) => msg === 'gateway ready');
const tlsPort = Number(/:(\d+)$/.exec(String(ready?.listenTls))?.[1]);
const TRUSTED: ClientOptions = { localAddress: '127.0.0.2' };
const OVER_TLS: ClientOptions = { tls: { rejectUnauthorized: false } };

function overTls(text: string, options: ClientOptions = {}): Promise<RawResponse> {
  return request(tlsPort, text, { ...OVER_TLS, ...options });
}

/** Requests so far that got to the origin. */
const forwarded = () => proxy.origin.requests.length;

t.test('plain HTTP is sent to the same URL over https', async (t) => {
  const before = forwarded();
  for (const [target, fields, location] of [
    ['/redirect/', {}, 'https://localhost/redirect/'],
    ['/redirect/a?x=%20&y', { Host: 'Shop.Example:8080' }, 'https://shop.example/redirect/a?x=%20&y'],
    ['/redirect/?', { Host: '[::0:1]:80' }, 'https://[::1]/redirect/?'],
    ['/redirect/a/../%62//c', {}, 'https://localhost/redirect/b/c'],
    ['http://abs.example/redirect/x', { Host: 'other' }, 'https://abs.example/redirect/x'],
    ['/port', { Host: 'localhost:8080' }, 'https://localhost:8443/port'],
  ] as const) {
    const response = await proxy.request(formatRequest('GET', target, fields));
    t.same([response.status, response.header('location'), response.text], [308, location, ''], target);
    t.equal(
      response.header('strict-transport-security'),
      undefined,
      'nothing that anybody could have put there',
    );
    t.match(response.header('x-request-id'), /^\S+$/);
  }
  t.equal(forwarded(), before, 'and the origin sees none of it');
});

t.test('a redirect keeps the connection, and the method: 308', async (t) => {
  const client = await proxy.connect(t);
  client.send(formatRequest('HEAD', '/redirect/') + formatRequest('GET', '/other'));
  t.equal((await client.readResponse({ toHead: true })).status, 308);
  t.equal((await client.readResponse()).text, 'ok');
  client.send(formatRequest('POST', '/redirect/', {}, 'a body'));
  const response = await client.readResponse();
  t.same([response.status, response.header('content-length')], [308, '0']);
});

t.test('the word of a trusted proxy counts, of nobody else', async (t) => {
  const https = { 'X-Forwarded-Proto': 'https' };
  const said = await proxy.exchange(formatRequest('GET', '/redirect/', https), undefined, TRUSTED);
  t.equal(said.response.header('strict-transport-security'), HSTS);
  for (const fields of [
    https,
    { Forwarded: 'proto=https' },
    { 'X-Forwarded-Ssl': 'on' },
    { X_Forwarded_Proto: 'https' },
  ]) {
    const response = await proxy.request(
      formatRequest('GET', '/redirect/', fields as Record<string, string>),
    );
    t.equal(response.status, 308, JSON.stringify(fields));
  }
  for (const [value, status] of [
    ['wss', 200],
    ['HTTPS, http', 200],
    ['http', 308],
    ['http, https', 308],
    ['ftp', 308],
    ['', 308],
  ] as const) {
    const fields: HeaderField[] = [['X-Forwarded-Proto', value]];
    t.equal((await proxy.request(formatRequest('GET', '/redirect/', fields), TRUSTED)).status, status, value);
  }
  t.equal((await proxy.request(formatRequest('GET', '/redirect/'), TRUSTED)).status, 308, 'it says nothing');
});

t.test(
  'who came to a trusted proxy by plain HTTP is redirected, though the proxy came over TLS',
  async (t) => {
    const plain = formatRequest('GET', '/redirect/', { 'X-Forwarded-Proto': 'http' });
    t.equal((await overTls(plain, TRUSTED)).status, 308);
    t.equal((await overTls(formatRequest('GET', '/redirect/'), TRUSTED)).status, 200);
    t.equal((await overTls(plain)).status, 200, 'of others it is not asked');
  },
);

t.test('over TLS the answer says to stay with it, in place of what the origin says', async (t) => {
  proxy.origin.handler = (_, connection) =>
    connection.answer({ headers: { 'Strict-Transport-Security': 'max-age=0' }, body: 'ok' });
  const response = await overTls(formatRequest('GET', '/redirect/'));
  t.same(response.headerValues('strict-transport-security'), [HSTS]);
  t.equal((await overTls(formatRequest('GET', '/hsts'))).header('strict-transport-security'), 'max-age=60');
  const plain = await proxy.request(formatRequest('GET', '/hsts'));
  t.equal(plain.status, 200, 'no redirect was asked for');
  const untouched = await overTls(formatRequest('GET', '/other'));
  t.equal(
    untouched.header('strict-transport-security'),
    'max-age=0',
    'other routes pass on the word of the origin',
  );
});

t.test('also an answer of the gateway says so', async (t) => {
  const response = await overTls(formatRequest('GET', '/guarded'));
  t.same([response.status, response.header('strict-transport-security')], [401, 'max-age=60']);
});

t.test('a WebSocket over plain HTTP is redirected', async (t) => {
  const client = await proxy.connect(t);
  client.send(formatUpgrade('/redirect/socket?x=1'));
  const response = await client.readResponse();
  t.same([response.status, response.header('location')], [308, 'https://localhost/redirect/socket?x=1']);
  await client.waitForClose();
});
