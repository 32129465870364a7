import fc from 'fast-check';
import t from 'tap';
import type { RouteAuth } from '../../../lib/core/config/model.ts';
import { CredentialFinder } from '../../../lib/core/policy/presented-credential.ts';

const BASIC = 'Basic YWxpY2U6c2VjcmV0';
const ALL: RouteAuth = {
  issuers: ['main'],
  tokenFrom: { cookie: 'session', query: 'access_token' },
  apiKey: { header: 'X-Api-Key', query: 'api_key' },
  basic: {},
};

function find(auth: RouteAuth, rawHeaders: readonly string[], query = '') {
  return new CredentialFinder(auth).find(rawHeaders, query);
}

t.test('each kind is found in each of its places', async (t) => {
  const token = { kind: 'jwt', token: 't' };
  const key = { kind: 'apiKey', key: 'k' };
  t.same(find(ALL, ['Authorization', 'Bearer t']), { ...token, carrier: 'authorization' });
  t.same(find(ALL, ['Cookie', 'session=t']), { ...token, carrier: 'cookie' });
  t.same(find(ALL, [], 'access_token=t'), { ...token, carrier: 'query' });
  t.same(find(ALL, ['x-api-key', 'k']), { ...key, carrier: 'keyHeader' });
  t.same(find(ALL, ['X_Api_Key', 'k']), { ...key, carrier: 'keyHeader' });
  t.same(find(ALL, [], 'api_key=k'), { ...key, carrier: 'query' });
  t.same(find(ALL, ['Authorization', BASIC]), {
    kind: 'basic',
    carrier: 'authorization',
    credentials: { username: 'alice', password: 'secret' },
  });
  t.same(find(ALL, ['accept', '*/*'], 'a=b'), { kind: 'none', carrier: null });
});

t.test('a key is looked for in x-api-key, unless a route says where', async (t) => {
  t.match(find({ apiKey: {} }, ['X-API-KEY', 'k']), { key: 'k' });
  t.match(find({ apiKey: { query: 'k' } }, ['x-api-key', 'k']), { kind: 'none' });
  t.match(find({ apiKey: { header: 'x-key' } }, ['x-api-key', 'k']), { kind: 'none' });
});

t.test('what a route does not accept is not seen', async (t) => {
  const all = ['authorization', BASIC, 'x-api-key', 'k', 'cookie', 'session=t'];
  t.match(find({ apiKey: {} }, ['authorization', 'Bearer t', 'authorization', BASIC]), { kind: 'none' });
  t.match(find({ apiKey: {} }, all), { kind: 'apiKey' });
  t.match(find({ issuers: ['main'] }, all), { kind: 'none' });
  t.match(find({ basic: {} }, ['authorization', 'Bearer t']), { kind: 'none' });
  t.match(find({ basic: {}, tokenFrom: { cookie: 'session' } }, ['cookie', 'session=t']), { kind: 'none' });
});

t.test('the Authorization field decides, then a key, then a cookie or the query', async (t) => {
  const cookie = ['cookie', 'session=t'];
  t.match(find(ALL, ['authorization', 'Bearer a', 'x-api-key', 'k', ...cookie]), { token: 'a' });
  t.match(find(ALL, ['authorization', BASIC, ...cookie]), { kind: 'basic' });
  t.match(find(ALL, ['x-api-key', 'k', ...cookie]), { key: 'k' });
  t.match(find(ALL, [], 'access_token=q'), { token: 'q' });
});

t.test('a token in a cookie and one in the query: nobody can tell which one the origin takes', async (t) => {
  t.match(find(ALL, ['cookie', 'session=t'], 'access_token=q'), {
    kind: 'unusable',
    detail: /more than one/,
  });
  t.match(
    find(ALL, ['cookie', 'session=t'], 'access_token=t'),
    { kind: 'unusable' },
    'even where both are one',
  );
});

t.test('with an Authorization field of another kind there is no token in cookies and queries', async (t) => {
  t.match(find(ALL, ['authorization', 'Digest x', 'cookie', 'session=t'], 'access_token=q'), {
    kind: 'none',
  });
  t.match(find(ALL, ['authorization', '', 'cookie', 'session=t']), { kind: 'none' });
  t.match(find(ALL, ['authorization', 'Digest x', 'x-api-key', 'k']), { kind: 'apiKey' });
});

t.test('no other credential helps where the one that decides is unusable', async (t) => {
  const key = ['x-api-key', 'k'];
  t.match(find(ALL, ['authorization', 'Basic %', ...key]), { kind: 'unusable' });
  t.match(find(ALL, ['authorization', 'Bearer', ...key]), { kind: 'jwt', token: '' });
  t.match(find(ALL, ['authorization', 'Bearer a', 'authorization', 'Bearer a', ...key]), {
    kind: 'unusable',
  });
  t.match(find(ALL, ['x-api-key', 'k', 'x-api-key', 'k']), { kind: 'unusable' });
  t.match(find(ALL, [...key, 'X_Api_Key', 'other']), { kind: 'unusable' });
  t.match(find(ALL, key, 'api_key=k'), { kind: 'unusable' });
  t.match(find(ALL, ['cookie', 'session=a; session=b'], 'access_token=t'), { kind: 'unusable' });
});

t.test('a query has one credential at most', async (t) => {
  t.match(find(ALL, ['authorization', 'Bearer t'], 'api_key=k&access_token=t'), { kind: 'unusable' });
  t.match(find(ALL, ['authorization', 'Bearer t'], 'api_key=k&api_key=k'), { kind: 'unusable' });
  t.match(find(ALL, ['authorization', 'Bearer t'], 'api_key=k'), { kind: 'jwt' });
  t.equal(new CredentialFinder(ALL).parameterIn('a=b&api_key=k'), 'api_key');
  t.equal(new CredentialFinder(ALL).parameterIn('a=b'), null);
});

t.test('the places are known, so that credentials can be kept from origins', async (t) => {
  const { headers, keyHeader, parameters, cookie } = new CredentialFinder(ALL);
  t.same([headers, keyHeader], [['authorization', 'x-api-key'], 'x-api-key']);
  t.same([parameters, cookie], [['access_token', 'api_key'], 'session']);
  t.equal(new CredentialFinder({ apiKey: { header: 'X_Key' } }).keyHeader, 'x-key', 'by its plain name');
  const own = new CredentialFinder({ apiKey: { header: 'Authorization' } });
  t.same([own.headers, own.parameters, own.cookie], [['authorization'], [], null]);
});

t.test('adding a credential of lower rank never changes what decides', async () => {
  const header = fc.constantFrom(
    ['authorization', 'Bearer a'],
    ['authorization', BASIC],
    ['authorization', 'Digest x'],
    ['x-api-key', 'k'],
    ['x-api-key', 'l'],
    ['cookie', 'session=c'],
    ['accept', '*/*'],
  );
  fc.assert(
    fc.property(fc.array(header, { maxLength: 6 }), (fields) => {
      const finder = new CredentialFinder(ALL);
      const decided = finder.find(fields.flat(), '');
      const counted = (name: string) => fields.filter(([field]) => field === name).length;
      if (counted('authorization') > 1) return decided.kind === 'unusable';
      const value = fields.find(([field]) => field === 'authorization')?.[1] ?? '';
      if (value.startsWith('Bearer')) return decided.kind === 'jwt' && decided.token === 'a';
      if (value.startsWith('Basic')) return decided.kind === 'basic';
      if (counted('x-api-key') > 0)
        return decided.kind === (counted('x-api-key') > 1 ? 'unusable' : 'apiKey');
      if (value !== '') return decided.kind === 'none';
      return decided.kind === (['none', 'jwt', 'unusable'] as const)[Math.min(2, counted('cookie'))];
    }),
    { numRuns: 300 },
  );
});
