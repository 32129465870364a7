/** Random configurations, changes and requests from small alphabets, so that they meet often. */
import fc from 'fast-check';
import type {
  Certificate,
  Cluster,
  Configuration,
  Consumer,
  Issuer,
  Kind,
  Route,
  RouteAuth,
} from '../../../lib/core/config/model.ts';

const HOSTS = ['a.de', 'b.a.de', 'c.b.a.de', '*.a.de', '*.b.a.de', '*.de', '[::1]'];
const PATHS = [
  '/',
  '/a',
  '/a/',
  '/a/b',
  '/{x}',
  '/{x}/b',
  '/a/{x}',
  '/{x}/{y}',
  '/{**r}',
  '/a/{**r}',
  '/{x}/{**r}',
  '/a/b/{**r}',
];

const predicate = fc.oneof(
  fc.record({
    name: fc.constantFrom('x', 'X', 'y'),
    mode: fc.constantFrom('exact' as const, 'prefix' as const, 'contains' as const),
    values: fc.uniqueArray(fc.constantFrom('1', '12', '2', ''), { minLength: 1, maxLength: 2 }),
  }),
  fc.record({
    name: fc.constantFrom('x', 'X', 'y'),
    mode: fc.constantFrom('exists' as const, 'notExists' as const),
  }),
);

export const arbitraryRoute: fc.Arbitrary<Route> = fc.record(
  {
    match: fc.record(
      {
        hosts: fc.uniqueArray(fc.constantFrom(...HOSTS), { minLength: 1, maxLength: 3 }),
        path: fc.constantFrom(...PATHS),
        methods: fc.uniqueArray(fc.constantFrom('GET', 'PUT'), { minLength: 1 }),
        headers: fc.array(predicate, { minLength: 1, maxLength: 2 }),
        query: fc.array(predicate, { minLength: 1, maxLength: 1 }),
      },
      { requiredKeys: [] },
    ),
    cluster: fc.constantFrom('one', 'two'),
    order: fc.constantFrom(0, 0, 0, 1, 2),
    limits: fc.record({ maxBodyBytes: fc.nat(3) }),
  },
  { requiredKeys: ['match', 'cluster'] },
);

export const arbitraryRoutes: fc.Arbitrary<ReadonlyMap<string, Route>> = fc
  .dictionary(fc.constantFrom(...'abcdefghijklmnop'), arbitraryRoute, { maxKeys: 12, minKeys: 2 })
  .map((routes) => new Map(Object.entries(routes)));

const pair = fc.tuple(fc.constantFrom('x', 'y', 'X'), fc.constantFrom('1', '12', '2', '31', ''));

export const arbitraryRequest = fc.record({
  host: fc.constantFrom('a.de', 'b.a.de', 'c.b.a.de', 'd.c.b.a.de', 'z.de', 'z', '[::1]'),
  path: fc.constantFrom('/', '/a', '/a/', '/b', '/a/b', '/b/b', '/a/c', '/a/b/', '/a/b/c', '/c/d/e'),
  method: fc.constantFrom('GET', 'PUT', 'POST'),
  query: fc
    .array(pair, { maxLength: 2 })
    .map((pairs) => pairs.map(([name, value]) => `${name}=${value}`).join('&')),
  rawHeaders: fc.array(pair, { maxLength: 2 }).map((pairs) => pairs.flat()),
});

const arbitraryCluster: fc.Arbitrary<Cluster> = fc.record({
  destinations: fc.dictionary(
    fc.constantFrom('d', 'e'),
    fc.record({ url: fc.constantFrom('http://h', 'http://i:81') }),
  ),
});

const arbitraryIssuer: fc.Arbitrary<Issuer> = fc.record(
  {
    issuer: fc.constantFrom('https://idp.example.com/', 'https://other.example.com/'),
    audience: fc.constantFrom(['orders'], ['orders', 'bills']),
    algorithms: fc.constantFrom(['RS256' as const], ['ES256' as const, 'EdDSA' as const]),
    jwksUrl: fc.constantFrom('https://idp.example.com/jwks', 'http://idp.example.com/jwks'),
    clockToleranceSec: fc.nat(60),
    claimHeaders: fc.constantFrom({}, { 'x-user-id': 'sub' }),
  },
  { requiredKeys: ['issuer', 'audience', 'algorithms', 'jwksUrl'] },
);

const arbitraryConsumer: fc.Arbitrary<Consumer> = fc.record(
  {
    apiKeys: fc.constantFrom([{ hash: `sha256:${'0'.repeat(64)}` }], [{ hash: `sha256:${'1'.repeat(64)}` }]),
    scopes: fc.subarray(['read', 'write']),
    roles: fc.subarray(['admin']),
  },
  { requiredKeys: [] },
);

const arbitraryCertificate: fc.Arbitrary<Certificate> = fc.record(
  {
    certFile: fc.constantFrom('/tls/a.pem', '/tls/b.pem'),
    keyEnv: fc.constantFrom('TLS_KEY', 'OTHER_KEY'),
    minVersion: fc.constantFrom('TLSv1.2' as const, 'TLSv1.3' as const),
  },
  { requiredKeys: ['certFile', 'keyEnv'] },
);

const CLUSTER_IDS = ['one', 'two', 'three'];
const ISSUER_IDS = ['main', 'side', 'one'];
const CONSUMER_IDS = ['shop', 'bot', 'valueOf'];
const CERTIFICATE_IDS = ['default', 'api.example.com', '*.example.com'];

const entriesOf = <T>(ids: readonly string[], value: fc.Arbitrary<T>): fc.Arbitrary<ReadonlyMap<string, T>> =>
  fc.dictionary(fc.constantFrom(...ids), value).map((entries) => new Map(Object.entries(entries)));

/** Of every kind some entries. The routes may name what is not there. */
export const arbitraryConfiguration: fc.Arbitrary<Configuration> = fc
  .record({
    clusters: entriesOf([...CLUSTER_IDS, 'toString'], arbitraryCluster),
    issuers: entriesOf(ISSUER_IDS, arbitraryIssuer),
    consumers: entriesOf(CONSUMER_IDS, arbitraryConsumer),
    certificates: entriesOf(CERTIFICATE_IDS, arbitraryCertificate),
    routes: arbitraryRoutes,
  })
  // Plain objects all through, as they are in life.
  .map((configuration) => structuredClone(configuration));
const ROUTE_IDS = [...'abcdefgh', 'one', 'toString'];

/** Values that no entry may have: of another form, against a rule, with a cluster that is never there. */
const arbitraryBadCluster = fc.constantFrom<unknown>(
  null,
  {},
  { destinations: { d: { url: 'ftp://h' } } },
  { destinations: {}, extra: 1 },
  { destinations: { prototype: { url: 'http://h' } } },
  { destinations: new Map() },
);
const arbitraryBadRoute = fc.constantFrom<unknown>(
  7,
  { match: {} },
  { match: { path: 'x' }, cluster: 'one' },
  { match: { hosts: ['a b'] }, cluster: 'one' },
  { match: {}, cluster: 'never' },
  { match: new Date(0), cluster: 'one' },
  { match: {}, cluster: 'one', order: undefined },
  { match: {}, cluster: 'one', auth: {} },
  { match: {}, cluster: 'one', auth: { issuers: ['never'] } },
  { match: {}, cluster: 'one', clientAddresses: { allow: ['nowhere'] } },
);
const arbitraryBadIssuer = fc.constantFrom<unknown>(
  {},
  { issuer: 'i', audience: ['a'], algorithms: ['none'], jwksUrl: 'https://h' },
  { issuer: 'i', audience: ['a'], algorithms: ['HS256'], jwksUrl: 'https://h' },
  { issuer: 'i', audience: ['a'], algorithms: ['RS256'] },
);
const arbitraryBadConsumer = fc.constantFrom<unknown>([], { apiKeys: [{ hash: 'plain' }] }, { apiKeys: [] });
const arbitraryBadCertificate = fc.constantFrom<unknown>({}, { certFile: 'a', certEnv: 'A', keyEnv: 'B' });

/** An operation of good form, whose value is bad now and then. */
export interface ArbitraryOperation {
  readonly op: 'put' | 'delete';
  readonly kind: Kind;
  readonly id: string;
  readonly value?: unknown;
}

const clusterId = fc.constantFrom(...CLUSTER_IDS);
const routeId = fc.constantFrom(...ROUTE_IDS);

const arbitraryAuth: fc.Arbitrary<RouteAuth> = fc.oneof(
  fc.record({ issuers: fc.uniqueArray(fc.constantFrom(...ISSUER_IDS), { minLength: 1, maxLength: 2 }) }),
  fc.record({
    apiKey: fc.constant({}),
    consumers: fc.array(fc.constantFrom(...CONSUMER_IDS), { minLength: 1, maxLength: 2 }),
  }),
  fc.constant<RouteAuth>({ basic: {}, issuers: ['main'], consumers: ['shop'] }),
);

/** Routes that a history keeps: few enough hosts and predicates for twins and routes that never win. */
const arbitraryPlainRoute: fc.Arbitrary<Route> = fc.record(
  {
    match: fc.record(
      {
        hosts: fc.uniqueArray(fc.constantFrom('a.de', 'b.a.de', '*.a.de'), { minLength: 1, maxLength: 2 }),
        path: fc.constantFrom(...PATHS),
        methods: fc.constantFrom(['GET'], ['GET', 'PUT']),
      },
      { requiredKeys: [] },
    ),
    cluster: clusterId,
    order: fc.integer({ min: -2, max: 2 }),
    allowEncodedSlash: fc.boolean(),
    auth: arbitraryAuth,
  },
  { requiredKeys: ['match', 'cluster'] },
);

const arbitraryPut = (kind: Kind, id: fc.Arbitrary<string>, value: fc.Arbitrary<unknown>) =>
  fc.record({ op: fc.constant('put' as const), kind: fc.constant(kind), id, value });
const arbitraryDelete = (kind: Kind, id: fc.Arbitrary<string>) =>
  fc.record({ op: fc.constant('delete' as const), kind: fc.constant(kind), id });

const issuerId = fc.constantFrom(...ISSUER_IDS);
const consumerId = fc.constantFrom(...CONSUMER_IDS);
const certificateId = fc.constantFrom(...CERTIFICATE_IDS);

export const arbitraryOperation: fc.Arbitrary<ArbitraryOperation> = fc.oneof(
  { weight: 16, arbitrary: arbitraryPut('route', routeId, fc.oneof(arbitraryPlainRoute, arbitraryRoute)) },
  { weight: 6, arbitrary: arbitraryPut('cluster', clusterId, arbitraryCluster) },
  { weight: 4, arbitrary: arbitraryPut('issuer', issuerId, arbitraryIssuer) },
  { weight: 4, arbitrary: arbitraryPut('consumer', consumerId, arbitraryConsumer) },
  { weight: 2, arbitrary: arbitraryPut('certificate', certificateId, arbitraryCertificate) },
  { weight: 4, arbitrary: arbitraryDelete('route', routeId) },
  { weight: 2, arbitrary: arbitraryDelete('cluster', clusterId) },
  { weight: 1, arbitrary: arbitraryDelete('issuer', issuerId) },
  { weight: 1, arbitrary: arbitraryDelete('consumer', consumerId) },
  { weight: 1, arbitrary: arbitraryDelete('certificate', certificateId) },
  {
    weight: 2,
    arbitrary: fc.oneof(
      arbitraryPut('route', fc.constant('a'), arbitraryBadRoute),
      arbitraryPut('cluster', fc.constant('one'), arbitraryBadCluster),
      arbitraryPut('issuer', fc.constant('main'), arbitraryBadIssuer),
      arbitraryPut('consumer', fc.constant('shop'), arbitraryBadConsumer),
      arbitraryPut('certificate', fc.constant('default'), arbitraryBadCertificate),
      arbitraryPut('certificate', fc.constant('*.com'), arbitraryCertificate),
    ),
  },
);

/** Changes to be tried one after the other, each of which may be valid or not. */
export const arbitraryHistory = fc.array(fc.array(arbitraryOperation, { maxLength: 4 }), {
  minLength: 5,
  maxLength: 30,
});
