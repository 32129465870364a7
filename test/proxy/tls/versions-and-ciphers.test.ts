/** What the TLS port speaks, and what it refuses. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import t from 'tap';
import { formatRequest } from '../../helpers/raw-client.ts';
import { startSecureGateway } from './secure-gateway.ts';
import { createAuthority } from './test-authority.ts';

const run = promisify(execFile);
const authority = await createAuthority(t);
const [elliptic, rsa] = await Promise.all([
  authority.issue({ names: ['a.test'] }),
  authority.issue({ names: ['rsa.test'], key: 'rsa' }),
]);
const gateway = await startSecureGateway(t, {
  'a.test': { certFile: elliptic.certFile, keyFile: elliptic.keyFile },
  'rsa.test': { certFile: rsa.certFile, keyFile: rsa.keyFile },
  'strict.test': { certFile: elliptic.certFile, keyFile: elliptic.keyFile, minVersion: 'TLSv1.3' },
});

/** Version, cipher and protocol that were agreed on, or the code of the failure. */
async function agree(servername: string, options: ConnectionOptions): Promise<string> {
  const address = { port: gateway.port, host: '127.0.0.1', rejectUnauthorized: false };
  const socket = connectTls({ ...address, servername, ...options });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(10_000) });
    return [socket.getProtocol(), socket.getCipher().name, socket.alpnProtocol].join(' ');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  } finally {
    socket.destroy();
  }
}

const only = (version: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3', ciphers?: string): ConnectionOptions => ({
  minVersion: version,
  maxVersion: version,
  ...(ciphers === undefined ? {} : { ciphers: `${ciphers}:@SECLEVEL=0` }),
});

t.test('TLS 1.2 and 1.3 are spoken', async (t) => {
  t.match(await agree('a.test', only('TLSv1.3')), /^TLSv1.3 TLS_AES/);
  t.match(await agree('a.test', only('TLSv1.2')), 'TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256');
  t.match(await agree('rsa.test', only('TLSv1.2')), 'TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256');
});

t.test('TLS 1.0 and 1.1 are refused, and 1.2 where the entry says so', async (t) => {
  for (const version of ['TLSv1', 'TLSv1.1'] as const)
    t.equal(await agree('a.test', only(version, 'ALL')), 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', version);
  t.equal(await agree('strict.test', only('TLSv1.2')), 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  t.match(await agree('strict.test', only('TLSv1.3')), /^TLSv1.3/);
});

for (const cipher of [
  'AES128-SHA',
  'AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-RSA-AES256-SHA384',
  'DHE-RSA-AES128-GCM-SHA256',
  'aNULL',
]) {
  t.test(`${cipher} is refused`, async (t) => {
    t.match(await agree('rsa.test', only('TLSv1.2', cipher)), /HANDSHAKE_FAILURE$/);
  });
}

t.test('the order of the gateway counts, not that of the client', async (t) => {
  const ciphers = 'ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256';
  t.match(await agree('rsa.test', only('TLSv1.2', ciphers)), 'TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256');
});

t.test(
  'HTTP/1.1 is the only protocol: offered with others it is chosen, others alone are refused',
  async (t) => {
    t.match(await agree('a.test', { ALPNProtocols: ['h2', 'http/1.1'] }), / http\/1.1$/);
    t.match(await agree('a.test', {}), / false$/);
    t.equal(await agree('a.test', { ALPNProtocols: ['h2'] }), 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
  },
);

t.test('a client cannot renegotiate', async (t) => {
  const socket = connectTls({
    port: gateway.port,
    host: '127.0.0.1',
    servername: 'a.test',
    rejectUnauthorized: false,
    ...only('TLSv1.2'),
  });
  await once(socket, 'secureConnect');
  const failed = once(socket, 'error', { signal: AbortSignal.timeout(10_000) });
  socket.renegotiate({}, () => {});
  socket.write(formatRequest('GET', '/'));
  const [error] = await failed;
  t.match((error as Error).message, 'no renegotiation');
  socket.destroy();
});

t.test('openssl itself verifies the chain and the name', async (t) => {
  const { stdout } = await run(
    'sh',
    [
      '-c',
      `echo Q | openssl s_client -connect 127.0.0.1:${gateway.port} -servername a.test -verify_hostname a.test ` +
        `-verify_return_error -CAfile "$1" 2>&1`,
      'sh',
      authority.caFile,
    ],
    { timeout: 10_000 },
  );
  t.match(stdout, 'Verify return code: 0 (ok)');
  t.match(stdout, 'Secure Renegotiation IS');
});
