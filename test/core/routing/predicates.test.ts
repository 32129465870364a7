import t from 'tap';
import type { RouteMatch, RoutePredicate } from '../../../lib/core/config/model.ts';
import { compilePredicates, findPredicateProblem } from '../../../lib/core/routing/predicates.ts';
import { parseQueryPairs } from '../../../lib/core/routing/query-pairs.ts';
import type { RequestFacts } from '../../../lib/core/routing/request-facts.ts';

const facts = (change: Partial<RequestFacts>): RequestFacts => ({
  host: 'a.test',
  path: '/',
  query: '',
  method: 'GET',
  rawHeaders: [],
  ...change,
});

function accept(match: RouteMatch, request: Partial<RequestFacts>): boolean {
  const predicates = compilePredicates(match);
  if (predicates === null) {
    return true;
  }
  const pairs = parseQueryPairs(request.query ?? '');
  return predicates.acceptHead(facts(request)) && predicates.acceptQuery(pairs);
}

const acceptHeader = (predicate: Omit<RoutePredicate, 'name'>, rawHeaders: string[]) =>
  accept({ headers: [{ name: 'X-Version', ...predicate }] }, { rawHeaders });

t.test('methods are compared as they are', async (t) => {
  t.ok(accept({ methods: ['GET', 'POST'] }, { method: 'POST' }));
  t.notOk(accept({ methods: ['GET'] }, { method: 'HEAD' }));
  t.notOk(accept({ methods: ['GET'] }, { method: 'get' }));
});

t.test('exact is the default, any of the values is enough, and values are case-sensitive', async (t) => {
  t.ok(acceptHeader({ values: ['1', '2'] }, ['x-version', '2']));
  t.notOk(acceptHeader({ values: ['1', '2'] }, ['x-version', '3']));
  t.notOk(acceptHeader({ values: ['a'] }, ['x-version', 'A']));
  t.notOk(acceptHeader({ values: ['1'] }, []));
});

t.test('header names are case-insensitive', async (t) => {
  t.ok(acceptHeader({ values: ['1'] }, ['X-VERSION', '1']));
  t.notOk(acceptHeader({ values: ['1'] }, ['x-versioN2', '1']));
  t.notOk(acceptHeader({ values: ['1'] }, ['x_version', '1']));
});

t.test('a header that occurs several times matches if any occurrence does', async (t) => {
  t.ok(acceptHeader({ values: ['2'] }, ['x-version', '1', 'other', '2', 'X-Version', '2']));
  t.notOk(acceptHeader({ values: ['2'] }, ['x-version', '1', 'other', '2']));
});

t.test('prefix and contains look at the start and anywhere', async (t) => {
  t.ok(acceptHeader({ mode: 'prefix', values: ['ab'] }, ['x-version', 'abc']));
  t.notOk(acceptHeader({ mode: 'prefix', values: ['bc'] }, ['x-version', 'abc']));
  t.ok(acceptHeader({ mode: 'contains', values: ['zz', 'bc'] }, ['x-version', 'abc']));
  t.notOk(acceptHeader({ mode: 'contains', values: ['ca'] }, ['x-version', 'abc']));
});

t.test('exists and notExists look at the name alone', async (t) => {
  t.ok(acceptHeader({ mode: 'exists' }, ['x-version', '']));
  t.notOk(acceptHeader({ mode: 'exists' }, ['x', 'x-version']));
  t.ok(acceptHeader({ mode: 'notExists' }, ['x', 'x-version']));
  t.notOk(acceptHeader({ mode: 'notExists' }, ['x-version', '']));
});

t.test('every predicate must hold', async (t) => {
  const match: RouteMatch = {
    headers: [
      { name: 'a', values: ['1'] },
      { name: 'b', mode: 'exists' },
    ],
    query: [{ name: 'q', mode: 'exists' }],
  };
  t.ok(accept(match, { rawHeaders: ['a', '1', 'b', '2'], query: 'q' }));
  t.notOk(accept(match, { rawHeaders: ['a', '1'], query: 'q' }));
  t.notOk(accept(match, { rawHeaders: ['b', '2'], query: 'q' }));
  t.notOk(accept(match, { rawHeaders: ['a', '1', 'b', '2'] }));
});

t.test('query names and values are decoded and case-sensitive', async (t) => {
  const match: RouteMatch = { query: [{ name: 'full name', values: ['Zoë Q'] }] };
  t.ok(accept(match, { query: 'x=1&full+name=Zo%C3%AB%20Q' }));
  t.notOk(accept(match, { query: 'Full+name=Zo%C3%AB%20Q' }));
  t.ok(accept({ query: [{ name: 'a', values: [''] }] }, { query: 'a' }));
});

t.test('a query comes apart as forms are written; malformed escapes stay raw', async (t) => {
  t.same(parseQueryPairs(''), []);
  t.same(parseQueryPairs('&&'), []);
  t.same(parseQueryPairs('a=1&b&=2&c=3=4&'), ['a', '1', 'b', '', '', '2', 'c', '3=4']);
  t.same(parseQueryPairs('a+b=%2B'), ['a b', '+']);
  t.same(parseQueryPairs('a=%zz+1&%ff=%'), ['a', '%zz+1', '%ff', '%']);
});

t.test('the methods count as one predicate, each header and parameter as one', async (t) => {
  t.equal(compilePredicates({ path: '/' }), null);
  t.equal(
    compilePredicates({
      methods: ['GET', 'PUT', 'POST'],
      headers: [{ name: 'a', mode: 'exists' }],
      query: [
        { name: 'a', mode: 'exists' },
        { name: 'b', values: ['1', '2'] },
      ],
    })?.count,
    4,
  );
});

t.test(
  'a predicate that compares with nothing, or does not look at its values, makes no sense',
  async (t) => {
    t.equal(findPredicateProblem({ name: 'a', values: ['1'] }), null);
    t.equal(findPredicateProblem({ name: 'a', mode: 'exists' }), null);
    t.match(findPredicateProblem({ name: 'a' }), /no values to compare in mode exact/);
    t.match(findPredicateProblem({ name: 'a', mode: 'contains' }), /no values to compare in mode contains/);
    t.match(findPredicateProblem({ name: 'a', mode: 'notExists', values: ['1'] }), /does not look at/);
    t.throws(() => compilePredicates({ query: [{ name: 'a' }] }), { message: /no values to compare/ });
  },
);
