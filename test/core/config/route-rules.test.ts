import fc from 'fast-check';
import t from 'tap';
import type { Rewrite } from '../../../lib/core/config/model.ts';
import { validateDocument } from '../../../lib/core/config/validate.ts';
import { compileRewrite } from '../../../lib/core/routing/path-rewrite.ts';
import { parsePathTemplate } from '../../../lib/core/routing/path-template.ts';
import { checkOneRoute, documentWith, pointersOf } from './findings.ts';

t.test('a missing cluster is a problem with the nearest one as a hint', async (t) => {
  const routes = {
    a: { match: { path: '/a' }, cluster: 'ordres' },
    b: { match: { path: '/b' }, cluster: 'unlike-all' },
  };
  const { problems } = validateDocument({ clusters: { orders: { destinations: {} } }, routes });
  t.same(pointersOf(problems), ['/routes/a/cluster', '/routes/b/cluster']);
  t.equal(problems[0]?.hint, 'did you mean orders?');
  t.notMatch(problems[1]?.hint, /did you mean/);
});

t.test('a cluster that has problems itself is not missing', async (t) => {
  const document = { clusters: { c: {} }, routes: { r: { match: {}, cluster: 'c' } } };
  t.same(pointersOf(validateDocument(document).problems), ['/clusters/c']);
});

t.test('many missing clusters are all reported, with hints for the first of them', async (t) => {
  const routes = Object.fromEntries(
    Array.from({ length: 60 }, (_, index) => [
      `r${index}`,
      { match: { path: `/${index}` }, cluster: `c${index + 10}` },
    ]),
  );
  const { problems } = validateDocument({ ...documentWith(routes) });
  t.equal(problems.length, 60);
  t.match(problems[0]?.hint, /add it under clusters|did you mean/);
});

t.test('hosts are names, wildcards and addresses', async (t) => {
  const good = ['api.example.com', '*.example.com', 'LOCALHOST', '127.0.0.1', '[::1]'];
  t.ok(checkOneRoute({ match: { hosts: good } }).isValid);
  const bad = ['http://a.de', 'a.de:80', 'a.de/x', '*', 'a.*.de', '', '::1', 'a b', '[::1]:80'];
  const { problems } = checkOneRoute({ match: { hosts: bad } });
  t.same(
    pointersOf(problems),
    bad.map((_, index) => `/match/hosts/${index}`),
  );
});

t.test('a host or method that is there twice is a warning', async (t) => {
  const match = { hosts: ['a.de', '*.a.de', 'A.DE'], methods: ['GET', 'PUT', 'GET'] };
  const { isValid, warnings } = checkOneRoute({ match });
  t.ok(isValid);
  t.same(pointersOf(warnings), ['/match/hosts/2', '/match/methods/2']);
});

t.test('CONNECT and TRACE cannot be routed, lower-case methods hardly match', async (t) => {
  const { problems, warnings } = checkOneRoute({ match: { methods: ['CONNECT', 'trace', 'get'] } });
  t.same(pointersOf(problems), ['/match/methods/0', '/match/methods/1']);
  t.same(pointersOf(warnings), ['/match/methods/2']);
  t.equal(warnings[0]?.hint, 'write GET');
});

t.test('a path must be a template', async (t) => {
  for (const path of ['a', '', '/a//b', '/a?b', '/{x}/{x}', '/{**x}/y', '/a{b}', '/..', '/%zz']) {
    t.same(pointersOf(checkOneRoute({ match: { path } }).problems), ['/match/path'], path);
  }
  for (const path of ['/', '/a/', '/{x}/b/{**rest}', '/a%2Fb']) {
    t.ok(checkOneRoute({ match: { path } }).isValid, path);
  }
});

t.test('predicates have values where they compare, and none where they do not', async (t) => {
  const { problems } = checkOneRoute({
    match: {
      headers: [
        { name: 'a' },
        { name: 'b', mode: 'prefix' },
        { name: 'c', mode: 'exists', values: ['1'] },
        { name: 'd', values: ['1'] },
      ],
      query: [
        { name: 'e', mode: 'contains' },
        { name: 'f', mode: 'notExists', values: ['1'] },
        { name: 'g', mode: 'notExists' },
      ],
    },
  });
  t.same(pointersOf(problems), [
    '/match/headers/0',
    '/match/headers/1',
    '/match/headers/2',
    '/match/query/0',
    '/match/query/1',
  ]);
});

t.test('a rewrite of the whole path stands alone', async (t) => {
  const combinations: Rewrite[] = [
    { set: '/a', pattern: '/b' },
    { set: '/a', addPrefix: '/b' },
    { pattern: '/a', removePrefix: '/b' },
    { set: '/a', pattern: '/b', addPrefix: '/c', removePrefix: '/d' },
  ];
  for (const rewrite of combinations) {
    t.same(pointersOf(checkOneRoute({ rewrite }).problems), ['/rewrite'], JSON.stringify(rewrite));
  }
  t.ok(checkOneRoute({ rewrite: { removePrefix: '/a', addPrefix: '/b' } }).isValid);
  t.ok(checkOneRoute({ rewrite: {} }).isValid);
});

t.test('a rewrite cannot put into the path what does not belong there', async (t) => {
  for (const text of ['/a b', '/a?b', '/a#b', '/a\r\nx: y', '/../a', '/{x}', '/ü']) {
    const { problems } = checkOneRoute({ rewrite: { removePrefix: text, addPrefix: text } });
    t.same(pointersOf(problems), ['/rewrite/removePrefix', '/rewrite/addPrefix'], JSON.stringify(text));
    t.same(pointersOf(checkOneRoute({ rewrite: { set: text } }).problems), ['/rewrite/set']);
  }
  t.same(pointersOf(checkOneRoute({ rewrite: { pattern: '/a b' } }).problems), ['/rewrite/pattern']);
});

t.test('a pattern uses only the parameters of the path, each as its kind allows', async (t) => {
  const check = (path: string | undefined, pattern: string) =>
    checkOneRoute({ match: path === undefined ? {} : { path }, rewrite: { pattern } });
  t.ok(check('/{id}/{**rest}', '/v2/{rest}/{id}').isValid);
  t.ok(check('/{id}/{**rest}', '/v2/{**rest}').isValid);
  t.ok(check(undefined, '/fixed').isValid);
  t.match(check('/{id}', '/{key}/{other}').problems, [
    { message: /"key"/, hint: /id/ },
    { message: /"other"/ },
  ]);
  t.match(check('/{id}', '/{**id}').problems, [{ pointer: '/rewrite/pattern', message: /one segment/ }]);
  t.match(check(undefined, '/{id}').problems, [{ message: /"id"/, hint: /no parameters/ }]);
  t.same(pointersOf(check('/{id', '/{id}').problems), ['/match/path'], 'an unreadable path is one problem');
});

t.test('a rewrite that is accepted is one that the router can compile', async () => {
  const text = fc.constantFrom('/', '/a', '/{x}', '/{**y}', '/{y}/a/', '/{z}', '/a b', 'a', '/a//b');
  const rewrites = fc.record(
    { removePrefix: text, addPrefix: text, set: text, pattern: text },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(rewrites, fc.constantFrom('/{x}/{**y}', '/{y}', '/a'), (rewrite, path) => {
      const { isValid } = checkOneRoute({ match: { path }, rewrite });
      if (isValid) {
        compileRewrite(rewrite, parsePathTemplate(path).template);
      }
    }),
    { numRuns: 300 },
  );
});

t.test('fields of the gateway cannot be touched on either side', async (t) => {
  const names = [
    'Connection',
    'keep-alive',
    'proxy-connection',
    'TE',
    'trailer',
    'transfer-encoding',
    'upgrade',
    'content-length',
  ];
  for (const side of ['requestHeaders', 'responseHeaders']) {
    for (const name of names) {
      t.same(pointersOf(checkOneRoute({ [side]: { set: { [name]: 'x' } } }).problems), [
        `/${side}/set/${name}`,
      ]);
      t.same(pointersOf(checkOneRoute({ [side]: { append: { [name]: 'x' } } }).problems), [
        `/${side}/append/${name}`,
      ]);
      t.same(pointersOf(checkOneRoute({ [side]: { remove: [name] } }).problems), [`/${side}/remove/0`]);
    }
  }
});

t.test('host can be set on requests only, and only to a host', async (t) => {
  t.ok(checkOneRoute({ requestHeaders: { set: { Host: 'api.example.com:8080' } } }).isValid);
  t.same(pointersOf(checkOneRoute({ requestHeaders: { append: { host: 'a' } } }).problems), [
    '/requestHeaders/append/host',
  ]);
  t.same(pointersOf(checkOneRoute({ requestHeaders: { remove: ['host'] } }).problems), [
    '/requestHeaders/remove/0',
  ]);
  t.same(pointersOf(checkOneRoute({ requestHeaders: { set: { host: 'a b' } } }).problems), [
    '/requestHeaders/set/host',
  ]);
  t.same(pointersOf(checkOneRoute({ responseHeaders: { set: { host: 'a' } } }).problems), [
    '/responseHeaders/set/host',
  ]);
});

t.test('expect can be removed, not given', async (t) => {
  t.ok(checkOneRoute({ requestHeaders: { remove: ['Expect'] } }).isValid);
  t.same(pointersOf(checkOneRoute({ requestHeaders: { append: { expect: 'x' } } }).problems), [
    '/requestHeaders/append/expect',
  ]);
  t.same(pointersOf(checkOneRoute({ requestHeaders: { set: { expect: 'x' } } }).problems), [
    '/requestHeaders/set/expect',
  ]);
});

t.test('one header is under one action only, whatever its letter case', async (t) => {
  const check = (transform: object) => pointersOf(checkOneRoute({ responseHeaders: transform }).problems);
  t.same(check({ set: { 'X-A': '1' }, append: { 'x-a': '2' } }), ['/responseHeaders/append/x-a']);
  t.same(check({ set: { 'X-A': '1' }, remove: ['b', 'x-A'] }), ['/responseHeaders/remove/1']);
  t.same(check({ append: { 'X-A': '1' }, remove: ['x-A'] }), ['/responseHeaders/remove/0']);
  t.same(check({ set: { 'X-A': '1', 'x-a': '2' } }), ['/responseHeaders/set/x-a']);
  t.same(check({ remove: ['x-a', 'X-A'] }), []);
  t.same(check({ set: { a: '1' }, append: { b: '1' }, remove: ['c'] }), []);
});
