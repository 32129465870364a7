import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import type { Operation } from '../../../lib/core/config/change.ts';
import {
  applyOperations,
  changedDocument,
  diffConfigurations,
  diffInSlices,
} from '../../../lib/core/config/difference.ts';
import { documentOf, EMPTY_CONFIGURATION } from '../../../lib/core/config/document.ts';
import { equalValues } from '../../../lib/core/config/equal-values.ts';
import { type Cluster, COLLECTIONS, type Configuration } from '../../../lib/core/config/model.ts';
import { finishSlices } from '../../../lib/core/config/slices.ts';
import { arbitraryConfiguration } from './arbitrary-configuration.ts';

const cluster = (url: string): Cluster => ({ destinations: { d: { url } } });

/** The same value with the keys of every object the other way round. */
function reverseKeys<T>(value: T): T {
  if (Array.isArray(value)) {
    return value.map(reverseKeys) as T;
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([key, child]) => [key, reverseKeys(child)])) as T;
}

function reverseConfiguration(configuration: Configuration): Configuration {
  const collections = Object.values(COLLECTIONS).map((collection) => {
    const entries = [...configuration[collection]].reverse();
    return [collection, new Map<string, unknown>(entries.map(([id, value]) => [id, reverseKeys(value)]))];
  });
  return Object.fromEntries(collections);
}

t.test('applying the difference leads from any configuration to any other', async () => {
  fc.assert(
    fc.property(arbitraryConfiguration, arbitraryConfiguration, (from, to) => {
      return isDeepStrictEqual(applyOperations(from, diffConfigurations(from, to)), to);
    }),
    { numRuns: 300 },
  );
});

t.test('there is no difference to the same content, whatever the order of keys and ids', async () => {
  fc.assert(
    fc.property(arbitraryConfiguration, (configuration) => {
      return diffConfigurations(configuration, reverseConfiguration(configuration)).length === 0;
    }),
    { numRuns: 300 },
  );
});

t.test('each step of a difference leaves no route without its cluster', async (t) => {
  const from: Configuration = {
    ...EMPTY_CONFIGURATION,
    clusters: new Map([['old', cluster('http://a')]]),
    routes: new Map([
      ['kept', { match: {}, cluster: 'old' }],
      ['gone', { match: { path: '/x' }, cluster: 'old' }],
    ]),
  };
  const to: Configuration = {
    ...EMPTY_CONFIGURATION,
    clusters: new Map([['new', cluster('http://a')]]),
    routes: new Map([['kept', { match: {}, cluster: 'new' }]]),
  };
  const operations = diffConfigurations(from, to);
  t.same(
    operations.map(({ op, kind, id }) => `${op} ${kind} ${id}`),
    ['put cluster new', 'put route kept', 'delete route gone', 'delete cluster old'],
  );
  let configuration = from;
  for (const operation of operations) {
    configuration = applyOperations(configuration, [operation]);
    for (const route of configuration.routes.values()) {
      t.ok(configuration.clusters.has(route.cluster));
    }
  }
});

t.test('applying operations leaves the given configuration as it is', async (t) => {
  const before: Configuration = { ...EMPTY_CONFIGURATION, clusters: new Map([['a', cluster('http://a')]]) };
  const after = applyOperations(before, [
    { op: 'delete', kind: 'cluster', id: 'a' },
    { op: 'delete', kind: 'route', id: 'unknown' },
    { op: 'put', kind: 'cluster', id: 'b', value: cluster('http://b') },
  ]);
  t.same([...before.clusters.keys()], ['a']);
  t.same([...after.clusters.keys()], ['b']);
  t.equal(EMPTY_CONFIGURATION.routes.size, 0);
});

t.test('an operation of an unknown kind is refused, not lost', async (t) => {
  const operation = { op: 'delete', kind: '__proto__', id: 'a' } as unknown as Operation;
  t.throws(() => applyOperations(EMPTY_CONFIGURATION, [operation]), {
    name: 'RangeError',
    message: /unknown kind/,
  });
});

t.test('a difference between large configurations pauses every few hundred entries', async (t) => {
  const clusters = new Map([['c', cluster('http://a')]]);
  const routesTo = (path: string, first: number): Configuration => ({
    ...EMPTY_CONFIGURATION,
    clusters,
    routes: new Map(
      Array.from({ length: 5_000 }, (_, index) => [`r${first + index}`, { match: { path }, cluster: 'c' }]),
    ),
  });
  const slices = diffInSlices(routesTo('/a', 0), routesTo('/b', 2_500));
  let pauses = 0;
  let step = slices.next();
  for (; step.done !== true; step = slices.next()) {
    pauses += 1;
  }
  t.equal(step.value.length, 7_500);
  t.ok(pauses >= 10_000 / 400, `${pauses} pauses`);
});

t.test('the changed document is that of the configuration that the operations make', async () => {
  fc.assert(
    fc.property(arbitraryConfiguration, arbitraryConfiguration, (from, to) => {
      const operations = diffConfigurations(from, to);
      const document = finishSlices(changedDocument(from, [...operations, ...operations]));
      return equalValues(document, documentOf(to));
    }),
    { numRuns: 200 },
  );
});

t.test('an id that means something to an object is an entry of the changed document', async (t) => {
  const value = cluster('http://a');
  const put: Operation = { op: 'put', kind: 'cluster', id: '__proto__', value };
  const document = finishSlices(changedDocument(EMPTY_CONFIGURATION, [put]));
  t.strictSame(Object.keys(document.clusters as object), ['__proto__']);
});
