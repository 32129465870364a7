import t from 'tap';
import type { Route } from '../../../lib/core/config/model.ts';
import { checkOneRoute, pointersOf } from './findings.ts';

const problemsOf = (route: Partial<Route>) => pointersOf(checkOneRoute(route).problems);
const warningsOf = (route: Partial<Route>) => pointersOf(checkOneRoute(route).warnings);
const authProblems = (auth: object) => problemsOf({ auth });

t.test('auth says of at least one way to come in', async (t) => {
  t.same(authProblems({}), ['/auth']);
  t.same(authProblems({ scopes: ['read'], roles: ['admin'] }), ['/auth']);
  for (const auth of [{ issuers: ['main'] }, { apiKey: {} }, { basic: {} }]) {
    t.same(authProblems(auth), []);
  }
  t.same(authProblems({ issuers: [] }), ['/auth/issuers']);
});

t.test('a part of auth that would have no effect is a problem', async (t) => {
  t.same(authProblems({ apiKey: {}, tokenFrom: { query: 'token' } }), ['/auth/tokenFrom']);
  t.same(authProblems({ basic: {}, claims: { tenant: ['acme'] } }), ['/auth/claims']);
  t.same(authProblems({ issuers: ['main'], consumers: ['shop'] }), ['/auth/consumers']);
  t.same(authProblems({ tokenFrom: {}, claims: { a: [1] }, consumers: ['shop'] }), [
    '/auth',
    '/auth/tokenFrom',
    '/auth/claims',
    '/auth/consumers',
  ]);
  const auth = { issuers: ['main'], tokenFrom: { cookie: 'session' }, claims: { tenant: ['acme', 1, true] } };
  t.same(authProblems(auth), []);
  t.same(authProblems({ basic: {}, consumers: ['shop'] }), []);
});

t.test('what of auth is hardly meant is a warning', async (t) => {
  t.same(warningsOf({ auth: { issuers: ['main'], tokenFrom: {} } }), ['/auth/tokenFrom']);
  t.same(warningsOf({ auth: { issuers: ['main', 'main'] } }), ['/auth/issuers/1']);
  t.same(warningsOf({ auth: { apiKey: {}, consumers: ['shop', 'shop'] } }), ['/auth/consumers/1']);
  const claims = { tenant: ['acme'] };
  t.same(warningsOf({ auth: { issuers: ['main'], basic: {}, claims } }), ['/auth/claims']);
  t.same(warningsOf({ auth: { issuers: ['main'], claims } }), []);
});

t.test('API keys have a header and a parameter of their own', async (t) => {
  t.same(authProblems({ apiKey: { header: 'X-Api-Key', query: 'api_key' } }), []);
  for (const header of ['Authorization', 'cookie', 'x-consumer-id', 'host', 'X-Forwarded-For']) {
    t.same(authProblems({ apiKey: { header } }), ['/auth/apiKey/header'], header);
  }
  const auth = { issuers: ['main'], tokenFrom: { query: 'token' }, apiKey: { query: 'token' } };
  t.same(authProblems(auth), ['/auth/apiKey/query']);
});

const originProblem = (origin: string) => checkOneRoute({ cors: { origins: [origin] } }).problems[0];

t.test('origins are as browsers write them', async (t) => {
  const good = [
    '*',
    'https://app.example.com',
    'HTTPS://App.Example.com',
    'http://localhost:3000',
    'https://*.example.com',
    'https://*.example.com:8443',
    'http://127.0.0.1:8080',
    'http://[::1]:8080',
    'capacitor://localhost',
    'chrome-extension://abcdefghijklmnop',
  ];
  for (const origin of good) t.equal(originProblem(origin), undefined, origin);
  const bad: [origin: string, message: RegExp][] = [
    ['null', /the origin null/],
    ['app.example.com', /has no scheme/],
    ['//app.example.com', /has no scheme/],
    ['https:app.example.com', /has no scheme/],
    ['https://app.example.com/', /more than scheme, host and port/],
    ['https://app.example.com/path', /more than scheme, host and port/],
    ['https://app.example.com?x', /more than scheme, host and port/],
    ['https://user@app.example.com', /no DNS name/],
    ['https://', /a host is empty/],
    ['https://*', /'\*' alone/],
    ['https://app.*.example.com', /not the whole first label/],
    ['https://*app.example.com', /not the whole first label/],
    ['https://*.10.0.0.1', /sub-domains of an IP address/],
    ['https://münchen.example', /xn--/],
    ['https://app.example.com:443', /browsers leave out :443/],
    ['http://app.example.com:80', /browsers leave out :80/],
    ['https://app.example.com:', /"" is no port/],
    ['https://app.example.com:99999', /"99999" is no port/],
    ['https://app.example.com:080', /"080" is no port/],
    ['https://app.example.com:*', /more than scheme/],
    ['http://[0:0::1]', /browsers write the address \[::1\]/],
    ['http://[::1', /more than scheme/],
    ['app://*.example.com', /wildcard/],
    ['https://*.com', /a whole top-level domain/],
    ['https://*.com:8443', /a whole top-level domain/],
    ['https://app.example.com.', /ends with a dot/],
    ['https://*.example.com.', /ends with a dot/],
    ['https://*.com.', /ends with a dot/],
    ['https://a b', /white space/],
  ];
  for (const [origin, message] of bad) {
    const problem = originProblem(origin);
    t.equal(problem?.pointer, '/cors/origins/0', origin);
    t.match(problem?.message, message, origin);
    t.ok(problem?.hint, origin);
  }
});

t.test('credentials are not for every page of the web', async (t) => {
  t.same(problemsOf({ cors: { origins: ['*'] } }), []);
  t.same(problemsOf({ cors: { origins: ['*'], credentials: false } }), []);
  t.same(problemsOf({ cors: { origins: ['https://a.de', '*'], credentials: true } }), ['/cors/credentials']);
  const lists = { methods: ['GET', '*'], headers: ['*'], exposeHeaders: ['x-a', 'x-b', '*'] };
  t.same(problemsOf({ cors: { origins: ['https://a.de'], ...lists } }), []);
  t.same(problemsOf({ cors: { origins: ['https://a.de'], ...lists, credentials: true } }), [
    '/cors/methods/1',
    '/cors/headers/0',
    '/cors/exposeHeaders/2',
  ]);
});

t.test('an origin that is there twice, or beside *, is a warning', async (t) => {
  t.same(warningsOf({ cors: { origins: ['https://a.de', 'https://A.de'] } }), ['/cors/origins/1']);
  t.same(warningsOf({ cors: { origins: ['https://a.de', '*'] } }), ['/cors/origins/0']);
});

const limit = (key?: object) => ({ requests: 10, perSec: 1, ...(key && { key }) }) as object;
const limitProblems = (limits: object[], auth?: object) =>
  problemsOf({ rateLimits: limits, ...(auth && { auth }) } as Partial<Route>);

t.test('a claim or header that has a budget has a name, and nothing else has', async (t) => {
  const auth = { issuers: ['main'] };
  for (const source of ['claim', 'header']) {
    t.same(limitProblems([limit({ source })], auth), ['/rateLimits/0/key']);
    t.same(limitProblems([limit({ source, name: 'tenant' })], auth), []);
  }
  for (const source of ['route', 'clientIp', 'consumer']) {
    t.same(limitProblems([limit({ source })], auth), []);
    t.same(limitProblems([limit({ source, name: 'tenant' })], auth), ['/rateLimits/0/key/name']);
  }
  t.same(limitProblems([limit({ source: 'header', name: 'a b' })]), ['/rateLimits/0/key/name']);
  t.same(limitProblems([limit({ source: 'claim', name: 'a\nb' })], auth), ['/rateLimits/0/key/name']);
  t.same(limitProblems([limit({ source: 'claim', name: 'https://example.com/tenant id' })], auth), []);
});

t.test('a budget for consumers needs auth, one for claims needs issuers', async (t) => {
  const claim = limit({ source: 'claim', name: 'tenant' });
  t.same(limitProblems([limit({ source: 'consumer' }), claim]), [
    '/rateLimits/0/key/source',
    '/rateLimits/1/key/source',
  ]);
  t.same(limitProblems([limit({ source: 'consumer' }), claim], { apiKey: {} }), ['/rateLimits/1/key/source']);
  t.same(limitProblems([limit({ source: 'consumer' }), claim], { issuers: ['main'] }), []);
  t.same(limitProblems([limit(), limit({ source: 'clientIp' })]), []);
});

t.test('limits have different names, those without one by their place', async (t) => {
  const named = (name: string) => ({ ...limit(), name });
  t.same(limitProblems([named('a'), named('b'), named('a')]), ['/rateLimits/2/name']);
  t.same(limitProblems([named('a'), limit(), limit()]), []);
  t.same(limitProblems([named('2'), limit()]), ['/rateLimits/1']);
  t.same(limitProblems([limit(), named('1')]), ['/rateLimits/1/name']);
});

t.test('client addresses are addresses and ranges', async (t) => {
  t.same(problemsOf({ clientAddresses: {} }), ['/clientAddresses']);
  const good = ['192.0.2.7', '10.0.0.0/8', '0.0.0.0/0', '2001:db8::1', 'fd00::/8', '::ffff:10.0.0.0/104'];
  const { isValid, warnings } = checkOneRoute({ clientAddresses: { allow: good, deny: good } });
  t.ok(isValid);
  t.same(warnings, []);
  const deny = ['10.0.0.1', '10.0.0/8', '10.0.0.0/33', 'localhost', '[::1]', 'fe80::1%eth0', '10.0.0.1:80'];
  t.same(
    problemsOf({ clientAddresses: { allow: ['nowhere'], deny } }),
    ['/allow/0', ...[1, 2, 3, 4, 5, 6].map((index) => `/deny/${index}`)].map(
      (place) => `/clientAddresses${place}`,
    ),
  );
});

t.test('a range with bits beyond its length is a warning: it holds more than it names', async (t) => {
  const { isValid, warnings } = checkOneRoute({ clientAddresses: { allow: ['10.0.0.0/8', '10.0.0.1/8'] } });
  t.ok(isValid);
  t.match(warnings, [{ pointer: '/clientAddresses/allow/1', message: /share its first 8 bits/ }]);
});

t.test('HSTS preload needs what browsers ask for', async (t) => {
  const preload = (hsts: object) => problemsOf({ https: { hsts: { preload: true, ...hsts } } } as object);
  t.same(preload({ maxAgeSec: 31_536_000, includeSubdomains: true }), []);
  t.same(preload({ maxAgeSec: 31_535_999, includeSubdomains: true }), ['/https/hsts/preload']);
  t.same(preload({ maxAgeSec: 31_536_000 }), ['/https/hsts/preload']);
  t.same(preload({ maxAgeSec: 31_536_000, includeSubdomains: false }), ['/https/hsts/preload']);
  t.same(problemsOf({ https: { hsts: { maxAgeSec: 0, preload: false } } }), []);
});

t.test('https that asks for nothing, and a port without a redirect, are warnings', async (t) => {
  t.same(warningsOf({ https: {} }), ['/https']);
  t.same(warningsOf({ https: { redirect: false, port: 8443 } }), ['/https/port', '/https']);
  t.same(warningsOf({ https: { port: 8443, hsts: { maxAgeSec: 60 } } }), ['/https/port']);
  t.same(warningsOf({ https: { redirect: true, port: 8443 } }), []);
});

t.test('credentials without a redirect to https are no warning, as TLS may end in front', async (t) => {
  t.same(checkOneRoute({ auth: { basic: {}, issuers: ['main'], apiKey: {} } }), {
    isValid: true,
    problems: [],
    warnings: [],
  });
});

t.test('requests wait only where there is a limit', async (t) => {
  t.same(problemsOf({ limits: { maxWaiting: 10 } }), ['/limits/maxWaiting']);
  t.same(problemsOf({ limits: { maxConcurrent: 1, maxWaiting: 10, maxWaitMs: 1 } }), []);
  t.same(warningsOf({ limits: { maxConcurrent: 1, maxWaitMs: 1 } }), ['/limits/maxWaitMs']);
  t.same(warningsOf({ limits: { maxConcurrent: 1, maxWaiting: 0, maxWaitMs: 1 } }), ['/limits/maxWaitMs']);
});
