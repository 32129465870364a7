/** Client certificates: asked for host by host, verified, and never good for another host. */
import type { ConnectionOptions } from 'node:tls';
import t from 'tap';
import type { Certificate } from '../../../lib/core/config/model.ts';
import { connect, formatRequest, request } from '../../helpers/raw-client.ts';
import { outcome, problemCode } from '../proxied-origin.ts';
import { startSecureGateway } from './secure-gateway.ts';
import { createAuthority, type IssuedCertificate } from './test-authority.ts';

const authority = await createAuthority(t);
const [clients, others] = await Promise.all([createAuthority(t, 'Clients'), createAuthority(t, 'Others')]);
const [server, alice, stranger, expired, odd] = await Promise.all([
  authority.issue({ names: ['*.test'] }),
  clients.issue({ subject: '/O=Acme/OU=Sales+CN=alice' }),
  others.issue({ subject: '/CN=alice' }),
  clients.issue({ expired: true }),
  clients.issue({ subject: '/O=Smith\\, Söhne/CN=a\\+b, "c"\\\\ \r\nX-Admin: yes' }),
]);

const pair = { certFile: server.certFile, keyFile: server.keyFile };
const headers = {
  'x-client-subject': 'subject',
  'X-Client-Name': 'commonName',
  'x-client-issuer': 'issuer',
  'x-client-serial': 'serialNumber',
  'x-client-fingerprint': 'fingerprint',
} as const;
const asking = (mode: 'required' | 'optional', caFile = clients.caFile): Certificate => ({
  ...pair,
  clientCertificate: { mode, caFile, headers },
});
const certificates = {
  'required.test': asking('required'),
  'optional.test': asking('optional'),
  'others.test': asking('required', others.caFile),
  'open.test': pair,
};
const gateway = await startSecureGateway(t, certificates, {
  routes: { scripts: { match: { path: '/scripts' }, cors: { origins: ['https://app.test'] } } },
});

const as = ({ cert, key }: IssuedCertificate): ConnectionOptions => ({ cert, key });

/** Whether any request is answered, and how. */
async function tryRequest(servername: string, tls: ConnectionOptions, host = servername) {
  try {
    return outcome(await gateway.request(servername, tls, host));
  } catch {
    return 'no answer';
  }
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  const only = { minVersion: version, maxVersion: version };
  t.test(`${version}: where one is required, there is no answer without a valid one`, async (t) => {
    const before = gateway.origin.requests.length;
    const failed = await gateway.handshakes('clientCertificate');
    t.equal(await tryRequest('required.test', only), 'no answer', 'none');
    t.equal(
      await tryRequest('required.test', { ...only, ...as(stranger) }),
      'no answer',
      'another authority',
    );
    t.equal(await tryRequest('required.test', { ...only, ...as(expired) }), 'no answer', 'expired');
    t.equal(
      await tryRequest('required.test', { ...only, ...as(server) }),
      'no answer',
      'a server certificate',
    );
    t.equal(gateway.origin.requests.length, before);
    t.equal(await gateway.handshakes('clientCertificate'), failed + 4);
    t.same(await tryRequest('required.test', { ...only, ...as(alice) }), [200, undefined]);
  });

  t.test(`${version}: where one is optional, only a valid one is told to the origin`, async (t) => {
    for (const tls of [only, { ...only, ...as(stranger) }, { ...only, ...as(expired) }]) {
      t.same(await tryRequest('optional.test', tls), [200, undefined]);
      t.equal(gateway.origin.requests.at(-1)?.header('x-client-subject'), undefined);
    }
    t.same(await tryRequest('optional.test', { ...only, ...as(alice) }), [200, undefined]);
    t.equal(gateway.origin.requests.at(-1)?.header('x-client-name'), 'alice');
  });
}

t.test('each host has its own authorities', async (t) => {
  t.same(await tryRequest('others.test', as(stranger)), [200, undefined]);
  t.equal(await tryRequest('others.test', as(alice)), 'no answer');
});

t.test('a host that asks for none gets none, and takes those who have one', async (t) => {
  t.same(await tryRequest('open.test', {}), [200, undefined]);
  t.same(await tryRequest('open.test', as(stranger)), [200, undefined]);
});

t.test('the origin gets the facts, and no client can make them up', async (t) => {
  const client = await gateway.connect('required.test', as(alice));
  const forged = Object.keys(headers).map((name): [string, string] => [name, 'forged']);
  client.send(formatRequest('GET', '/', [['Host', 'required.test'], ...forged]));
  await client.readResponse();
  const received = gateway.origin.requests.at(-1);
  t.equal(received?.header('x-client-subject'), 'CN=alice+OU=Sales,O=Acme');
  t.equal(received?.header('x-client-name'), 'alice');
  t.equal(received?.header('x-client-issuer'), 'CN=Clients');
  t.match(received?.header('x-client-serial'), /^[0-9A-F]+$/);
  t.match(received?.header('x-client-fingerprint'), /^[0-9a-f]{64}$/);
  const open = await gateway.connect('open.test');
  open.send(formatRequest('GET', '/', [['Host', 'open.test'], ...forged]));
  await open.readResponse();
  for (const name of Object.keys(headers))
    t.equal(gateway.origin.requests.at(-1)?.header(name.toLowerCase()), undefined, name);
});

t.test('whatever is in a name, it makes one field, and none besides', async (t) => {
  t.same(await tryRequest('required.test', as(odd)), [200, undefined]);
  const received = gateway.origin.requests.at(-1);
  t.equal(received?.header('x-admin'), undefined);
  t.equal(received?.header('x-client-name'), 'a\\+b\\, \\"c\\"\\\\ \\0D\\0AX-Admin: yes');
  t.match(received?.header('x-client-subject'), ',O=Smith\\, S\\C3\\B6hne');
});

t.test('a connection for another host is no way around: 421', async (t) => {
  const misdirected = [421, 'GW_ERR_MISDIRECTED'];
  const before = gateway.origin.requests.length;
  t.same(await tryRequest('open.test', {}, 'required.test'), misdirected, 'no certificate');
  t.same(await tryRequest('open.test', as(alice), 'required.test'), misdirected, 'not asked for it');
  t.same(await tryRequest('optional.test', as(alice), 'required.test'), misdirected, 'for another entry');
  t.same(await tryRequest('others.test', as(stranger), 'required.test'), misdirected, 'other authorities');
  t.same(await tryRequest('open.test', {}, 'REQUIRED.test:443'), misdirected, 'Host written otherwise');
  const plain = await request(gateway.gateway.port, formatRequest('GET', '/', { Host: 'required.test' }));
  t.same(outcome(plain), misdirected, 'over the plain port');
  const absolute = await gateway.connect('open.test');
  absolute.send(formatRequest('GET', 'http://required.test/', { Host: 'open.test' }));
  t.same(outcome(await absolute.readResponse()), misdirected, 'in the target');
  t.equal(gateway.origin.requests.length, before);
});

t.test('a pre-flight for a host that requires certificates needs one as well', async (t) => {
  const preflight = (host: string) =>
    formatRequest('OPTIONS', '/scripts', {
      Host: host,
      Origin: 'https://app.test',
      'Access-Control-Request-Method': 'GET',
    });
  const { port } = gateway.gateway;
  t.equal((await request(port, preflight('open.test'))).status, 204);
  t.same(outcome(await request(port, preflight('required.test'))), [421, 'GW_ERR_MISDIRECTED']);
});

t.test(
  'a connection that was verified for one host is an ordinary one for those that ask for none',
  async (t) => {
    t.same(await tryRequest('required.test', as(alice), 'open.test'), [200, undefined]);
    t.same(await tryRequest('required.test', as(alice), 'optional.test'), [200, undefined]);
    t.equal(
      gateway.origin.requests.at(-1)?.header('x-client-subject'),
      undefined,
      'verified for another entry',
    );
  },
);

t.test('an upgrade is no way around either', async (t) => {
  const client = await gateway.connect('open.test');
  const upgrade = {
    Host: 'required.test',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  };
  client.send(formatRequest('GET', '/', upgrade));
  t.same(outcome(await client.readResponse()), [421, 'GW_ERR_MISDIRECTED']);
});

t.test('a kept connection loses its standing when its authority is taken away, not before', async (t) => {
  const changing = await startSecureGateway(t, { 'a.test': asking('required') });
  const client = await changing.connect('a.test', as(alice));
  const ask = async () => {
    client.send(formatRequest('GET', '/', { Host: 'a.test' }));
    return client.readResponse();
  };
  t.equal((await ask()).status, 200);
  await changing.putCertificates({ 'a.test': asking('required'), 'b.test': pair });
  t.equal((await ask()).status, 200, 'another entry has come');
  await changing.putCertificates({ 'a.test': pair });
  t.equal((await ask()).status, 200, 'none is needed any more');
  await changing.putCertificates({ 'a.test': asking('required', others.caFile) });
  const refused = await ask();
  t.equal(problemCode(refused), 'GW_ERR_MISDIRECTED');
});

t.test('a plain connection that was there before the entry asked is refused from then on', async (t) => {
  const changing = await startSecureGateway(t, { 'a.test': pair });
  const client = await connect(changing.gateway.port, { owner: t });
  const ask = async () => {
    client.send(formatRequest('GET', '/', { Host: 'a.test' }));
    return client.readResponse();
  };
  t.equal((await ask()).status, 200);
  await changing.putCertificates({ 'a.test': asking('required') });
  t.equal((await ask()).status, 421);
});

t.test('a wildcard that demands one demands it of every depth, as the hosts of routes go', async (t) => {
  const nested = await startSecureGateway(
    t,
    {
      '*.deep.test': asking('required'),
      'open.deep.test': pair,
      '*.inner.deep.test': pair,
      'optional.test': asking('optional'),
      default: pair,
    },
    { routes: { deep: { match: { hosts: ['*.deep.test'] } } } },
  );
  const misdirected = [421, 'GW_ERR_MISDIRECTED'];
  for (const host of ['a.deep.test', 'x.a.deep.test', 'X.Y.A.deep.TEST.', 'x.a.deep.test:443']) {
    const plain = await request(nested.gateway.port, formatRequest('GET', '/', { Host: host }));
    t.same(outcome(plain), misdirected, `${host} over the plain port`);
    for (const serverName of ['x.a.deep.test', 'optional.test']) {
      const response = await nested.request(serverName, as(alice), host);
      t.same(outcome(response), misdirected, `${host} on a connection for ${serverName}`);
    }
  }
  t.same(nested.origin.requests, []);
  t.equal((await nested.request('a.deep.test', as(alice))).status, 200);
  t.equal((await nested.request('a.deep.test', as(alice), 'x.a.deep.test')).status, 200, 'verified for it');
  for (const host of ['open.deep.test', 'x.inner.deep.test', 'deep.test', 'other.test'])
    t.equal((await nested.request(host)).status, 200, `${host} has an entry of its own, or is outside`);
});
