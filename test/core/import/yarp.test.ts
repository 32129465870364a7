import t from 'tap';
import { validateDocument } from '../../../lib/core/config/validate.ts';
import { findYarpSection, importYarp } from '../../../lib/core/import/yarp.ts';

const DESTINATIONS = { one: { Address: 'http://10.0.0.1:8080/' } };
const TIMEOUTS = { headersMs: 100_000, idleMs: 100_000 };

/** Imports one route beside a plain cluster; the notes come as `pointer: message`. */
function importRoute(route: object) {
  const section = {
    Clusters: { c: { Destinations: DESTINATIONS } },
    Routes: { r: { ClusterId: 'c', Match: { Path: '/a' }, ...route } },
  };
  const { document, notes } = importYarp(section);
  return { route: document.routes?.r, notes: notes.map(({ pointer, message }) => `${pointer}: ${message}`) };
}

function importCluster(cluster: object) {
  const { document, notes } = importYarp({ Clusters: { c: { Destinations: DESTINATIONS, ...cluster } } });
  return {
    cluster: document.clusters?.c,
    notes: notes.map(({ pointer, message }) => `${pointer}: ${message}`),
  };
}

t.test('an ordinary configuration is carried over without a note', async (t) => {
  const { document, notes } = importYarp({
    Routes: {
      catalog: {
        ClusterId: 'Catalog',
        Order: '5',
        MaxRequestBodySize: 1_000,
        AuthorizationPolicy: 'Anonymous',
        Match: {
          Path: '/catalog-service/{**catch-all}',
          Hosts: ['example.com', '*.example.com'],
          Methods: ['get', 'POST'],
          Headers: [
            { Name: 'x-version', Values: ['2'] },
            { Name: 'x-a', Mode: 'notexists' },
          ],
          QueryParameters: [{ Name: 'q', Mode: 'Prefix', Values: ['x'], IsCaseSensitive: true }],
        },
        Transforms: [
          { PathPattern: '{**catch-all}' },
          { RequestHeader: 'x-gateway', Set: 'yarp' },
          { RequestHeaderRemove: 'cookie' },
          { ResponseHeader: 'x-served-by', Append: 'yarp', When: 'Always' },
          { RequestHeaderOriginalHost: 'true' },
          { 'X-Forwarded': 'Set' },
          { RequestHeadersCopy: true },
        ],
      },
    },
    Clusters: {
      catalog: {
        LoadBalancingPolicy: 'RoundRobin',
        HttpRequest: { ActivityTimeout: '00:00:30', Version: '1.1' },
        HealthCheck: { Active: { Enabled: false }, AvailableDestinationsPolicy: 'HealthyOrPanic' },
        Destinations: DESTINATIONS,
      },
    },
  });
  t.same(notes, []);
  t.same(document, {
    clusters: {
      catalog: {
        loadBalancing: { policy: 'roundRobin', panicThresholdPercent: 1 },
        destinations: { one: { url: 'http://10.0.0.1:8080/' } },
        timeouts: { headersMs: 30_000, idleMs: 30_000 },
      },
    },
    routes: {
      catalog: {
        match: {
          hosts: ['example.com', '*.example.com'],
          path: '/catalog-service/{**catch_all}',
          methods: ['GET', 'POST'],
          headers: [
            { name: 'x-version', mode: 'exact', values: ['2'] },
            { name: 'x-a', mode: 'notExists' },
          ],
          query: [{ name: 'q', mode: 'prefix', values: ['x'] }],
        },
        order: 5,
        cluster: 'catalog',
        rewrite: { pattern: '/{**catch_all}' },
        requestHeaders: { set: { 'x-gateway': 'yarp' }, remove: ['cookie'] },
        responseHeaders: { append: { 'x-served-by': 'yarp' } },
        preserveHost: true,
        limits: { maxBodyBytes: 1_000 },
      },
    },
  });
});

t.test('keys count in any letter case, lists may be objects, and scalars may be texts', async (t) => {
  const { document, notes } = importYarp({
    CLUSTERS: {
      c: { destinations: { 0: { ADDRESS: 'http://a' } }, httpclient: { maxconnectionsperserver: '7' } },
    },
    routes: [{ RouteId: 'first', clusterid: 'C', match: { methods: { 0: 'GET', 1: 'PUT' }, hosts: null } }],
  });
  t.match(document.clusters?.c?.pool, { maxConnections: 7 });
  t.same(document.routes, { first: { match: { methods: ['GET', 'PUT'] }, cluster: 'c' } });
  t.match(notes, [
    { pointer: '/CLUSTERS/c/httpclient/maxconnectionsperserver', message: /counts for each worker/ },
  ]);
  const twice = importYarp({ Clusters: {}, clusters: { c: {} } });
  t.match(twice.notes, [{ pointer: '/clusters', message: /is there already, in another letter case/ }]);
});

t.test('what has no counterpart is noted where it stands, and nothing is passed over', async (t) => {
  const { notes } = importRoute({
    AuthorizationPolicy: 'Admins',
    RateLimiterPolicy: 'fixed',
    CorsPolicy: 'Default',
    TimeoutPolicy: 'slow',
    OutputCachePolicy: 'x',
    Timeout: '00:00:30',
    Metadata: { a: 'b' },
    Nonsense: 1,
    Order: 2_147_483_647,
    MaxRequestBodySize: 'x',
    Match: { Path: '/a', Nonsense: true },
  });
  t.match(notes.toSorted(), [
    /^\/Routes\/r\/AuthorizationPolicy: has no counterpart: the route is OPEN now/,
    /^\/Routes\/r\/CorsPolicy: /,
    /^\/Routes\/r\/Match\/Nonsense: has no counterpart: it was left out/,
    /^\/Routes\/r\/MaxRequestBodySize: "x" is no integer/,
    /^\/Routes\/r\/Metadata: /,
    /^\/Routes\/r\/Nonsense: /,
    /^\/Routes\/r\/Order: is 1000000 now/,
    /^\/Routes\/r\/OutputCachePolicy: /,
    /^\/Routes\/r\/RateLimiterPolicy: /,
    /^\/Routes\/r\/Timeout: /,
    /^\/Routes\/r\/TimeoutPolicy: /,
  ]);
  const harmless = importRoute({
    AuthorizationPolicy: 'anonymous',
    RateLimiterPolicy: 'Disable',
    CorsPolicy: 'disable',
    TimeoutPolicy: 'Default',
    MaxRequestBodySize: -1,
    Metadata: {},
    Transforms: null,
  });
  t.same(harmless, { route: { match: { path: '/a' }, cluster: 'c' }, notes: [] });
});

t.test('a route never takes more than it did', async (t) => {
  const match = (value: object) => importRoute({ Match: { Path: '/a', ...value } });
  const ported = match({ Hosts: ['a.de:8080', 'a.de', '[::1]:80', 'b.de:*'] });
  t.same(ported.route?.match.hosts, ['a.de', '[::1]', 'b.de']);
  t.equal(ported.notes.length, 2);
  t.equal(match({ Hosts: ['a.de', '*'] }).route?.match.hosts, undefined);
  t.match(match({ Hosts: ['*:8080'] }), { route: { match: { hosts: undefined } }, notes: [/8080/] });
  t.same(match({ Hosts: ['ü.de', 'a.de'] }).route?.match.hosts, ['a.de']);
  for (const value of [
    { Hosts: ['ü.de'] },
    { Methods: ['CONNECT'] },
    { Headers: [{ Name: 'x' }] },
    { Headers: [{ Name: 'a b', Values: ['1'] }] },
    { Headers: [{ Name: 'x', Mode: 'Regex', Values: ['1'] }] },
    { Headers: ['x'] },
    { QueryParameters: [{ Values: ['1'] }] },
    { Path: '/{a}-{b}' },
  ]) {
    const { route, notes } = match(value);
    t.equal(route, undefined, JSON.stringify(value));
    t.match(notes.at(-1), '/Routes/r: the route was left out');
    t.ok(notes.length > 1, 'and the reason is told');
  }
  const narrower = match({ Headers: [{ Name: 'x', Mode: 'NotContains', Values: ['1'] }] });
  t.same(narrower.route?.match.headers, [{ name: 'x', mode: 'notExists' }]);
  t.match(narrower.notes, [/^\/Routes\/r\/Match\/Headers\/0\/Mode: there is no NotContains here/]);
  t.match(match({ Path: '/u/{id:int}' }), {
    route: { match: { path: '/u/{id}' } },
    notes: [/^\/Routes\/r\/Match\/Path: the constraint of "\{id:int\}" is gone/],
  });
});

t.test('values that letter case could tell apart are noted', async (t) => {
  const headers = (predicate: object) =>
    importRoute({ Match: { Headers: [{ Name: 'x', ...predicate }] } }).notes;
  t.match(headers({ Values: ['abc'] }), [
    /Headers\/0\/IsCaseSensitive: values are compared case-sensitively/,
  ]);
  t.same(headers({ Values: ['abc'], IsCaseSensitive: 'True' }), []);
  t.same(headers({ Values: ['1.2-3'] }), []);
  t.same(headers({ Mode: 'Exists', Values: ['abc'], IsCaseSensitive: true }), []);
});

t.test('transforms that cannot be carried over are noted, each where it stands', async (t) => {
  const transforms = (...list: readonly object[]) => importRoute({ Transforms: list });
  const { route, notes } = transforms(
    { PathRemovePrefix: '/a' },
    { PathRemovePrefix: '/b' },
    { PathPattern: '/{nothing}' },
    { PathPrefix: '/p' },
    { RequestHeader: 'Transfer-Encoding', Set: 'chunked' },
    { RequestHeader: 'x-empty', Set: '' },
    { RequestHeader: 'x' },
    { RequestHeaderRouteValue: 'x', Set: 'id' },
    { ResponseHeader: 'x-a', Set: '1' },
    { ResponseHeader: 'x-b', Set: '1', When: 'Failure' },
    { ResponseHeaderRemove: 'server', When: 'Always' },
    { 'X-Forwarded': 'Append', HeaderPrefix: 'X-F-' },
    { RequestHeadersCopy: 'false' },
    { QueryValueParameter: 'q', Set: '1' },
    { HttpMethodChange: 'GET', Set: 'POST' },
  );
  t.match(route, {
    rewrite: { removePrefix: '/a', addPrefix: '/p' },
    requestHeaders: { remove: ['x-empty'] },
    responseHeaders: { set: { 'x-a': '1' }, remove: ['server'] },
  });
  const places = notes.map((note) => note.split(':', 1)[0]?.replace('/Routes/r/Transforms/', ''));
  t.same(places, [
    '1/PathRemovePrefix',
    '2/PathPattern',
    '4/RequestHeader',
    '6/RequestHeader',
    '7/RequestHeaderRouteValue',
    '7/Set',
    '8/When',
    '9/When',
    '11/X-Forwarded',
    '12/RequestHeadersCopy',
    '13/QueryValueParameter',
    '13/Set',
    '14/HttpMethodChange',
    '14/Set',
  ]);
});

t.test('a pattern can use the path of a route for any path', async (t) => {
  const { route, notes } = importRoute({
    Match: { Hosts: ['a.de'] },
    Transforms: [{ PathPattern: '/v2/{**catchall}' }],
  });
  t.same(notes, []);
  t.match(route, { match: { path: '/{**catchall}' }, rewrite: { pattern: '/v2/{**catchall}' } });
});

t.test('settings of clusters', async (t) => {
  t.same(importCluster({}), {
    cluster: { destinations: { one: { url: 'http://10.0.0.1:8080/' } }, timeouts: TIMEOUTS },
    notes: [],
  });
  for (const [theirs, ours] of [
    ['PowerOfTwoChoices', 'powerOfTwoChoices'],
    ['leastrequests', 'leastRequests'],
    ['Random', 'random'],
  ]) {
    t.match(importCluster({ LoadBalancingPolicy: theirs }), {
      cluster: { loadBalancing: { policy: ours } },
      notes: [],
    });
  }
  const { cluster, notes } = importCluster({
    LoadBalancingPolicy: 'FirstAlphabetical',
    SessionAffinity: { Enabled: true, AffinityKeyName: 'k' },
    HealthCheck: { Active: { Enabled: 'true', Interval: '00:00:10' }, Passive: { Enabled: true } },
    HttpClient: {
      DangerousAcceptAnyServerCertificate: true,
      MaxConnectionsPerServer: 100_000,
      WebProxy: { Address: 'x' },
    },
    HttpRequest: { ActivityTimeout: '2.00:00:00', Version: '2', VersionPolicy: 'RequestVersionExact' },
    Destinations: {
      ...DESTINATIONS,
      'c/two': { Address: 'https://two.example', Health: 'http://two:1', Host: 'two' },
      bad: { Address: 'http://user:secret@three' },
      none: {},
    },
  });
  t.same(cluster, {
    destinations: { one: { url: 'http://10.0.0.1:8080/' }, 'c-two': { url: 'https://two.example' } },
    timeouts: { headersMs: 86_400_000, idleMs: 86_400_000 },
    pool: { maxConnections: 65_535 },
  });
  t.match(notes.toSorted(), [
    /^\/Clusters\/c\/Destinations\/bad\/Address: the destination was left out: its address has user information/,
    /^\/Clusters\/c\/Destinations\/c~1two\/Health: /,
    /^\/Clusters\/c\/Destinations\/c~1two\/Host: /,
    /^\/Clusters\/c\/Destinations\/c~1two: the id is "c-two" now/,
    /^\/Clusters\/c\/Destinations\/none\/Address: /,
    /^\/Clusters\/c\/HealthCheck\/Active: .*set up the check in the console/,
    /^\/Clusters\/c\/HealthCheck\/Passive: /,
    /^\/Clusters\/c\/HttpClient\/DangerousAcceptAnyServerCertificate: /,
    /^\/Clusters\/c\/HttpClient\/MaxConnectionsPerServer: is 65535 now, and counts for each worker/,
    /^\/Clusters\/c\/HttpClient\/WebProxy: has no counterpart/,
    /^\/Clusters\/c\/HttpRequest\/ActivityTimeout: is a day now/,
    /^\/Clusters\/c\/HttpRequest\/Version: /,
    /^\/Clusters\/c\/LoadBalancingPolicy: "FirstAlphabetical" has no counterpart/,
    /^\/Clusters\/c\/SessionAffinity: the gateway sets no cookie/,
  ]);
  t.notOk(notes.join().includes('secret'));
});

t.test('ids that do not fit are changed, and routes follow', async (t) => {
  const { document, notes } = importYarp({
    Clusters: { 'my cluster': { Destinations: DESTINATIONS }, 'my-cluster': { Destinations: DESTINATIONS } },
    Routes: { constructor: { ClusterId: 'My Cluster', Match: { Path: '/' } } },
  });
  t.same(Object.keys(document.clusters ?? {}), ['my-cluster-2', 'my-cluster']);
  t.match(document.routes, { 'route-constructor': { cluster: 'my-cluster-2' } });
  t.match(notes, [
    { pointer: '/Clusters/my cluster', message: /the id "my cluster" is "my-cluster-2" now/ },
    { pointer: '/Routes/constructor', message: /the id "constructor" is "route-constructor" now/ },
  ]);
});

t.test('of routes that cannot be told apart one is left, and the note names it', async (t) => {
  const { document, notes } = importYarp({
    Clusters: { c: { Destinations: DESTINATIONS } },
    Routes: {
      numbers: { ClusterId: 'c', Match: { Path: '/{id:int}' } },
      words: { ClusterId: 'c', Match: { Path: '/{name}' } },
      lost: { ClusterId: 'gone', Match: { Path: '/lost' } },
      nowhere: { Match: { Path: '/nowhere' } },
    },
  });
  t.same(Object.keys(document.routes ?? {}), ['numbers']);
  t.match(
    notes.map(({ pointer, message }) => `${pointer} ${message}`),
    [
      /^\/Routes\/numbers\/Match\/Path the constraint/,
      /^\/Routes\/lost\/ClusterId names no cluster/,
      /^\/Routes\/lost the route was left out/,
      /^\/Routes\/nowhere\/ClusterId names no cluster/,
      /^\/Routes\/nowhere the route was left out/,
      /^\/Routes\/words the route was left out: match: route "words" cannot be told apart from route "numbers"/,
    ],
  );
  t.same(validateDocument(document).problems, []);
});

t.test('the section is found by its name, by itself, or by what is in it', async (t) => {
  const section = { Routes: {}, Clusters: {} };
  t.same(findYarpSection({ Logging: {}, reverseproxy: section }), { section, pointer: '/reverseproxy' });
  t.same(findYarpSection(section), { section, pointer: '' });
  t.same(findYarpSection({ Logging: { Routes: 1 }, ReverseProxy: section }), {
    section,
    pointer: '/ReverseProxy',
  });
  t.same(findYarpSection({ 'Yarp/1': section }), { section, pointer: '/Yarp~11' });
  for (const settings of [null, 'x', [], {}, { ReverseProxy: 1 }, { Logging: {} }]) {
    t.equal(findYarpSection(settings), null, JSON.stringify(settings));
  }
});
