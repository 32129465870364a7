/** The admin listener with TLS: who is let in, and what holds of its connections. */
import { once } from 'node:events';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import type { AdminTls } from '../../lib/admin/admin-tls.ts';
import { connect, formatRequest, type RawClient, request } from '../helpers/raw-client.ts';
import { createAuthority, type IssuedCertificate } from '../proxy/tls/test-authority.ts';
import { formatCall, type StartedAdmin, startAdmin } from './started-admin.ts';

const [authority, stranger] = await Promise.all([
  createAuthority(t),
  createAuthority(t, 'Another authority'),
]);
const [served, renewed, otherKey, client, foreign, expired] = await Promise.all([
  authority.issue({ names: ['gateway.test'], subject: '/CN=served' }),
  authority.issue({ names: ['gateway.test'], subject: '/CN=renewed', key: 'rsa' }),
  authority.issue({ key: 'rsa' }),
  authority.issue({ subject: '/CN=operator' }),
  stranger.issue({ subject: '/CN=stranger' }),
  authority.issue({ subject: '/CN=late', expired: true }),
]);
const tlsOf = ({ cert, key }: IssuedCertificate, clientCa: string | null = null): AdminTls => ({
  cert,
  key,
  clientCa,
});
const trusting: ConnectionOptions = { ca: authority.ca, servername: 'gateway.test' };
const showing = ({ cert, key }: IssuedCertificate): ConnectionOptions => ({ ...trusting, cert, key });
const [plain, mutual] = await Promise.all([
  startAdmin(t, { tls: tlsOf(served) }),
  startAdmin(t, { tls: tlsOf(served, authority.ca) }),
]);

async function handshake(
  t: Test,
  { port }: StartedAdmin,
  options: ConnectionOptions = trusting,
): Promise<TLSSocket> {
  const socket = connectTls({ port, host: '127.0.0.1', ...options });
  t.teardown(() => socket.destroy());
  await once(socket, 'secureConnect', { signal: AbortSignal.timeout(10_000) });
  return socket;
}

async function statusOf(
  admin: StartedAdmin,
  path: string,
  tls: ConnectionOptions,
  hasToken: boolean,
): Promise<number> {
  const as = hasToken ? ('admin' as const) : null;
  const text = path.startsWith('/api/')
    ? formatCall(admin.tokens, 'GET', path, { as })
    : formatRequest('GET', path);
  return (await request(admin.port, text, { tls })).status;
}

t.test('probes, metrics and the API answer over TLS; the API still needs a token', async (t) => {
  for (const path of ['/healthz', '/readyz', '/metrics'])
    t.equal(await statusOf(plain, path, trusting, false), 200, path);
  t.equal(await statusOf(plain, '/api/gateway/status', trusting, true), 200);
  t.equal(await statusOf(plain, '/api/gateway/status', trusting, false), 401);
});

t.test('a connection that is not TLS, or less than TLS 1.2, gets nothing', async (t) => {
  const client = await connect(plain.port, { owner: t });
  client.send(formatRequest('GET', '/healthz'));
  await client.waitForClose();
  t.equal(client.unread.includes('HTTP/1.1'), false);
  for (const version of ['TLSv1', 'TLSv1.1'] as const) {
    const old = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT:@SECLEVEL=0' };
    await t.rejects(handshake(t, plain, { ...trusting, ...old }), version);
  }
  const socket = await handshake(t, plain, { ...trusting, maxVersion: 'TLSv1.2' });
  t.equal(socket.getProtocol(), 'TLSv1.2');
});

t.test('with authorities for clients the API needs a certificate, and a token as before', async (t) => {
  for (const [name, tls] of [
    ['none', trusting],
    ['of a stranger', showing(foreign)],
    ['expired', showing(expired)],
  ] as const) {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      for (const hasToken of [false, true]) {
        const status = await statusOf(mutual, '/api/gateway/status', { ...tls, maxVersion }, hasToken);
        t.equal(status, 403, `${name}, ${maxVersion}, token: ${hasToken}`);
      }
      for (const path of ['/healthz', '/readyz', '/metrics'])
        t.equal(
          await statusOf(mutual, path, { ...tls, maxVersion }, false),
          200,
          `${path}: a probe has none`,
        );
    }
  }
  t.match(mutual.logs, [{ audit: true, code: 'GW_ERR_CERTIFICATE_NEEDED', reason: /--admin-tls-client-ca/ }]);
  t.equal(await statusOf(mutual, '/healthz', showing(client), false), 200);
  t.equal(await statusOf(mutual, '/api/gateway/status', showing(client), false), 401);
  t.equal(await statusOf(mutual, '/api/gateway/status', showing(client), true), 200);
});

t.test('a session is not resumed: it would bring back who is not let in any more', async (t) => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const options = { ...showing(client), maxVersion };
    const first = await handshake(t, mutual, options);
    const sessions: Buffer[] = [];
    first.on('session', (session: Buffer) => sessions.push(session));
    first.write(formatRequest('GET', '/healthz'));
    await once(first, 'data');
    const session = sessions.at(-1) ?? first.getSession();
    const second = await handshake(t, mutual, session === undefined ? options : { ...options, session });
    t.equal(second.isSessionReused(), false, maxVersion);
  }
});

t.test('a renewed certificate is shown to new connections; those that stand live on', async (t) => {
  const admin = await startAdmin(t, { tls: tlsOf(served, authority.ca) });
  const shown = async () => (await handshake(t, admin, showing(client))).getPeerCertificate().subject.CN;
  const kept = await connect(admin.port, { owner: t, tls: showing(client) });
  t.equal(await shown(), 'served');
  admin.server.renewTls(tlsOf(renewed, authority.ca));
  t.equal(await shown(), 'renewed');
  for (const bad of [
    tlsOf({ ...renewed, key: otherKey.key }, authority.ca),
    tlsOf({ ...renewed, cert: 'garbage' }, authority.ca),
    tlsOf({ ...renewed, key: '' }, authority.ca),
    tlsOf(renewed, 'garbage'),
  ]) {
    t.throws(() => admin.server.renewTls(bad));
    t.equal(await shown(), 'renewed');
  }
  kept.send(formatRequest('GET', '/healthz'));
  t.equal((await kept.readResponse()).status, 200);
  admin.server.renewTls(tlsOf(renewed, stranger.ca));
  const status = (tls: ConnectionOptions) => statusOf(admin, '/api/gateway/status', tls, true);
  t.equal(await status(showing(client)), 403, 'an authority that was taken away');
  t.equal(await status(showing(foreign)), 200);
  t.equal(await status(trusting), 403, 'and still nobody without one');
});

t.test('who does not come to the end of the handshake is hung up on', async (t) => {
  const clients = await Promise.all([1, 2].map(() => connect(plain.port, { owner: t })));
  const [, dripping] = clients;
  // The beginning of a ClientHello, as slow as can be.
  dripping?.send(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc]));
  const drip = setInterval(() => {
    if (dripping?.connectionEnd === null) dripping.send(Buffer.from([3]));
  }, 300);
  t.teardown(() => clearInterval(drip));
  await t.resolves(Promise.all(clients.map((client) => client.waitForClose(9_500))));
});

t.test('one address cannot shut out the probes by handshakes that it begins', async (t) => {
  const admin = await startAdmin(t, { tls: tlsOf(served) });
  const clients: RawClient[] = [];
  for (let count = 0; count < 300; count += 1)
    clients.push(await connect(admin.port, { owner: t, localAddress: '127.0.0.2' }));
  await clients.at(-1)?.waitForClose();
  t.equal(await statusOf(admin, '/readyz', trusting, false), 200);
  for (const client of clients) client.close();
});

t.test('an address that begins very many handshakes in a row is let in twenty times a second', async (t) => {
  const admin = await startAdmin(t, { tls: tlsOf(served) });
  let [admitted, refused] = [0, 0];
  const flooding = { host: '127.0.0.1', port: admin.port, localAddress: '127.0.0.3', ...trusting };
  // How many it takes depends on how many the machine can begin while the next twenty are let in.
  for (let count = 0; count < 2_000 && refused === 0; count += 1) {
    const before = admitted;
    const socket = connectTls(flooding).on('error', () => {});
    socket.on('secureConnect', () => {
      admitted += 1;
      socket.destroy();
    });
    await new Promise((resolve) => socket.once('close', resolve));
    if (admitted === before) refused += 1;
  }
  t.ok(admitted >= 100 && refused === 1, `${admitted} were let in, ${refused} refused`);
  t.equal(await statusOf(admin, '/readyz', trusting, false), 200, 'others are not concerned');
});

t.test('closing waits for no handshake', async (t) => {
  const admin = await startAdmin(t, { tls: tlsOf(served) });
  const client = await connect(admin.port, { owner: t });
  const socket = await handshake(t, admin);
  await admin.server.close();
  await client.waitForClose();
  if (!socket.closed) await once(socket, 'close');
  t.ok(socket.destroyed);
});
