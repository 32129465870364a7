/** Random routes and requests from small alphabets, so that they meet often. */
import fc from 'fast-check';
import type { Route } from '../../../lib/core/config/model.ts';

const HOSTS = ['a.de', 'b.a.de', 'c.b.a.de', '*.a.de', '*.b.a.de', '*.de', '[::1]'];
const PATHS = [
  '/',
  '/a',
  '/a/',
  '/a/b',
  '/{x}',
  '/{x}/b',
  '/a/{x}',
  '/{x}/{y}',
  '/{**r}',
  '/a/{**r}',
  '/{x}/{**r}',
  '/a/b/{**r}',
];

const predicate = fc.oneof(
  fc.record({
    name: fc.constantFrom('x', 'X', 'y'),
    mode: fc.constantFrom('exact' as const, 'prefix' as const, 'contains' as const),
    values: fc.uniqueArray(fc.constantFrom('1', '12', '2', ''), { minLength: 1, maxLength: 2 }),
  }),
  fc.record({
    name: fc.constantFrom('x', 'X', 'y'),
    mode: fc.constantFrom('exists' as const, 'notExists' as const),
  }),
);

const arbitraryRoute: fc.Arbitrary<Route> = fc.record(
  {
    match: fc.record(
      {
        hosts: fc.uniqueArray(fc.constantFrom(...HOSTS), { minLength: 1, maxLength: 3 }),
        path: fc.constantFrom(...PATHS),
        methods: fc.uniqueArray(fc.constantFrom('GET', 'PUT'), { minLength: 1 }),
        headers: fc.array(predicate, { minLength: 1, maxLength: 2 }),
        query: fc.array(predicate, { minLength: 1, maxLength: 1 }),
      },
      { requiredKeys: [] },
    ),
    cluster: fc.constantFrom('one', 'two'),
    order: fc.constantFrom(0, 0, 0, 1, 2),
    limits: fc.record({ maxBodyBytes: fc.nat(3) }),
  },
  { requiredKeys: ['match', 'cluster'] },
);

export const arbitraryRoutes: fc.Arbitrary<ReadonlyMap<string, Route>> = fc
  .dictionary(fc.constantFrom(...'abcdefghijklmnop'), arbitraryRoute, { maxKeys: 12, minKeys: 2 })
  .map((routes) => new Map(Object.entries(routes)));

const pair = fc.tuple(fc.constantFrom('x', 'y', 'X'), fc.constantFrom('1', '12', '2', '31', ''));

export const arbitraryRequest = fc.record({
  host: fc.constantFrom('a.de', 'b.a.de', 'c.b.a.de', 'd.c.b.a.de', 'z.de', 'z', '[::1]'),
  path: fc.constantFrom('/', '/a', '/a/', '/b', '/a/b', '/b/b', '/a/c', '/a/b/', '/a/b/c', '/c/d/e'),
  method: fc.constantFrom('GET', 'PUT', 'POST'),
  query: fc
    .array(pair, { maxLength: 2 })
    .map((pairs) => pairs.map(([name, value]) => `${name}=${value}`).join('&')),
  rawHeaders: fc.array(pair, { maxLength: 2 }).map((pairs) => pairs.flat()),
});
