import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  bindParameters,
  MAXIMUM_PATH_SEGMENTS,
  type PathPattern,
  type PathTemplate,
  parsePathPattern,
  parsePathTemplate,
  renderPathPattern,
} from '../../../lib/core/routing/path-template.ts';

function templateOf(text: string): PathTemplate {
  const { template, problem } = parsePathTemplate(text);
  if (template === null) {
    throw new Error(`${text}: ${problem}`);
  }
  return template;
}

function patternOf(text: string): PathPattern {
  const { pattern, problem } = parsePathPattern(text);
  if (pattern === null) {
    throw new Error(`${text}: ${problem}`);
  }
  return pattern;
}

const bind = (template: string, path: string) =>
  Object.fromEntries(bindParameters(templateOf(template), path));
const render = (pattern: string, values: Record<string, string>) =>
  renderPathPattern(patternOf(pattern), new Map(Object.entries(values)));

t.test('a template is literals, parameters and a rest', async (t) => {
  t.same(templateOf('/orders/{id}/{**rest}').segments, [
    { kind: 'literal', text: 'orders' },
    { kind: 'parameter', name: 'id' },
    { kind: 'rest', name: 'rest' },
  ]);
});

t.test('a trailing slash is a segment of its own', async (t) => {
  t.same(templateOf('/').segments, [{ kind: 'literal', text: '' }]);
  t.same(templateOf('/orders/').segments, [
    { kind: 'literal', text: 'orders' },
    { kind: 'literal', text: '' },
  ]);
});

t.test('canonical text is taken as it is', async (t) => {
  for (const text of [
    '/.well-known/x',
    '/a%2Fb',
    '/%7Bid%7D',
    "/a;v=1,(2)!$&'*+@:=",
    '/~a_b-c.d',
    '/...',
    '/a%20b',
  ]) {
    t.equal(parsePathTemplate(text).problem, null, text);
  }
});

t.test('text that no canonical path reads as is refused, and the problem says how to write it', async (t) => {
  const problems: readonly (readonly [string, RegExp])[] = [
    ['', /starts with '\/'/],
    ['orders', /write "\/orders"/],
    ['/a{b}', /a parameter is one whole segment/],
    ['/{a}{b}', /a parameter is one whole segment/],
    ['/{a}b', /a parameter is one whole segment/],
    ['/a}', /%7B and %7D/],
    ['/{}', /is no parameter/],
    ['/{1a}', /is no parameter/],
    ['/{*a}', /is no parameter/],
    ['/{***a}', /is no parameter/],
    ['/{**}', /is no parameter/],
    ['/{a}/{a}', /'a' occurs twice/],
    ['/{a}/{**a}', /'a' occurs twice/],
    ['/{**a}/b', /only be the last segment/],
    ['/{**a}/', /only be the last segment/],
    ['//', /slashes are merged/],
    ['/a//b', /slashes are merged/],
    ['/./a', /dot segments are resolved/],
    ['/a/..', /dot segments are resolved/],
    ['/..;x', /may be read as a dot segment/],
    ['/a?b', /%3F/],
    ['/a#b', /%23/],
    ['/a\\b', /backslash/],
    ['/a b', /%20/],
    ['/a\u0001', /control character/],
    ['/é', /%C3%A9/],
    ['/\ud800', /percent-encoded/],
    ['/%', /%25/],
    ['/%2', /%25/],
    ['/%zz', /%25/],
    ['/%41', /arrives as "A"/],
    ['/%2f', /arrives as "%2F"/],
    ['/%5C', /backslash/],
    ['/%00', /escaped control character/],
    ['/a'.repeat(MAXIMUM_PATH_SEGMENTS + 1), /at most 256 segments/],
  ];
  for (const [text, expected] of problems) {
    const { template, problem } = parsePathTemplate(text);
    t.equal(template, null, JSON.stringify(text));
    t.match(problem, expected, JSON.stringify(text));
  }
});

t.test('a problem never carries a raw control character into a log', async (t) => {
  t.notMatch(parsePathTemplate('/a\u001b[31m').problem, '\u001b');
});

t.test('a pattern may hold a rest anywhere and a name twice', async (t) => {
  t.equal(render('/{**rest}/by/{id}/{id}', { rest: 'a/b', id: '7' }), '/a/b/by/7/7');
  t.match(parsePathPattern('/a{b}').problem, /whole segment/);
});

t.test('parameters bind to the segments they stand for, the rest to what is left', async (t) => {
  t.same(bind('/orders/{id}/items/{item}', '/orders/7/items/8'), { id: '7', item: '8' });
  t.same(bind('/{a}/{**rest}', '/x/y/z'), { a: 'x', rest: 'y/z' });
  t.same(bind('/{a}/{**rest}', '/x/y/'), { a: 'x', rest: 'y/' });
  t.same(bind('/{a}/{**rest}', '/x/'), { a: 'x', rest: '' });
  t.same(bind('/{a}/{**rest}', '/x'), { a: 'x', rest: '' });
  t.same(bind('/{**rest}', '/'), { rest: '' });
  t.same(bind('/{a}', '/%2Fb%20c'), { a: '%2Fb%20c' }, 'values stay encoded');
});

t.test('a rest of nothing takes the slash before it along', async (t) => {
  t.equal(render('/v2/{rest}', { rest: '' }), '/v2');
  t.equal(render('/v2/{rest}/', { rest: '' }), '/v2/');
  t.equal(render('/v2/{rest}/items', { rest: '' }), '/v2/items');
  t.equal(render('/{rest}', { rest: '' }), '/');
  t.equal(render('/{rest}/', { rest: '' }), '/');
  t.equal(render('/{rest}/a', { rest: '' }), '/a');
});

t.test('the trailing slash of a rest stays at the end and does not double within', async (t) => {
  t.equal(render('/v2/{rest}', { rest: 'a/' }), '/v2/a/');
  t.equal(render('/v2/{rest}/items', { rest: 'a/' }), '/v2/a/items');
  t.equal(render('/v2/{rest}/', { rest: 'a/' }), '/v2/a/');
});

t.test('a template rendered with what it bound gives the path back', async () => {
  const name = fc.constantFrom('a', 'b', 'c', '%2F', 'x.y');
  fc.assert(
    fc.property(
      fc.array(name, { minLength: 1, maxLength: 5 }),
      fc.nat(5),
      fc.boolean(),
      (parts, cut, slash) => {
        const path = `/${parts.join('/')}${slash ? '/' : ''}`;
        const head = parts.slice(0, cut).map((part, index) => (index % 2 === 0 ? `{p${index}}` : part));
        const text = `/${[...head, '{**rest}'].join('/')}`;
        const isRestNone = cut >= parts.length;
        const expected = isRestNone ? `/${parts.join('/')}` : path;
        assert.equal(renderPathPattern(patternOf(text), bindParameters(templateOf(text), path)), expected);
      },
    ),
  );
});
