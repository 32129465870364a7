/** Link-local and metadata addresses are not connected to, whatever leads there (CWE-918). */
import http from 'node:http';
import type { LookupFunction } from 'node:net';
import t, { type Test } from 'tap';
import { Materials } from '../../lib/auth/materials.ts';
import type { Cluster } from '../../lib/core/config/model.ts';
import { AddressSet } from '../../lib/core/policy/address-ranges.ts';
import { createGuardedLookup } from '../../lib/net/guarded-lookup.ts';
import { connectionSettingsOf, ProxiedDestination } from '../../lib/proxy/destination.ts';
import { createOriginAgent } from '../../lib/proxy/origin-agent.ts';
import { OriginTls } from '../../lib/proxy/tls/origin-tls.ts';
import type { UpstreamFailure, UpstreamHandler, UpstreamRequest } from '../../lib/proxy/upstream.ts';
import { startGateway } from '../helpers/gateway-process.ts';
import { startOrigin } from '../helpers/scripted-origin.ts';
import { successOf, tryWay, WAYS, type Way } from './secure-origin.ts';
import { startEchoOrigin } from './websocket-peers.ts';

const FORBIDDEN_URLS = {
  metadata: 'http://169.254.169.254',
  metadataByTls: 'https://169.254.169.254',
  linkLocal: 'http://[fe90::1]:8080',
  mapped: 'http://[::ffff:169.254.169.254]',
  mappedInHex: 'http://[::ffff:a9fe:a9fe]',
  translated: 'http://[64:ff9b::169.254.169.254]',
  uniqueLocal: 'http://[fd00:ec2::254]',
} as const;

const clusterOf = (...urls: string[]): Cluster => ({
  destinations: Object.fromEntries(urls.map((url, index) => [`d${index}`, { url }])),
});
const origin = await startOrigin((_, connection) => connection.answer({ body: 'ok' }), { owner: t });
const clusters: Record<string, Cluster> = {
  ...Object.fromEntries(Object.entries(FORBIDDEN_URLS).map(([id, url]) => [id, clusterOf(url)])),
  mixed: clusterOf(FORBIDDEN_URLS.metadata, origin.url),
  // Without a zone it leads nowhere, which some systems see at once: what counts is that it is tried.
  allowed: { ...clusterOf('http://[fe80::1]:9'), timeouts: { connectMs: 300 } },
};
const routes = Object.keys(clusters).map((id) => [id, { match: { path: `/${id}` }, cluster: id }]);
const gateway = await startGateway(t, {
  config: { clusters, routes: Object.fromEntries(routes) },
  flags: ['--allow-addresses', 'fe80::/64'],
});

for (const way of WAYS) {
  t.test(`${way}: such a destination gets nothing, the client an error without a reason`, async (t) => {
    for (const [id, url] of Object.entries(FORBIDDEN_URLS))
      t.same(await tryWay(gateway.port, way, `/${id}`), [502, 'GW_ERR_UPSTREAM_FORBIDDEN'], url);
    const failed = await gateway.waitForLog(({ msg }) => msg === 'origin failed');
    t.match(failed.detail, /169\.254\.169\.254 is not connected to.*--allow-addresses/);
  });

  t.test(`${way}: what --allow-addresses names is connected to`, async (t) => {
    const [, code] = await tryWay(gateway.port, way, '/allowed');
    t.match(code, /^GW_ERR_UPSTREAM_CONNECT(_TIMEOUT)?$/);
  });
}

t.test('a destination beside it in the cluster takes the requests', async (t) => {
  for (let count = 0; count < 6; count += 1)
    t.same(await tryWay(gateway.port, 'a plain request', '/mixed'), [200]);
});

/** Names, and what they resolve to. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'metadata.test': ['169.254.169.254'],
  'all-bad.test': ['169.254.169.254', 'fe80::1', '::ffff:169.254.169.254'],
  'link-local.test': ['fe80::1'],
  'mixed.test': ['169.254.169.254', 'fe80::1', '127.0.0.1'],
};

/** A destination that is reached through a resolver of the test; `asked` are the names it was asked for. */
function destinationAt(
  url: string,
  asked: string[],
  allowed: readonly string[] = [],
  connectMs = 10_000,
): ProxiedDestination {
  const allowedAddresses = new AddressSet(allowed);
  const lookup: LookupFunction = createGuardedLookup(allowedAddresses, (host, _options, callback) => {
    asked.push(host);
    const found = (NAMES[host] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    process.nextTick(callback, null, found);
  });
  const settings = { ...connectionSettingsOf({ destinations: {} }), connectMs };
  const tls = new OriginTls({}, new Materials(() => {}));
  return new ProxiedDestination('d', { url }, settings, tls, { lookup, allowedAddresses });
}

/** What became of a request: the status, or the code of the failure. */
function send(destination: ProxiedDestination, way: Way): Promise<number | string> {
  if (way === 'a WebSocket') return upgrade(destination);
  const request: UpstreamRequest = {
    method: 'GET',
    target: '/',
    host: 'a.test',
    headers: [],
    body: null,
    expectContinue: way === 'a request with an expectation',
    trailers: null,
    freshConnection: false,
    mayRepeat: true,
  };
  return new Promise((resolve) => {
    const handler: UpstreamHandler = {
      onSent: () => {},
      onContinue: () => {},
      onInformation: () => {},
      onHead: (status) => resolve(status),
      onData: () => true,
      onReadEnd: () => {},
      onEnd: () => {},
      onFailure: ({ error }: UpstreamFailure) => resolve(error.code),
    };
    destination.upstreamFor(request).dispatch(request, handler);
  });
}

function upgrade({ access, settings }: ProxiedDestination): Promise<number | string> {
  const headers = {
    connection: 'upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  };
  return new Promise((resolve) => {
    const request = http.request({
      agent: createOriginAgent(access, 1),
      headers,
      signal: AbortSignal.timeout(settings.connectMs),
    });
    request.once('upgrade', ({ statusCode = 0 }, socket) => {
      socket.destroy();
      resolve(statusCode);
    });
    request.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    request.end();
  });
}

function forbiddenBy(way: Way): string {
  return way === 'a WebSocket' ? 'ERR_ADDRESS_NOT_ALLOWED' : 'GW_ERR_UPSTREAM_FORBIDDEN';
}

async function use(t: Test, destination: ProxiedDestination, way: Way): Promise<number | string> {
  t.teardown(() => destination.destroy());
  return send(destination, way);
}

for (const way of WAYS) {
  t.test(`${way}: a name that resolves to such addresses is not connected to`, async (t) => {
    for (const name of ['metadata.test', 'all-bad.test']) {
      for (const scheme of ['http', 'https']) {
        if (way === 'a WebSocket' && scheme === 'https') continue;
        const asked: string[] = [];
        const url = `${scheme}://${name}:9`;
        t.equal(await use(t, destinationAt(url, asked), way), forbiddenBy(way), url);
        t.same(asked, [name], 'nobody asks a second time');
      }
    }
  });

  t.test(`${way}: of the addresses of a name only those are used that may be`, async (t) => {
    const { url } = await startEchoOrigin(t);
    const asked: string[] = [];
    const destination = destinationAt(`http://mixed.test:${new URL(url).port}`, asked);
    // The echo server knows nothing but upgrades.
    t.equal(await use(t, destination, way), way === 'a WebSocket' ? successOf(way)[0] : 426);
    t.same(asked, ['mixed.test']);
  });

  t.test(`${way}: a name that resolves to an allowed address is connected to`, async (t) => {
    const destination = destinationAt('http://link-local.test:9', [], ['fe80::/64'], 300);
    t.match(
      await use(t, destination, way),
      way === 'a WebSocket' ? /^(E[A-Z]+|ABORT_ERR)$/ : /^GW_ERR_UPSTREAM_CONNECT(_TIMEOUT)?$/,
    );
  });
}
