/** What is taken out of a request must be all that authentication could have found there, and nothing else. */
import fc from 'fast-check';
import t from 'tap';
import { removeCookie, withoutParameter } from '../../../lib/core/http/withhold.ts';
import { findCookie, findParameter } from '../../../lib/core/policy/request-credentials.ts';

/** Another spelling of a parameter's name: some characters as escapes, of either case. */
const spelling = (name: string) =>
  fc
    .array(fc.constantFrom('plain', 'upper', 'lower'), { minLength: name.length, maxLength: name.length })
    .map((ways) =>
      [...name]
        .map((character, index) => {
          if (ways[index] === 'plain') return character === ' ' ? '+' : character;
          const digits = character.charCodeAt(0).toString(16).padStart(2, '0');
          return `%${ways[index] === 'upper' ? digits.toUpperCase() : digits}`;
        })
        .join(''),
    );

const value = fc.string({ unit: fc.constantFrom(...'abc=%41+;"'), maxLength: 6 });
const otherName = fc.constantFrom('a', 'toke', 'tokens', 'Token', '%74oken%', 'to%ken', '%zz', '', 'to ken');

t.test('no spelling of the parameter is left, and the other parameters are as they were', async () => {
  const own = fc
    .tuple(spelling('token'), value)
    .map(([name, text]) => ({ own: true, text: `${name}=${text}` }));
  const bare = spelling('token').map((name) => ({ own: true, text: name }));
  const other = fc.tuple(otherName, value).map(([name, text]) => ({ own: false, text: `${name}=${text}` }));
  const empty = fc.constant({ own: false, text: '' });
  fc.assert(
    fc.property(fc.array(fc.oneof(own, bare, other, empty), { maxLength: 6 }), (parameters) => {
      const query = parameters.map(({ text }) => text).join('&');
      const left = withoutParameter(query, 'token');
      const expected = parameters.filter((parameter) => !parameter.own);
      return left === expected.map(({ text }) => text).join('&') && findParameter(left, 'token') === null;
    }),
    { numRuns: 500 },
  );
});

t.test('whatever the query is, the parameter is not found in what is left', async () => {
  const query = fc.string({ unit: fc.constantFrom(...'token=&%6f+ T;'), maxLength: 40 });
  fc.assert(
    fc.property(query, fc.constantFrom('token', 'to ken', 't', 'o+n'), (text, name) => {
      return findParameter(withoutParameter(text, name), name) === null;
    }),
    { numRuns: 500 },
  );
});

t.test('names with blanks and what does not decode', async (t) => {
  t.equal(withoutParameter('a=1&my+key=s&b=2&my%20key=s', 'my key'), 'a=1&b=2');
  t.equal(withoutParameter('k%zz=1&%6b=s', 'k%zz'), '%6b=s', 'taken as it stands');
  t.equal(withoutParameter('token=s', 'token'), '');
  t.equal(withoutParameter('token=a=b%26c&x', 'token'), 'x');
});

/** Removes the cookie `sid` from the fields and gives what is left. */
function withoutSid(...headers: string[]): string[] {
  removeCookie(headers, 'sid');
  return headers;
}

t.test('a cookie is taken out of every field, and fields of which nothing is left go', async (t) => {
  t.same(withoutSid('Cookie', 'sid=secret'), []);
  t.same(withoutSid('a', '1', 'Cookie', 'x=1; sid=secret; y=2', 'b', '2'), [
    'a',
    '1',
    'Cookie',
    'x=1; y=2',
    'b',
    '2',
  ]);
  t.same(withoutSid('COOKIE', 'sid=secret; y=2', 'cookie', ' sid = secret'), ['COOKIE', 'y=2']);
  t.same(withoutSid('Cookie', 'sid="se;cret"; x=1'), ['Cookie', 'cret"; x=1']);
  t.same(withoutSid('Cookie', 'x=sid; sid2=1; Sid=2; y="sid=3"'), [
    'Cookie',
    'x=sid; sid2=1; Sid=2; y="sid=3"',
  ]);
});

t.test('where the cookie is not, not a byte changes', async (t) => {
  for (const text of ['x=1;y=2', ' x=1 ;; y=2; ', 'nothing', ';', 'x="a; b"'])
    t.same(withoutSid('Cookie', text), ['Cookie', text]);
  t.same(withoutSid('x-cookie', 'sid=1', 'Set-Cookie', 'sid=2'), [
    'x-cookie',
    'sid=1',
    'Set-Cookie',
    'sid=2',
  ]);
});

t.test('whatever the cookies are, the cookie is not found in what is left, and the others are', async () => {
  const text = fc.string({ unit: fc.constantFrom(...'sid=;; "xS\t'), maxLength: 30 });
  const names = fc.constantFrom('Cookie', 'cookie', 'COOKIE', 'x-other');
  fc.assert(
    fc.property(fc.array(fc.tuple(names, text), { maxLength: 4 }), (list) => {
      const headers = list.flat();
      const others = ['x', 'i', 'd'].map((name) => findCookie(headers, name));
      removeCookie(headers, 'sid');
      const left = ['x', 'i', 'd'].map((name) => findCookie(headers, name));
      return findCookie(headers, 'sid') === null && others.every((one, index) => one === left[index]);
    }),
    { numRuns: 500 },
  );
});
