import t from 'tap';
import type { Explanation } from '../../../lib/core/explain/explanation.ts';
import { hideCredentials } from '../../../lib/core/explain/hide-credentials.ts';

type Fields = NonNullable<Explanation['upstream']>['headers'];

function explanationOf(query: string, headers: Fields, auth?: object): Explanation {
  const policies = auth === undefined ? [] : [{ policy: 'auth', effect: 'asks', settings: auth }];
  return {
    ...{ revision: 1, worker: 1, candidates: [], candidatesCut: false, destinations: [], policies },
    request: { method: 'GET', host: 'localhost', path: '/a', query },
    upstream: { method: 'GET', target: query === '' ? '/a' : `/a?${query}`, headers },
  };
}

function hidden(query: string, headers: Fields, auth?: object) {
  const { request, upstream } = hideCredentials(explanationOf(query, headers, auth));
  return { query: request?.query, target: upstream?.target, headers: upstream?.headers };
}

t.test(
  'the values of Authorization and of cookies are hidden on every route, their names are not',
  async (t) => {
    const { headers } = hidden('', [
      ['Authorization', 'Bearer t'],
      ['cookie', 'a=1; session = s; loose'],
      ['x-a', '1'],
    ]);
    t.same(headers, [
      ['Authorization', '<hidden>'],
      ['cookie', 'a=<hidden>; session=<hidden>; <hidden>'],
      ['x-a', '1'],
    ]);
  },
);

t.test('where a route takes keys and tokens, they are hidden in whatever spelling they come', async (t) => {
  const auth = { issuers: ['i'], tokenFrom: { query: 'access' }, apiKey: { header: 'X-Key', query: 'key' } };
  const { query, target, headers } = hidden(
    'a=1&%61ccess=t&key=k&b&key&access+=2',
    [
      ['x-KEY', 'k'],
      ['X_Key', 'k'],
    ],
    auth,
  );
  t.equal(query, 'a=1&%61ccess=<hidden>&key=<hidden>&b&<hidden>&access+=2');
  t.equal(target, `/a?${query}`);
  t.same(headers, [
    ['x-KEY', '<hidden>'],
    ['X_Key', '<hidden>'],
  ]);
});

t.test('what is no credential of the route stays as it is', async (t) => {
  const before = explanationOf('access=1&key=2', [['x-api-key', 'k']], { basic: {} });
  t.same(hideCredentials(before), before);
  const { request: _request, upstream: _upstream, ...refused } = before;
  t.same(hideCredentials(refused), refused);
});
