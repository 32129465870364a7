import fc from 'fast-check';
import t from 'tap';
import { claimAt, headerValueOf, holdsAny } from '../../../lib/core/policy/claims.ts';

t.test('a claim is found by its whole name first, and then by its path', async (t) => {
  const claims = {
    sub: 'alice',
    'a.b': 'whole',
    a: { b: 'path', 'c.d': 1, c: { d: 2, e: 3 } },
    'https://x.example/claims': { role: 'admin' },
    list: [{ name: 'x' }],
    text: 'abc',
    nothing: null,
  };
  t.equal(claimAt(claims, 'sub'), 'alice');
  t.equal(claimAt(claims, 'a.b'), 'whole');
  t.equal(claimAt(claims, 'a.c.d'), 1, 'names with dots come first at every level');
  t.equal(claimAt(claims, 'a.c.e'), 3);
  t.equal(claimAt(claims, 'https://x.example/claims.role'), 'admin');
  t.equal(claimAt(claims, 'nothing'), null);
  for (const path of [
    '',
    '.',
    'a.',
    '.a',
    'a.x',
    'a.b.c',
    'list.0',
    'list.length',
    'text.length',
    'nothing.x',
  ]) {
    t.equal(claimAt(claims, path), undefined, path);
  }
});

t.test('what an object inherits is no claim', async (t) => {
  const claims = { a: {} };
  for (const path of [
    'constructor',
    '__proto__',
    'toString',
    'a.constructor',
    'a.__proto__.toString',
    'a.hasOwnProperty',
  ]) {
    t.equal(claimAt(claims, path), undefined, path);
  }
  const own = JSON.parse('{"__proto__":{"admin":true}}') as Record<string, unknown>;
  t.equal(claimAt(own, '__proto__.admin'), true);
  t.equal(claimAt(own, 'admin'), undefined);
});

t.test('a claim holds a value where it is the value or a list with it, of the same kind', async (t) => {
  t.ok(holdsAny('a', ['b', 'a']));
  t.ok(holdsAny(['x', 1], [1]));
  t.ok(holdsAny(false, [false]));
  for (const claim of ['a b', 'A', '', 1, '0', true, null, undefined, {}, [], [['a']], { a: 'a' }, [null]]) {
    t.notOk(holdsAny(claim, ['a', 0, 'true']), JSON.stringify(claim));
  }
});

t.test('texts, numbers, booleans and lists of such become header values', async (t) => {
  const values: [unknown, string | null][] = [
    ['alice', 'alice'],
    ['', ''],
    ['two words', 'two words'],
    [12.5, '12.5'],
    [-3, '-3'],
    [true, 'true'],
    [['a', 2, false], 'a,2,false'],
    ['müller', 'm%C3%BCller'],
    ['müller €', 'm%C3%BCller %E2%82%AC'],
    ['😀', '%F0%9F%98%80'],
    ['100%', '100%25'],
    [' admin ', '%20admin%20'],
    [['a,b', 'c '], 'a%2Cb,c%20'],
    ['a,b', 'a%2Cb'],
    ['cn=alice,dc=example', 'cn=alice%2Cdc=example'],
    [[], null],
    [{}, null],
    [null, null],
    [undefined, null],
    [[['a']], null],
    [['a', null], null],
    [Number.POSITIVE_INFINITY, null],
    [2 ** 53, null],
    ['\ud800', null],
    ['x'.repeat(4_096), 'x'.repeat(4_096)],
    ['x'.repeat(4_097), null],
    ['€'.repeat(500), null],
    [new Array(4_097).fill(1), null],
  ];
  for (const [claim, value] of values) {
    t.equal(headerValueOf(claim), value, JSON.stringify(claim)?.slice(0, 40) ?? 'undefined');
  }
});

t.test('controls never get into a header', async (t) => {
  for (const control of ['\r\n', '\n', '\0', '\t', '\x7f', '\x80', '\x9f']) {
    t.equal(headerValueOf(`a${control}b`), null);
    t.equal(headerValueOf(['a', control]), null);
  }
});

t.test('a text is never taken for a list, nor in a list one item for two', async (t) => {
  t.not(headerValueOf('admin,staff'), headerValueOf(['admin', 'staff']));
  t.not(headerValueOf(['admin,staff']), headerValueOf(['admin', 'staff']));
});

t.test('property: a header value is a valid field value, and no other text has the same', async (t) => {
  const text = fc.string({ unit: 'binary', maxLength: 40 });
  fc.assert(
    fc.property(text, (claim) => {
      const value = headerValueOf(claim);
      t.equal(value === null, !claim.isWellFormed() || /\p{Cc}/u.test(claim));
      if (value === null) return;
      t.match(value, /^(?! )[\x20-\x2b\x2d-\x7e]*(?<! )$/, 'ASCII without commas');
      t.equal(decodeURIComponent(value), claim);
    }),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), (items) => {
      const value = headerValueOf(items);
      if (value !== null) t.same(value.split(',').map(decodeURIComponent), items);
    }),
    { numRuns: 300 },
  );
});
