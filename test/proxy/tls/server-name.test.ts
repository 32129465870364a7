/** Which certificate a connection is shown, by the name that it asks for. */

import { once } from 'node:events';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import t from 'tap';
import { startSecureGateway } from './secure-gateway.ts';
import { createAuthority } from './test-authority.ts';

const authority = await createAuthority(t);
const names = ['a.site.test', '*.site.test', 'default'] as const;
const issued = await Promise.all(
  names.map((name) => authority.issue({ subject: `/CN=for ${name}`, names: [name] })),
);
const [forName, forWildcard, forOthers] = issued.map(({ certFile, keyFile }) => ({ certFile, keyFile }));
if (!forName || !forWildcard || !forOthers) throw new Error('three were made');
const all = { 'a.site.test': forName, '*.site.test': forWildcard, default: forOthers };

/** The common name that the gateway shows, or the code of the failure. */
async function shownBy(port: number, servername: string): Promise<string | undefined> {
  const name = servername === '' ? {} : { servername };
  const socket: TLSSocket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...name });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(10_000) });
    return String(socket.getPeerCertificate().subject.CN);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  } finally {
    socket.destroy();
  }
}

t.test('the certificate of the name, its wildcard, or the default; for any case', async (t) => {
  const gateway = await startSecureGateway(t, all);
  for (const [asked, expected] of [
    ['a.site.test', 'for a.site.test'],
    ['A.SITE.TEST', 'for a.site.test'],
    ['b.site.test', 'for *.site.test'],
    ['c.b.site.test', 'for default'],
    ['elsewhere.example', 'for default'],
    ['', 'for default'],
  ] as const) {
    t.equal(await shownBy(gateway.port, asked), expected, asked);
  }
  t.equal((await gateway.request('a.site.test', { rejectUnauthorized: true, ca: authority.ca })).status, 200);
});

t.test('without a default, other names are told that they are not known here', async (t) => {
  const gateway = await startSecureGateway(t, { 'a.site.test': forName });
  t.equal(await shownBy(gateway.port, 'b.site.test'), 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
  t.equal(await shownBy(gateway.port, ''), 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
  t.equal(await shownBy(gateway.port, 'a.site.test'), 'for a.site.test');
  t.equal(await gateway.handshakes('unknownName'), 2);
});

t.test('certificates come, change and go with the configuration', async (t) => {
  const gateway = await startSecureGateway(t, {});
  t.equal(await shownBy(gateway.port, 'a.site.test'), 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
  await gateway.putCertificates({ 'a.site.test': forName });
  t.equal(await shownBy(gateway.port, 'a.site.test'), 'for a.site.test');
  await gateway.putCertificates({ 'a.site.test': forOthers });
  t.equal(await shownBy(gateway.port, 'a.site.test'), 'for default');
  await gateway.putCertificates({});
  t.equal(await shownBy(gateway.port, 'a.site.test'), 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
});

t.test('one whose files are not there fails its own handshakes only, and the log says why', async (t) => {
  const gateway = await startSecureGateway(t, {
    'a.site.test': forName,
    'b.site.test': { certFile: '/nowhere/cert.pem', keyFile: '/nowhere/key.pem' },
  });
  t.equal(await shownBy(gateway.port, 'b.site.test'), 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR');
  t.equal(await shownBy(gateway.port, 'a.site.test'), 'for a.site.test');
  t.equal(await gateway.handshakes('noCertificate'), 1);
  const line = await gateway.gateway.waitForLog(({ certificate }) => certificate === 'b.site.test');
  t.match(line.problem, '/nowhere/cert.pem');
});

t.test('the origin learns that the client came over TLS, whatever the client says', async (t) => {
  const gateway = await startSecureGateway(t, all);
  await gateway.request('a.site.test');
  t.equal(gateway.origin.requests[0]?.header('x-forwarded-proto'), 'https');
});
