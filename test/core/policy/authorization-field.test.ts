import fc from 'fast-check';
import t from 'tap';
import { readBasic, readBearer } from '../../../lib/core/policy/authorization-field.ts';

const RUNS = { numRuns: 300 };

function basic(text: string | Buffer): string {
  return `Basic ${Buffer.from(text).toString('base64')}`;
}

t.test('Bearer: the scheme in any case, then spaces, then the token', async (t) => {
  for (const field of ['Bearer a.b.c', 'bearer a.b.c', 'BEARER   a.b.c', 'bEaReR a.b.c ']) {
    t.equal(readBearer(field), 'a.b.c', field);
  }
  for (const field of ['Bearer', 'Bearer ', 'Bearer\ta.b.c', 'Bearer,a.b.c', 'Bearer"a"']) {
    t.equal(readBearer(field), '', `no token, and no other scheme either: ${field}`);
  }
  for (const field of ['', 'Bear', 'Bearers a.b.c', 'Basic a', 'a Bearer b', 'BearerToken']) {
    t.equal(readBearer(field), null, field);
  }
});

t.test('two credentials in one field are no token that anybody signed', async (t) => {
  t.equal(readBearer('Bearer a.b.c, Bearer d.e.f'), 'a.b.c, Bearer d.e.f');
});

t.test('Basic: user name, colon, password', async (t) => {
  t.same(readBasic(basic('alice:secret')), { username: 'alice', password: 'secret' });
  t.same(readBasic(basic('alice:a:b:')), { username: 'alice', password: 'a:b:' }, 'colons in the password');
  t.same(readBasic(basic('alice:')), { username: 'alice', password: '' });
  t.same(readBasic(basic(':x')), { username: '', password: 'x' });
  t.same(readBasic('basic YWxpY2U6c2VjcmV0'), { username: 'alice', password: 'secret' });
  t.same(readBasic('Basic YTpi'), readBasic('BASIC   YTpi'));
  t.same(readBasic('Basic YTpiYw'), { username: 'a', password: 'bc' }, 'without padding');
  t.equal(readBasic('Bearer YTpi'), null);
  t.equal(readBasic('Basics YTpi'), null);
});

t.test('Basic: what cannot be made sense of', async (t) => {
  const malformed = [
    'Basic',
    'Basic ',
    basic('alice'),
    'Basic a:b',
    'Basic YTpi YTpi',
    'Basic Y T p i',
    'Basic YTpi, Basic YTpi',
    'Basic YTp-',
    'Basic YTpi====',
    'Basic =',
    basic(Buffer.from([0x61, 0x3a, 0xfc])),
    basic('a\n:b'),
    basic('a:b\0'),
    basic('a:b\x7f'),
    basic(`a:${'b'.repeat(4_000)}`),
  ];
  for (const field of malformed) t.equal(readBasic(field), 'malformed', field.slice(0, 60));
});

t.test('Basic: one text however its accents are composed', async (t) => {
  t.same(readBasic(basic('ju\u0308rgen:pa\u0308ss')), { username: 'j\u00fcrgen', password: 'p\u00e4ss' });
});

t.test('Basic: what was encoded is read back', async () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 50 }).filter((value) => !/\p{Cc}/u.test(value));
  fc.assert(
    fc.property(
      text.filter((value) => !value.includes(':')),
      text,
      (username, password) => {
        const read = readBasic(basic(`${username}:${password}`));
        if (read === null || read === 'malformed') return false;
        return `${read.username}:${read.password}` === `${username}:${password}`.normalize('NFC');
      },
    ),
    RUNS,
  );
});

t.test('whatever arrives, nothing is thrown', async () => {
  fc.assert(
    fc.property(
      fc.constantFrom('Basic ', 'basic', 'Bearer ', ''),
      fc.string({ unit: 'binary' }),
      (scheme, rest) => {
        readBasic(scheme + rest);
        readBearer(scheme + rest);
      },
    ),
    RUNS,
  );
});
