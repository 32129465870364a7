/** Who a client is: origins are told what was verified, and never what a client says of itself. */
import t from 'tap';
import type { HeaderField } from '../../helpers/http-message.ts';
import { formatRequest } from '../../helpers/raw-client.ts';
import { type ProxiedOrigin, startProxiedOrigin } from '../proxied-origin.ts';
import { createAuthority } from '../tls/test-authority.ts';
import { ACCEPT_FIELDS, formatUpgrade } from '../websocket-peers.ts';
import { API_KEY, bearer, ISSUER, makeShop } from './trusted-parties.ts';

/** Requests over both of the ways to an origin: HTTP, and the upgrade to a WebSocket. */
const WAYS = { HTTP: formatRequest.bind(null, 'GET'), WebSocket: formatUpgrade } as const;

const authority = await createAuthority(t);
const { certFile, keyFile } = await authority.issue({ names: ['mutual.example'] });
const proxy = await startProxiedOrigin(t, {
  flags: ['--trusted-proxies', '127.0.0.2'],
  issuers: { main: ISSUER },
  consumers: { shop: await makeShop() },
  certificates: {
    'mutual.example': {
      certFile,
      keyFile,
      clientCertificate: {
        mode: 'optional',
        caFile: authority.caFile,
        headers: { 'x-client-name': 'subject' },
      },
    },
  },
  routes: {
    open: { match: { path: '/open' } },
    guarded: { match: { path: '/guarded' }, auth: { issuers: ['main'], apiKey: {} } },
    transformed: {
      match: { path: '/transformed' },
      auth: { issuers: ['main'] },
      requestHeaders: {
        set: { 'x-user-id': 'set', X_User_Id: 'set' },
        append: { 'X-Tenant-Id': 'appended', 'x-other': 'kept' },
      },
    },
    removing: {
      match: { path: '/removing' },
      auth: { issuers: ['main'] },
      requestHeaders: { remove: ['x-user-id'] },
    },
  },
});

/** The fields that got to the origin and tell of the client, whatever their spelling. */
async function toldOf(
  to: ProxiedOrigin,
  text: string,
  localAddress = '127.0.0.1',
): Promise<Record<string, readonly string[]>> {
  const { received } = await to.exchange(
    text,
    (request, connection) => {
      if (request.header('upgrade') === undefined) return connection.answer();
      connection.inform(101, ACCEPT_FIELDS);
      connection.close();
    },
    { localAddress },
  );
  const told: Record<string, string[]> = {};
  for (const [name, value] of received.headers) {
    if (!/^x.(user|tenant|client|consumer).(id|name)$/i.test(name)) continue;
    told[name] ??= [];
    told[name]?.push(value);
  }
  return told;
}

const SPELLINGS = ['x-user-id', 'X-USER-ID', 'X_User_Id', 'x_user-id', 'X.User.Id', 'x-User_id'];
const OTHERS = [
  'X-Tenant-Id',
  'x_tenant_id',
  'x-consumer-id',
  'X_Consumer_Id',
  'X.Consumer-Id',
  'X-Client-Name',
  'x_client_name',
];
const FORGED: readonly HeaderField[] = [...SPELLINGS, ...OTHERS].map((name) => [name, 'forged']);

t.test('what a client says of itself gets to no origin, on any route, from anybody', async (t) => {
  for (const [way, format] of Object.entries(WAYS)) {
    for (const address of ['127.0.0.1', '127.0.0.2'])
      t.same(await toldOf(proxy, format('/open', FORGED), address), {}, `${way} from ${address}`);
  }
});

t.test('the verified claims do, and nothing beside them', async (t) => {
  const authorization: HeaderField = ['Authorization', bearer({ tenant: { id: 7 } })];
  for (const [way, format] of Object.entries(WAYS)) {
    const told = await toldOf(proxy, format('/guarded', [...FORGED, authorization, ...FORGED]));
    t.same(told, { 'x-user-id': ['alice'], 'x-tenant-id': ['7'] }, way);
    const key: HeaderField = ['X-Api-Key', API_KEY];
    t.same(await toldOf(proxy, format('/guarded', [...FORGED, key])), { 'x-consumer-id': ['shop'] }, way);
  }
});

t.test('a claim that is not there leaves no room for what the client says', async (t) => {
  const fields: HeaderField[] = [...FORGED, ['Authorization', bearer({ sub: undefined })]];
  t.same(await toldOf(proxy, formatRequest('GET', '/guarded', fields)), {});
});

t.test('naming them in Connection takes away nothing that was verified', async (t) => {
  const connection: HeaderField = [
    'Connection',
    'x-user-id, X-Tenant-Id, x-consumer-id, authorization, close',
  ];
  const fields: HeaderField[] = [...FORGED, connection, ['Authorization', bearer({ tenant: { id: 'a' } })]];
  t.same(await toldOf(proxy, formatRequest('GET', '/guarded', fields)), {
    'x-user-id': ['alice'],
    'x-tenant-id': ['a'],
  });
});

t.test('they come in no trailer', async (t) => {
  const chunked: HeaderField[] = [
    ['Transfer-Encoding', 'chunked'],
    ['Trailer', 'x-user-id, x-checksum'],
    ['TE', 'trailers'],
  ];
  const trailers = [...FORGED, ['Authorization', 'forged'], ['X-Checksum', 'abc']].map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  for (const [path, extra] of [
    ['/open', []],
    ['/guarded', [['Authorization', bearer()]]],
  ] as [string, HeaderField[]][]) {
    const head = formatRequest('POST', path, [...chunked, ...extra]);
    const { received } = await proxy.exchange(
      `${head}1\r\na\r\n0\r\n${trailers.join('')}\r\n`,
      async (request, connection) => {
        await request.ended;
        connection.answer();
      },
    );
    t.same(received.trailers, [['X-Checksum', 'abc']]);
  }
});

t.test('a header transform cannot stand in for what was verified, nor take it away', async (t) => {
  const fields: HeaderField[] = [['Authorization', bearer({ tenant: { id: 'acme' } })]];
  const told = await toldOf(proxy, formatRequest('GET', '/transformed', fields));
  t.same([told['x-user-id'], told['x-tenant-id']], [['alice'], ['acme']]);
  t.same(told['X-Tenant-Id'], undefined);
  t.same((await toldOf(proxy, formatRequest('GET', '/removing', fields)))['x-user-id'], ['alice']);
});

t.test(
  'a name that an issuer gives later is withheld from then on, and passes when the issuer is gone',
  async (t) => {
    const other = await startProxiedOrigin(t, { issuers: { main: { ...ISSUER, claimHeaders: {} } } });
    const forged = () => toldOf(other, formatRequest('GET', '/', FORGED));
    t.same(Object.keys(await forged()).length, SPELLINGS.length + 4, 'only those of consumers are withheld');
    const cluster = { destinations: { only: { url: other.origin.url } } };
    const config = { clusters: { main: cluster }, routes: { all: { match: {}, cluster: 'main' } } };
    await other.gateway.applyConfig({ ...config, issuers: { main: ISSUER } });
    t.same(Object.keys(await forged()), ['X-Client-Name', 'x_client_name']);
    await other.gateway.applyConfig(config);
    t.equal(Object.keys(await forged()).length, SPELLINGS.length + 4);
  },
);
