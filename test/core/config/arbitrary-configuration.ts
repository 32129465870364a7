/** Random configurations, changes and requests from small alphabets, so that they meet often. */
import fc from 'fast-check';
import type { Cluster, Route } from '../../../lib/core/config/model.ts';

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

export const arbitraryRoute: fc.Arbitrary<Route> = fc.record(
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

const arbitraryCluster: fc.Arbitrary<Cluster> = fc.record({
  destinations: fc.dictionary(
    fc.constantFrom('d', 'e'),
    fc.record({ url: fc.constantFrom('http://h', 'http://i:81') }),
  ),
});

const CLUSTER_IDS = ['one', 'two', 'three'];
const ROUTE_IDS = [...'abcdefgh', 'one', 'toString'];

/** Values that no entry may have: of another form, against a rule, with a cluster that is never there. */
const arbitraryBadCluster = fc.constantFrom<unknown>(
  null,
  {},
  { destinations: { d: { url: 'ftp://h' } } },
  { destinations: {}, extra: 1 },
  { destinations: { prototype: { url: 'http://h' } } },
  { destinations: new Map() },
);
const arbitraryBadRoute = fc.constantFrom<unknown>(
  7,
  { match: {} },
  { match: { path: 'x' }, cluster: 'one' },
  { match: { hosts: ['a b'] }, cluster: 'one' },
  { match: {}, cluster: 'never' },
  { match: new Date(0), cluster: 'one' },
  { match: {}, cluster: 'one', order: undefined },
);

/** An operation of good form, whose value is bad now and then. */
export interface ArbitraryOperation {
  readonly op: 'put' | 'delete';
  readonly kind: 'cluster' | 'route';
  readonly id: string;
  readonly value?: unknown;
}

const clusterId = fc.constantFrom(...CLUSTER_IDS);
const routeId = fc.constantFrom(...ROUTE_IDS);

/** Routes that a history keeps: few enough hosts and predicates for twins and routes that never win. */
const arbitraryPlainRoute: fc.Arbitrary<Route> = fc.record(
  {
    match: fc.record(
      {
        hosts: fc.uniqueArray(fc.constantFrom('a.de', 'b.a.de', '*.a.de'), { minLength: 1, maxLength: 2 }),
        path: fc.constantFrom(...PATHS),
        methods: fc.constantFrom(['GET'], ['GET', 'PUT']),
      },
      { requiredKeys: [] },
    ),
    cluster: clusterId,
    order: fc.integer({ min: -2, max: 2 }),
    allowEncodedSlash: fc.boolean(),
  },
  { requiredKeys: ['match', 'cluster'] },
);

export const arbitraryOperation: fc.Arbitrary<ArbitraryOperation> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constant('put' as const),
      kind: fc.constant('route' as const),
      id: routeId,
      value: fc.oneof(arbitraryPlainRoute, arbitraryRoute),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('put' as const),
      kind: fc.constant('cluster' as const),
      id: clusterId,
      value: arbitraryCluster,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('delete' as const),
      kind: fc.constant('route' as const),
      id: routeId,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('delete' as const),
      kind: fc.constant('cluster' as const),
      id: clusterId,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.oneof(
      arbitraryBadRoute.map((value) => ({ op: 'put' as const, kind: 'route' as const, id: 'a', value })),
      arbitraryBadCluster.map((value) => ({
        op: 'put' as const,
        kind: 'cluster' as const,
        id: 'one',
        value,
      })),
    ),
  },
);

/** Changes to be tried one after the other, each of which may be valid or not. */
export const arbitraryHistory = fc.array(fc.array(arbitraryOperation, { maxLength: 4 }), {
  minLength: 5,
  maxLength: 30,
});
