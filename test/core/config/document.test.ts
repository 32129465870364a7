import t from 'tap';
import { documentOf, EMPTY_CONFIGURATION } from '../../../lib/core/config/document.ts';
import { formatProblem } from '../../../lib/core/config/problem.ts';

t.test('a document has its ids sorted, and the values as they are', async (t) => {
  const cluster = { destinations: {} };
  const document = documentOf({
    clusters: new Map([
      ['b', cluster],
      ['a', { destinations: {} }],
      ['B', { destinations: {} }],
    ]),
    routes: new Map([['r', { match: {}, cluster: 'a' }]]),
  });
  t.same(Object.keys(document.clusters ?? {}), ['B', 'a', 'b']);
  t.equal(document.clusters?.b, cluster);
  t.same(document.routes, { r: { match: {}, cluster: 'a' } });
});

t.test('the empty configuration has an empty document', async (t) => {
  t.same(documentOf(EMPTY_CONFIGURATION), { clusters: {}, routes: {} });
});

t.test('a problem is one line with its place', async (t) => {
  t.equal(formatProblem({ pointer: '', message: 'is wrong' }), '(document): is wrong');
  t.equal(formatProblem({ pointer: '/a', message: 'is wrong', hint: 'mend it' }), '/a: is wrong (mend it)');
});
