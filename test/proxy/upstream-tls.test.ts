/** Origins over TLS: verified under their own name, whatever Host says (RFC 9110 §4.3.4). */
import type { TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import type { Cluster, Route } from '../../lib/core/config/model.ts';
import { createCertificate } from '../helpers/certificate.ts';
import { formatRequest } from '../helpers/raw-client.ts';
import { type OriginHandler, type ScriptedOrigin, startOrigin } from '../helpers/scripted-origin.ts';
import { outcome, type ProxiedOrigin, startProxiedOrigin } from './proxied-origin.ts';
import { startSecureOrigin } from './secure-origin.ts';

/** The names that connections asked for, oldest first. */
const askedNames: (string | false | null | undefined)[] = [];

const answerWithName: OriginHandler = (_, connection) => {
  askedNames.push((connection.takeOver() as TLSSocket).servername);
  connection.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok');
  connection.close();
};

const [known, elsewhere] = await Promise.all([
  createCertificate(t),
  createCertificate(t, ['DNS:other.example.com']),
]);
const [origin, wrongName] = (await Promise.all(
  [known, elsewhere].map(({ key, cert }) => startOrigin(answerWithName, { owner: t, tls: { key, cert } })),
)) as [ScriptedOrigin, ScriptedOrigin];

const at = (url: string): Cluster => ({ destinations: { only: { url } }, retry: { attempts: 1 } });
const clusters: Record<string, Cluster> = {
  byName: at(`https://localhost:${origin.port}`),
  byAddress: at(`https://127.0.0.1:${origin.port}`),
  wrongName: at(`https://localhost:${wrongName.port}`),
};
const routes: Record<string, Partial<Route>> = {};
for (const cluster of Object.keys(clusters)) {
  routes[cluster] = { match: { path: `/${cluster}` }, cluster };
  routes[`${cluster}-preserving`] = {
    match: { path: `/${cluster}/preserving` },
    cluster,
    preserveHost: true,
  };
}
routes.setting = {
  match: { path: '/byName/setting' },
  cluster: 'byName',
  requestHeaders: { set: { host: 'other.example.com' } },
};

const [strict, trusting, trustingAnother] = (await Promise.all(
  [{}, { NODE_EXTRA_CA_CERTS: known.caFile }, { NODE_EXTRA_CA_CERTS: elsewhere.caFile }].map(
    (environment: Record<string, string>) => startProxiedOrigin(t, { routes, clusters, environment }),
  ),
)) as [ProxiedOrigin, ProxiedOrigin, ProxiedOrigin];

/** The ways to an origin: requests with an expectation or trailers are sent by another engine than the rest. */
const WAYS: readonly (readonly [way: string, makeText: (path: string, host: string) => string])[] = [
  ['a plain request', (path, host) => formatRequest('GET', path, { Host: host })],
  [
    'a request with an expectation',
    (path, host) =>
      formatRequest('POST', path, { Host: host, Expect: '100-continue', 'Content-Length': '1' }),
  ],
  [
    'a request with trailers',
    (path, host) => {
      const fields = { Host: host, 'Transfer-Encoding': 'chunked', Trailer: 'X-Sum' };
      return `${formatRequest('POST', path, fields)}1\r\nx\r\n0\r\nX-Sum: 7\r\n\r\n`;
    },
  ],
];

for (const [way, makeText] of WAYS) {
  t.test(`${way}: an origin whose authority nobody vouches for gets nothing`, async (t) => {
    await refusesIn(t, strict, makeText('/byName', 'localhost'));
    await refusesIn(t, strict, makeText('/byAddress', 'localhost'));
  });

  t.test(`${way}: an origin of a trusted authority is asked for by its own name`, async (t) => {
    for (const path of ['/byName', '/byName/preserving', '/byName/setting']) {
      askedNames.length = 0;
      const response = await trusting.request(makeText(path, 'other.example.com'));
      t.same([response.status, response.text, askedNames], [200, 'ok', ['localhost']], path);
    }
  });

  t.test(`${way}: an origin with an address is verified by that, and asked for by no name`, async (t) => {
    for (const path of ['/byAddress', '/byAddress/preserving']) {
      askedNames.length = 0;
      const response = await trusting.request(makeText(path, 'localhost'));
      t.same([response.status, response.text], [200, 'ok'], path);
      t.notOk(askedNames[0], path);
    }
  });

  t.test(
    `${way}: a certificate of another name is refused, even if the client asks for that name`,
    async (t) => {
      await refusesIn(t, trustingAnother, makeText('/wrongName', 'other.example.com'));
      await refusesIn(t, trustingAnother, makeText('/wrongName/preserving', 'other.example.com'));
    },
  );
}

t.test('requests with other hosts share a connection, also to an address', async (t) => {
  const secure = await startSecureOrigin(t, { key: known.key, cert: known.cert });
  const urls = { byName: secure.url, byAddress: `https://127.0.0.1:${secure.port}` };
  for (const [cluster, url] of Object.entries(urls)) {
    const proxied = await startProxiedOrigin(t, {
      clusters: { [cluster]: at(url) },
      routes: { [cluster]: { match: { path: '/{**rest}' }, cluster, preserveHost: true } },
      environment: { NODE_EXTRA_CA_CERTS: known.caFile },
    });
    secure.handshakes = 0;
    for (let count = 0; count < 10; count += 1) {
      const { status } = await proxied.request(formatRequest('GET', '/', { Host: `host-${count}.test` }));
      t.equal(status, 200);
    }
    t.equal(secure.handshakes, 1, cluster);
  }
});

async function refusesIn(t: Test, proxied: ProxiedOrigin, text: string): Promise<void> {
  const seen = origin.requests.length + wrongName.requests.length;
  const response = await proxied.request(text);
  t.same(outcome(response), [502, 'GW_ERR_UPSTREAM_TLS']);
  t.notMatch(response.text, /certificate|localhost|127\.0\.0\.1|self.signed/i, 'says nothing of the inside');
  t.equal(origin.requests.length + wrongName.requests.length, seen);
}
