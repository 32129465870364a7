import fc from 'fast-check';
import t from 'tap';
import {
  type Found,
  findCookie,
  findField,
  findParameter,
  REPEATED,
} from '../../../lib/core/policy/request-credentials.ts';

const RUNS = { numRuns: 300 };

t.test('a field is found in any spelling, and refused where it stands twice', async (t) => {
  t.equal(findField(['Host', 'a', 'X-API-Key', 'k'], 'x-api-key'), 'k');
  t.equal(findField(['x-api-keys', 'k', 'xapikey', 'k'], 'x-api-key'), null);
  t.equal(findField(['x-api-key', 'k', 'X-Api-Key', 'k'], 'x-api-key'), REPEATED, 'also with one value');
  t.equal(findField(['x-api-key', ''], 'x-api-key'), '', 'an empty one is there');
});

t.test('a look-alike of a field counts as the field: an origin may take either', async (t) => {
  for (const name of ['X_Api_Key', 'x.api-key', 'X-API_KEY']) {
    t.equal(findField([name, 'k'], 'x-api-key'), 'k', name);
    t.equal(findField(['x-api-key', 'k', name, 'l'], 'x-api-key'), REPEATED, name);
  }
});

t.test('a cookie is found by its exact name, within and across fields', async (t) => {
  const cases: readonly (readonly [readonly string[], Found])[] = [
    [['Cookie', 'token=abc'], 'abc'],
    [['cookie', 'a=1; token=abc; b=2'], 'abc'],
    [['cookie', 'a=1;token=abc'], 'abc'],
    [['cookie', 'a=1', 'COOKIE', ' token = abc '], 'abc'],
    [['cookie', 'token="abc"'], 'abc'],
    [['cookie', 'token=a=b=='], 'a=b=='],
    [['cookie', 'token='], ''],
    [['cookie', 'Token=abc'], null],
    [['cookie', 'xtoken=abc; tokenx=abc; token'], null],
    [['cookie', 'a="; token=abc"'], 'abc"'],
    [['cookie', 'token=abc; token=abc'], REPEATED],
    [['cookie', 'token=abc', 'cookie', 'token=def'], REPEATED],
    [['x-cookie', 'token=abc'], null],
    [[], null],
  ];
  for (const [rawHeaders, expected] of cases) {
    t.equal(findCookie(rawHeaders, 'token'), expected, JSON.stringify(rawHeaders));
  }
});

t.test('a parameter is found by its decoded name', async (t) => {
  const cases: readonly (readonly [string, Found])[] = [
    ['', null],
    ['api_key=abc', 'abc'],
    ['a=1&api%5fkey=a%2Bb+c', 'a+b c'],
    ['api_key', ''],
    ['API_KEY=abc&api_keys=abc', null],
    ['api_key=1&api_key=1', REPEATED],
    ['api_key=1&a=2&%61pi_key=2', REPEATED],
    ['api_key=%', '%'],
  ];
  for (const [query, expected] of cases) t.equal(findParameter(query, 'api_key'), expected, query);
});

t.test('whatever is beside it: one is found, two are refused', async () => {
  const noise = fc.array(
    fc.tuple(fc.string(), fc.string()).filter(([name]) => name !== 'k'),
    { maxLength: 5 },
  );
  fc.assert(
    fc.property(
      noise,
      noise,
      fc.string({ minLength: 1 }),
      fc.integer({ min: 0, max: 2 }),
      (before, after, value, count) => {
        const own = new Array<[string, string]>(count).fill(['k', value]);
        const query = new URLSearchParams([...before, ...own, ...after]).toString();
        const expected = count === 0 ? null : count === 1 ? value.toWellFormed() : REPEATED;
        return findParameter(query, 'k') === expected;
      },
    ),
    RUNS,
  );
});
