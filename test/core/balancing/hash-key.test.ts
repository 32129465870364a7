import fc from 'fast-check';
import t from 'tap';
import { hashString } from '../../../lib/core/balancing/hash.ts';
import { hashKeyOf } from '../../../lib/core/balancing/hash-key.ts';
import type { HashKey } from '../../../lib/core/config/model.ts';

const CLIENT_IP = '192.0.2.7';
const BY_CLIENT = hashString(CLIENT_IP);

function hashOf(hash: HashKey, { headers = [] as string[], query = '' }): number {
  return hashKeyOf(hash, headers, query, CLIENT_IP);
}

t.test('the client address', async (t) => {
  t.equal(hashOf({ source: 'clientIp' }, {}), BY_CLIENT);
  t.equal(hashOf({ source: 'clientIp', name: 'ignored' }, { query: 'ignored=1' }), BY_CLIENT);
  t.equal(hashOf({ source: 'header' }, {}), BY_CLIENT, 'also where the name was forgotten');
});

t.test('a header, in any case, all its occurrences joined', async (t) => {
  const byHeader: HashKey = { source: 'header', name: 'x-tenant' };
  t.equal(hashOf(byHeader, { headers: ['Host', 'x', 'X-TENANT', 'acme'] }), hashString('acme'));
  const twice = { headers: ['x-tenant', 'acme', 'accept', '*/*', 'X-Tenant', 'umbrella'] };
  t.equal(hashOf(byHeader, twice), hashString('acme, umbrella'));
  t.equal(hashOf({ source: 'header', name: 'X-Tenant' }, { headers: ['x-tenant', 'a'] }), hashString('a'));
  t.equal(hashOf(byHeader, { headers: ['x-tenanT2', 'acme', 'x-tenan@', 'b'] }), BY_CLIENT);
  t.equal(hashOf(byHeader, { headers: ['x-tenant', ''] }), BY_CLIENT, 'an empty one is a missing one');
  t.equal(hashOf({ source: 'header', name: 'A-z' }, { headers: ['a-Z', 'b'] }), hashString('b'));
  t.equal(hashOf({ source: 'header', name: 'a@' }, { headers: ['a`', 'x'] }), BY_CLIENT, '@ is no letter');
});

t.test('a cookie, by its exact name, from any Cookie field', async (t) => {
  const byCookie: HashKey = { source: 'cookie', name: 'sid' };
  const found = (...fields: string[]) =>
    hashOf(byCookie, { headers: fields.flatMap((field) => ['Cookie', field]) });
  t.equal(found('sid=abc'), hashString('abc'));
  t.equal(found('a=1; sid=abc; b=2'), hashString('abc'));
  t.equal(found('a=1;sid=abc'), hashString('abc'), 'no space');
  t.equal(found('a=1; \t sid=abc '), hashString('abc'), 'much space');
  t.equal(found('a=1', 'sid=abc'), hashString('abc'), 'the second field');
  t.equal(found('sid=a=b=='), hashString('a=b=='));
  t.equal(found('xsid=1; sidx=2; sid=3; sid=4'), hashString('3'), 'the first of that name');
  t.equal(found('SID=abc'), BY_CLIENT, 'names of cookies are case-sensitive');
  t.equal(found('sid'), BY_CLIENT);
  t.equal(found('sid='), BY_CLIENT);
  t.equal(found(';;; ; sid'), BY_CLIENT);
  t.equal(found('a=sid=1'), BY_CLIENT);
  t.equal(hashOf({ source: 'cookie', name: 'a;b' }, { headers: ['cookie', 'a;b=1'] }), BY_CLIENT);
  t.equal(hashOf(byCookie, { headers: ['x-cookie', 'sid=abc'] }), BY_CLIENT);
});

t.test('a query parameter, its first occurrence, percent-decoded', async (t) => {
  const byQuery: HashKey = { source: 'query', name: 'user' };
  const found = (query: string) => hashOf(byQuery, { query });
  t.equal(found('user=ann'), hashString('ann'));
  t.equal(found('?user=ann'), hashString('ann'));
  t.equal(found('a=1&user=ann&user=bob'), hashString('ann'));
  t.equal(found('user=%61nn'), hashString('ann'));
  t.equal(found('%75ser=ann'), hashString('ann'));
  t.equal(found('user=a=b'), hashString('a=b'));
  t.equal(found('user=50%'), hashString('50%'), 'an escape that is none stays as it is');
  t.equal(found('users=1&use=2&xuser=3'), BY_CLIENT);
  t.equal(found('user'), BY_CLIENT);
  t.equal(found('&&=&user=&'), BY_CLIENT);
});

t.test('whatever is sent, a hash comes back', async (t) => {
  const piece = fc.string({ unit: fc.constantFrom('a', '=', ';', '&', ' ', '%', '?', '2', '\t') });
  const source = fc.constantFrom('header' as const, 'cookie' as const, 'query' as const);
  fc.assert(
    fc.property(source, piece, fc.array(piece), piece, (source, name, values, query) => {
      const headers = values.flatMap((value) => ['cookie', value]);
      const hash = hashKeyOf({ source, name }, headers, query, CLIENT_IP);
      return hash >>> 0 === hash;
    }),
    { numRuns: 500 },
  );
  t.pass('the property holds');
});

t.test('a cookie that is written is a cookie that is found', async (t) => {
  const token = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '-', '_'), minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.dictionary(token, token, { minKeys: 1 }), (cookies) => {
      const field = Object.entries(cookies)
        .map(([name, value]) => `${name}=${value}`)
        .join('; ');
      return Object.entries(cookies).every(
        ([name, value]) =>
          hashOf({ source: 'cookie', name }, { headers: ['cookie', field] }) === hashString(value),
      );
    }),
    { numRuns: 300 },
  );
  t.pass('the property holds');
});
