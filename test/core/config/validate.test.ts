import fc from 'fast-check';
import t from 'tap';
import { documentOf } from '../../../lib/core/config/document.ts';
import { MAX_PROBLEMS } from '../../../lib/core/config/problem-list.ts';
import { validateDocument } from '../../../lib/core/config/validate.ts';
import { readCpuMs } from '../../helpers/event-loop-block.ts';
import { arbitraryRoutes } from './arbitrary-configuration.ts';
import { documentWith, pointersOf } from './findings.ts';

const FULL_DOCUMENT = {
  clusters: {
    orders: {
      loadBalancing: {
        policy: 'consistentHash',
        hash: { source: 'header', name: 'x-user', loadBound: 1.5 },
        panicThresholdPercent: 0,
      },
      destinations: {
        'orders-1': { url: 'http://10.0.0.1:8080', weight: 3 },
        'orders-2': { url: 'https://orders.example.com/base' },
      },
      timeouts: { connectMs: 2000, headersMs: 30_000, idleMs: 60_000 },
      retry: { attempts: 3, on: ['connect', 'reset', 'timeout', 503] },
      pool: { maxConnections: 10, maxQueued: 0, idleMs: 1 },
      tls: {
        caFile: '/etc/gateway/ca.pem',
        certFile: '/etc/gateway/client.pem',
        keyEnv: 'ORIGIN_KEY',
        serverName: 'orders.internal',
        minVersion: 'TLSv1.3',
        insecureSkipVerify: false,
      },
      limits: { maxConcurrent: 100, maxWaiting: 50, maxWaitMs: 500 },
    },
  },
  issuers: {
    main: {
      issuer: 'https://idp.example.com/',
      audience: ['orders'],
      algorithms: ['RS256', 'ES256'],
      jwksUrl: 'https://idp.example.com/jwks',
      clockToleranceSec: 10,
      keyGraceSec: 3600,
      scopeClaim: 'scp',
      roleClaim: 'realm_access.roles',
      claimHeaders: { 'x-user-id': 'sub' },
    },
    legacy: {
      issuer: 'https://idp.example.com/',
      audience: ['orders'],
      algorithms: ['HS256'],
      secretEnv: 'JWT_SECRET',
    },
  },
  consumers: {
    shop: {
      apiKeys: [{ hash: `sha256:${'0a'.repeat(32)}`, note: 'of 2026' }],
      passwords: [{ username: 'shop', hash: `scrypt:15:8:1:${'A'.repeat(22)}:${'B'.repeat(43)}` }],
      scopes: ['orders.read'],
      roles: ['partner'],
    },
  },
  certificates: {
    'api.example.com': {
      certFile: '/etc/gateway/api.pem',
      keyEnv: 'API_KEY_PEM',
      minVersion: 'TLSv1.2',
      clientCertificate: {
        mode: 'optional',
        caFile: '/etc/gateway/ca.pem',
        headers: { 'x-cert': 'subject' },
      },
    },
    '*.example.com': { certEnv: 'CERT_PEM', keyFile: '/etc/gateway/key.pem' },
    default: { certFile: '/etc/gateway/default.pem', keyFile: '/etc/gateway/default-key.pem' },
  },
  routes: {
    'orders-api': {
      match: {
        hosts: ['api.example.com', '*.example.com'],
        path: '/orders/{**rest}',
        methods: ['GET', 'POST'],
        headers: [{ name: 'x-version', values: ['2'] }],
        query: [{ name: 'beta', mode: 'exists' }],
      },
      order: -1,
      cluster: 'orders',
      rewrite: { removePrefix: '/orders' },
      requestHeaders: { set: { 'x-gateway': 'fengling' }, append: {}, remove: ['cookie'] },
      responseHeaders: { remove: ['server'] },
      limits: { maxBodyBytes: 1_048_576, maxConcurrent: 20, maxWaiting: 5, maxWaitMs: 100 },
      auth: {
        issuers: ['main', 'legacy'],
        tokenFrom: { cookie: 'session', query: 'token' },
        apiKey: { header: 'x-api-key', query: 'key' },
        basic: { realm: 'Orders' },
        consumers: ['shop'],
        scopes: ['orders.read'],
        roles: ['partner', 'admin'],
        forwardToken: false,
      },
      clientAddresses: { allow: ['10.0.0.0/8', '2001:db8::/32'], deny: ['10.0.0.7'] },
      cors: {
        origins: ['https://app.example.com', 'https://*.example.com'],
        methods: ['GET', 'POST'],
        headers: ['content-type'],
        exposeHeaders: ['x-total'],
        credentials: true,
        maxAgeSec: 60,
      },
      rateLimits: [
        { name: 'user', requests: 100, perSec: 60, burst: 20, key: { source: 'consumer' } },
        { requests: 10, perSec: 1, key: { source: 'claim', name: 'tenant_id' } },
        { requests: 1000, perSec: 1 },
      ],
      https: {
        redirect: true,
        port: 8443,
        hsts: { maxAgeSec: 31_536_000, includeSubdomains: true, preload: true },
      },
      preserveHost: true,
      allowEncodedSlash: false,
    },
  },
};

t.test('a document with everything in it becomes a configuration of the same values', async (t) => {
  const { configuration, problems, warnings } = validateDocument(FULL_DOCUMENT);
  t.same(problems, []);
  t.same(warnings, []);
  t.equal(configuration?.clusters.get('orders'), FULL_DOCUMENT.clusters.orders);
  t.equal(configuration?.routes.get('orders-api'), FULL_DOCUMENT.routes['orders-api']);
  t.equal(configuration?.issuers.get('legacy'), FULL_DOCUMENT.issuers.legacy);
  t.equal(configuration?.consumers.get('shop'), FULL_DOCUMENT.consumers.shop);
  t.equal(configuration?.certificates.get('*.example.com'), FULL_DOCUMENT.certificates['*.example.com']);
});

t.test('an empty document is an empty configuration', async (t) => {
  for (const document of [{}, { clusters: {}, routes: {} }, Object.create(null)]) {
    const { configuration } = validateDocument(document);
    t.equal(configuration?.clusters.size, 0);
    t.equal(configuration?.routes.size, 0);
  }
});

t.test('what is no object is refused', async (t) => {
  for (const document of [
    null,
    undefined,
    1,
    'x',
    [],
    true,
    new Map(),
    new Date(0),
    1n,
    Symbol('x'),
    () => 1,
  ]) {
    const { configuration, problems } = validateDocument(document);
    t.equal(configuration, null);
    t.equal(problems[0]?.pointer, '');
  }
});

t.test('every problem is reported with its place, those of meaning beside those of form', async (t) => {
  const { configuration, problems } = validateDocument({
    clusters: {
      a: { destinations: { d: { url: 'http://h', weight: 0 } }, retri: {} },
      b: { destinations: { d: { url: 'ftp://h' } } },
      'bad/id': { destinations: { d: { url: 1 } } },
    },
    routes: {
      r: { match: {}, cluster: 'z' },
      s: { match: { path: 7 }, cluster: 'a' },
      t: { cluster: 'a' },
    },
    more: 1,
  });
  t.equal(configuration, null);
  t.same(pointersOf(problems).sort(), [
    '/clusters/a/destinations/d/weight',
    '/clusters/a/retri',
    '/clusters/b/destinations/d/url',
    '/clusters/bad~1id',
    '/clusters/bad~1id/destinations/d/url',
    '/more',
    '/routes/r/cluster',
    '/routes/s/match/path',
    '/routes/t',
  ]);
});

t.test('every section may be empty or missing, but is not null', async (t) => {
  const sections = { issuers: {}, consumers: {}, certificates: {} };
  t.ok(validateDocument(sections).configuration);
  const { problems } = validateDocument({ ...sections, issuers: null, certificates: null });
  t.same(pointersOf(problems).sort(), ['/certificates', '/issuers']);
  t.match(validateDocument({ ...sections, more: {} }).problems, [{ pointer: '/more' }]);
});

t.test('a route that names issuers and consumers needs each of them', async (t) => {
  const auth = { issuers: ['main', 'other'], basic: {}, consumers: ['shop', 'none'] };
  const { problems } = validateDocument({
    ...documentWith({ r: { match: {}, cluster: 'c', auth } }),
    issuers: { main: {} },
    consumers: { shop: {} },
  });
  t.match(
    problems.filter(({ pointer }) => pointer.startsWith('/routes')),
    [
      { pointer: '/routes/r/auth/issuers/1', hint: 'add it under issuers, or name another' },
      { pointer: '/routes/r/auth/consumers/1', hint: 'add it under consumers, or name another' },
    ],
    'one that is there but wrong is not missing',
  );
});

t.test('names that reach a prototype are refused anywhere, once each', async (t) => {
  const destination = '{"url":"http://h"}';
  const documents: [string, string][] = [
    ['{"__proto__":{"clusters":{}}}', '/__proto__'],
    [`{"clusters":{"__proto__":{"destinations":{"d":${destination}}}}}`, '/clusters/__proto__'],
    [`{"clusters":{"constructor":{"destinations":{"d":${destination}}}}}`, '/clusters/constructor'],
    [
      `{"clusters":{"c":{"destinations":{"prototype":${destination}}}}}`,
      '/clusters/c/destinations/prototype',
    ],
    [
      `{"clusters":{"c":{"destinations":{}}},"routes":{"r":{"match":{},"cluster":"c","requestHeaders":{"set":{"__proto__":"x"}}}}}`,
      '/routes/r/requestHeaders/set/__proto__',
    ],
  ];
  for (const [text, pointer] of documents) {
    const { configuration, problems } = validateDocument(JSON.parse(text));
    t.equal(configuration, null);
    t.same(pointersOf(problems), [pointer]);
  }
});

t.test('names that objects inherit are plain ids', async (t) => {
  const cluster = { destinations: { valueOf: { url: 'http://h' } } };
  const { configuration } = validateDocument({ clusters: { toString: cluster } });
  t.equal(configuration?.clusters.get('toString'), cluster);
  const { problems } = validateDocument(documentWith({ r: { match: {}, cluster: 'toString' } }));
  t.same(pointersOf(problems), ['/routes/r/cluster']);
});

t.test('deep nesting is refused without a stack overflow', async (t) => {
  const depth = 100_000;
  const deepList = JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
  let deepObject: unknown = {};
  for (let level = 0; level < depth; level += 1) {
    deepObject = { a: deepObject };
  }
  for (const value of [deepList, deepObject]) {
    const { configuration, problems } = validateDocument({ clusters: value });
    t.equal(configuration, null);
    t.ok(problems.some(({ message }) => message.includes('32 levels')));
  }
});

t.test('a document that contains itself is refused', async (t) => {
  const document: Record<string, unknown> = {};
  document.clusters = document;
  document.routes = document;
  const { configuration, problems } = validateDocument(document);
  t.equal(configuration, null);
  t.ok(problems.length <= MAX_PROBLEMS + 1);
});

t.test('a document that is huge by repetition is refused before its parts are looked at', async (t) => {
  let value: unknown = [];
  for (let level = 0; level < 24; level += 1) {
    value = [value, value];
  }
  const { configuration, problems } = validateDocument({ clusters: value });
  t.equal(configuration, null);
  t.equal(problems.length, 1);
  t.match(problems[0]?.message, /holds more than/);
});

t.test('what JSON cannot hold is refused', async (t) => {
  const values = [undefined, new Date(0), new Map(), 1n, Symbol('x'), () => 1, Number.NaN];
  for (const value of values) {
    const { configuration, problems } = validateDocument(
      documentWith({ r: { match: {}, cluster: 'c', order: value } }),
    );
    t.equal(configuration, null);
    t.ok(pointersOf(problems).every((pointer) => pointer === '/routes/r/order'));
    t.ok(problems.length > 0);
  }
});

t.test('very long names and texts are refused', async (t) => {
  const long = 'x'.repeat(20_000);
  const combining = `/${'\u0301'.repeat(20_000)}`;
  const { problems } = validateDocument({
    [long]: 1,
    ...documentWith({ r: { match: { path: combining }, cluster: 'c' } }),
  });
  t.ok(problems.some(({ message }) => message.includes('the name is longer than')));
  t.ok(problems.some(({ pointer }) => pointer === '/routes/r/match/path'));
  t.ok(problems.every(({ message }) => message.length < 1_000));
});

t.test('the number of problems is bounded, and the last one counts the rest', async (t) => {
  const routes = Object.fromEntries(
    Array.from({ length: 3_000 }, (_, index) => [
      `r${index}`,
      { match: { path: `/${index}` }, cluster: 'none' },
    ]),
  );
  const { problems } = validateDocument({ routes });
  t.equal(problems.length, MAX_PROBLEMS + 1);
  t.same(problems.at(-1), { pointer: '', message: `and ${3_000 - MAX_PROBLEMS} more` });
});

t.test('conflicts between routes are part of validation', async (t) => {
  const route = (path: string, order = 0) => ({ match: { path }, cluster: 'c', order });
  const twins = validateDocument(documentWith({ a: route('/{x}'), b: route('/{y}') }));
  t.same(pointersOf(twins.problems), ['/routes/b/match']);
  const shadowed = validateDocument(documentWith({ a: route('/{**x}'), b: route('/y', 1) }));
  t.ok(shadowed.configuration);
  t.same(pointersOf(shadowed.warnings), ['/routes/b']);
});

t.test('a large document validates in a few seconds', async (t) => {
  const routes: Record<string, unknown> = {};
  for (let index = 0; index < 100_000; index += 1) {
    const hosts = [`h${index % 1_000}.example.com`, '*.example.org'];
    routes[`r${index}`] = {
      match: { hosts, path: `/a/${index}/{id}/{**rest}`, methods: ['GET'] },
      cluster: 'c',
    };
  }
  const startMs = readCpuMs();
  const { configuration, warnings } = validateDocument(documentWith(routes));
  t.equal(configuration?.routes.size, 100_000);
  t.same(warnings, []);
  t.ok(readCpuMs() - startMs < 15_000, 'even on a slow machine');
});

t.test('one host and path with very many routes does not cost the square of their number', async (t) => {
  const routes: Record<string, unknown> = {};
  for (let index = 0; index < 30_000; index += 1) {
    routes[`r${index}`] = { match: { headers: [{ name: 'x', values: [`${index}`] }] }, cluster: 'c' };
  }
  const startMs = readCpuMs();
  t.ok(validateDocument(documentWith(routes)).configuration);
  t.ok(readCpuMs() - startMs < 10_000, 'even on a slow machine');
});

t.test('validation never throws, and is sure about what it accepts', async () => {
  const key = fc.constantFrom(
    'clusters',
    'routes',
    'match',
    'path',
    'hosts',
    'cluster',
    'destinations',
    'url',
    'x',
    '__proto__',
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.anything({ maxDepth: 2 }),
      fc.dictionary(key, tie('tree')),
      fc.array(tie('tree')),
    ),
  }));
  fc.assert(
    fc.property(tree, (document) => {
      const { configuration, problems } = validateDocument(document);
      return (configuration === null) === problems.length > 0;
    }),
    { numRuns: 300 },
  );
});

t.test('a valid configuration comes back the same from its own document', async () => {
  fc.assert(
    fc.property(arbitraryRoutes, (routes) => {
      const renamed = Object.fromEntries([...routes].map(([id, route]) => [id, { ...route, cluster: 'c' }]));
      const { configuration } = validateDocument(documentWith(renamed));
      if (configuration === null) {
        return true;
      }
      const document = JSON.parse(JSON.stringify(documentOf(configuration)));
      const again = validateDocument(document).configuration;
      return again !== null && JSON.stringify(documentOf(again)) === JSON.stringify(document);
    }),
    { numRuns: 200 },
  );
});
