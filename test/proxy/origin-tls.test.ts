/** How a cluster's `tls` secures the way to its origins, on each of the ways that requests take. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Cluster, OriginTls } from '../../lib/core/config/model.ts';
import { startGateway } from '../helpers/gateway-process.ts';
import { connect, formatRequest } from '../helpers/raw-client.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import { startSecureOrigin, successOf, tryWay, WAYS, type Way } from './secure-origin.ts';
import { createAuthority } from './tls/test-authority.ts';
import { echo, openWebSocket } from './websocket-peers.ts';

const [authority, stranger] = await Promise.all([createAuthority(t), createAuthority(t)]);
const [served, client, foreignClient, otherKey] = await Promise.all([
  authority.issue({ names: ['localhost', 'orders.test'] }),
  authority.issue({ subject: '/CN=gateway' }),
  stranger.issue({ subject: '/CN=foreign' }),
  authority.issue({ subject: '/CN=other', key: 'rsa' }),
]);
const pair = { cert: served.cert, key: served.key };
const [origin, demanding, old, older] = await Promise.all([
  startSecureOrigin(t, pair),
  startSecureOrigin(t, { ...pair, ca: authority.ca, requestCert: true, rejectUnauthorized: true }),
  startSecureOrigin(t, { ...pair, maxVersion: 'TLSv1.2' }),
  startSecureOrigin(t, {
    ...pair,
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT:@SECLEVEL=0',
  }),
]);
const silent = createServer();
const silentSockets = new Set<Socket>();
silent.on('connection', (socket) => silentSockets.add(socket.on('error', () => {})));
await once(silent.listen(0, '127.0.0.1'), 'listening');
t.teardown(() => {
  silent.close();
  for (const socket of silentSockets) socket.destroy();
});
const garbage = join(await createTemporaryDirectory(t), 'garbage.pem');
await writeFile(garbage, 'no PEM at all');

const { caFile } = authority;
const clusterOf = (url: string, tls?: OriginTls, more: Partial<Cluster> = {}): Cluster => ({
  destinations: { only: { url } },
  retry: { attempts: 1 },
  ...(tls === undefined ? {} : { tls }),
  ...more,
});
const byAddress = `https://127.0.0.1:${origin.port}`;
const ownPair = { certFile: client.certFile, keyFile: client.keyFile };
const clusters = {
  authorityInFile: clusterOf(origin.url, { caFile }),
  authorityInVariable: clusterOf(origin.url, { caEnv: 'ORIGIN_CA' }),
  noAuthority: clusterOf(origin.url),
  wrongAuthority: clusterOf(origin.url, { caFile: stranger.caFile }),
  garbageAuthority: clusterOf(origin.url, { caFile: garbage }),
  missingAuthority: clusterOf(origin.url, { caEnv: 'NO_SUCH_VARIABLE' }),
  serverName: clusterOf(byAddress, { caFile, serverName: 'orders.test' }),
  wrongServerName: clusterOf(byAddress, { caFile, serverName: 'other.test' }),
  noServerName: clusterOf(byAddress, { caFile }),
  clientCertificate: clusterOf(demanding.url, { caFile, ...ownPair }),
  clientCertificateInVariables: clusterOf(demanding.url, {
    caFile,
    certEnv: 'ORIGIN_CERT',
    keyEnv: 'ORIGIN_KEY',
  }),
  noClientCertificate: clusterOf(demanding.url, { caFile }),
  foreignClientCertificate: clusterOf(demanding.url, {
    caFile,
    certFile: foreignClient.certFile,
    keyFile: foreignClient.keyFile,
  }),
  halvesOfTwoPairs: clusterOf(demanding.url, {
    caFile,
    certFile: client.certFile,
    keyFile: otherKey.keyFile,
  }),
  oldOrigin: clusterOf(old.url, { caFile }),
  oldOriginRefused: clusterOf(old.url, { caFile, minVersion: 'TLSv1.3' }),
  olderOrigin: clusterOf(older.url, { caFile }),
  unverified: clusterOf(origin.url, { caFile: stranger.caFile, insecureSkipVerify: true }),
  silent: clusterOf(
    `https://127.0.0.1:${(silent.address() as AddressInfo).port}`,
    { caFile },
    { timeouts: { connectMs: 500, headersMs: 60_000 } },
  ),
} satisfies Record<string, Cluster>;
type ClusterName = keyof typeof clusters;

const document = (more: Partial<Record<ClusterName, Cluster>> = {}) => ({
  clusters: { ...clusters, ...more },
  routes: Object.fromEntries(
    Object.keys(clusters).map((id) => [id, { match: { path: `/${id}/{**rest}` }, cluster: id }]),
  ),
});
const gateway = await startGateway(t, {
  config: document(),
  environment: { ORIGIN_CA: authority.ca, ORIGIN_CERT: client.cert, ORIGIN_KEY: client.key },
});

const send = (way: Way, cluster: ClusterName) => tryWay(gateway.port, way, `/${cluster}/x`);

async function getsThrough(t: Test, way: Way, ...names: ClusterName[]): Promise<void> {
  for (const name of names) t.same(await send(way, name), successOf(way), name);
}

async function isRefused(t: Test, way: Way, ...names: ClusterName[]): Promise<void> {
  for (const name of names) t.same(await send(way, name), [502, 'GW_ERR_UPSTREAM_TLS'], name);
}

for (const way of WAYS) {
  t.test(`${way}: an origin is trusted by the authorities of its cluster alone`, async (t) => {
    await getsThrough(t, way, 'authorityInFile', 'authorityInVariable');
    const seen = origin.requests.length;
    await isRefused(t, way, 'noAuthority', 'wrongAuthority', 'garbageAuthority', 'missingAuthority');
    t.equal(origin.requests.length, seen);
  });

  t.test(`${way}: serverName is what is asked for and verified`, async (t) => {
    await getsThrough(t, way, 'serverName');
    t.equal(origin.requests.at(-1)?.serverName, 'orders.test');
    await isRefused(t, way, 'wrongServerName', 'noServerName');
  });

  t.test(`${way}: the gateway shows its certificate to an origin that demands one`, async (t) => {
    await getsThrough(t, way, 'clientCertificate', 'clientCertificateInVariables');
    t.equal(demanding.requests.at(-1)?.clientName, 'gateway');
    const seen = demanding.requests.length;
    // With TLS 1.3 an origin refuses it after the handshake: some hang up without a word.
    for (const name of ['noClientCertificate', 'foreignClientCertificate'] as const)
      t.match(await send(way, name), [502, /^GW_ERR_UPSTREAM_(TLS|RESET)$/], name);
    await isRefused(t, way, 'halvesOfTwoPairs');
    t.equal(demanding.requests.length, seen);
  });

  t.test(`${way}: versions below minVersion, and below TLS 1.2, are refused`, async (t) => {
    await getsThrough(t, way, 'oldOrigin');
    await isRefused(t, way, 'oldOriginRefused', 'olderOrigin');
  });

  t.test(`${way}: insecureSkipVerify takes any certificate`, async (t) => {
    await getsThrough(t, way, 'unverified');
  });

  t.test(`${way}: a handshake that does not come to its end takes connectMs, and no more`, async (t) => {
    t.same(await send(way, 'silent'), [504, 'GW_ERR_UPSTREAM_CONNECT_TIMEOUT']);
  });
}

t.test('a WebSocket over TLS passes both ways', async (t) => {
  const socket = await openWebSocket(t, gateway.port, '/clientCertificate/ws');
  t.equal(await echo(socket, 'over TLS'), 'over TLS');
});

t.test('requests share a TLS connection', async (t) => {
  for (const name of ['authorityInFile', 'serverName', 'unverified'] as const) {
    const client = await connect(gateway.port, { owner: t });
    await send('a plain request', name);
    const before = origin.handshakes;
    for (let count = 0; count < 3; count += 1) {
      client.send(formatRequest('GET', `/${name}/`));
      t.equal((await client.readResponse()).status, 200);
    }
    t.equal(origin.handshakes, before, name);
  }
});

t.test('the log says why, and which file or variable it is', async (t) => {
  const details = gateway.logs
    .filter(({ msg }) => msg === 'origin failed')
    .map(({ cluster, detail }) => `${cluster}: ${detail}`);
  for (const line of [
    /^noAuthority: .*(UNABLE_TO_|SELF_SIGNED)/,
    /^garbageAuthority: .*there is no usable file:.*garbage\.pem/,
    /^missingAuthority: .*there is no usable env:NO_SUCH_VARIABLE/,
    /^halvesOfTwoPairs: .*there is no usable file:/,
    /^wrongServerName: .*ALTNAME/,
  ]) {
    t.ok(
      details.some((detail) => line.test(detail)),
      String(line),
    );
  }
  const problems = gateway.logs.flatMap(({ problems }) => (problems ?? []) as string[]);
  for (const line of [
    /^file:.*garbage\.pem: cannot be used: there is no certificate in it/,
    /^env:NO_SUCH_VARIABLE: the variable is not set/,
    /^file:.*: cannot be used with file:.*: the key is not that of the certificate/,
  ]) {
    t.ok(
      problems.some((problem) => line.test(problem)),
      String(line),
    );
  }
  t.notMatch(JSON.stringify(gateway.logs), 'PRIVATE KEY');
});

t.test('insecureSkipVerify is warned of when it is applied, once for each cluster', async (t) => {
  const warnings = () =>
    gateway.logs.filter(({ msg }) => String(msg).includes('insecureSkipVerify')).map((line) => line.clusters);
  t.same(warnings(), [['unverified']]);
  const insecure = { ...clusters.noAuthority, tls: { insecureSkipVerify: true } };
  await gateway.applyConfig(document({ noAuthority: insecure }));
  t.same(warnings(), [['unverified'], ['noAuthority']]);
  t.same(await send('a plain request', 'noAuthority'), [200], 'from then on');
  await gateway.applyConfig(document({ noAuthority: { ...insecure, retry: { attempts: 2 } } }));
  await gateway.applyConfig(document());
  t.equal(warnings().length, 2);
  t.same(await send('a plain request', 'noAuthority'), [502, 'GW_ERR_UPSTREAM_TLS'], 'and from then on not');
  await gateway.applyConfig(document({ noAuthority: insecure }));
  t.same(warnings(), [['unverified'], ['noAuthority'], ['noAuthority']]);
});
