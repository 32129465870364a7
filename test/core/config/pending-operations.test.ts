import fc from 'fast-check';
import t from 'tap';
import type { Operation } from '../../../lib/core/config/change.ts';
import { applyOperations, diffConfigurations } from '../../../lib/core/config/difference.ts';
import { EMPTY_CONFIGURATION } from '../../../lib/core/config/document.ts';
import type { Configuration } from '../../../lib/core/config/model.ts';
import { inSafeOrder, PendingOperations } from '../../../lib/core/config/pending-operations.ts';

const CLUSTER = { destinations: {} };
const putCluster = (id: string): Operation => ({ op: 'put', kind: 'cluster', id, value: CLUSTER });
const deleteCluster = (id: string): Operation => ({ op: 'delete', kind: 'cluster', id });
const putRoute = (id: string, cluster: string): Operation => ({
  op: 'put',
  kind: 'route',
  id,
  value: { match: { path: '/' }, cluster },
});
const deleteRoute = (id: string): Operation => ({ op: 'delete', kind: 'route', id });

t.test('of several operations on one entry only the last is kept', (t) => {
  const pending = new PendingOperations();
  pending.add([putRoute('r', 'one'), putRoute('s', 'one')]);
  pending.add([putRoute('r', 'two')]);
  pending.add([deleteRoute('s')]);
  t.equal(pending.size, 2);
  t.same(pending.take(), [putRoute('r', 'two'), deleteRoute('s')]);
  t.end();
});

t.test('a route and a cluster with the same id are two entries', (t) => {
  const pending = new PendingOperations();
  pending.add([putCluster('same'), putRoute('same', 'same')]);
  t.equal(pending.size, 2);
  t.end();
});

t.test('what was taken is not given again', (t) => {
  const pending = new PendingOperations();
  pending.add([putCluster('one')]);
  t.equal(pending.take().length, 1);
  t.equal(pending.size, 0);
  t.same(pending.take(), []);
  t.end();
});

t.test('clusters come before the routes that need them, and go after them', (t) => {
  const ordered = inSafeOrder([
    deleteCluster('old'),
    deleteRoute('gone'),
    putRoute('r', 'new'),
    putCluster('new'),
  ]);
  t.same(ordered, [putCluster('new'), putRoute('r', 'new'), deleteRoute('gone'), deleteCluster('old')]);
  t.end();
});

/** Any configuration of a few clusters and routes, each route with its cluster. */
const arbitraryConfiguration: fc.Arbitrary<Configuration> = fc
  .uniqueArray(fc.constantFrom('one', 'two', 'three'), { minLength: 1 })
  .chain((clusters) =>
    fc.dictionary(fc.constantFrom('r', 's', 't', 'one'), fc.constantFrom(...clusters)).map((routes) => ({
      ...EMPTY_CONFIGURATION,
      clusters: new Map(clusters.map((id) => [id, CLUSTER])),
      routes: new Map(
        Object.entries(routes).map(([id, cluster]) => [id, { match: { path: `/${id}` }, cluster }]),
      ),
    })),
  );

t.test('a whole history folded together leads to where it ends, and no step leaves a route alone', (t) => {
  fc.assert(
    fc.property(fc.array(arbitraryConfiguration, { minLength: 1, maxLength: 6 }), (history) => {
      const pending = new PendingOperations();
      let current: Configuration = EMPTY_CONFIGURATION;
      // The worker holds the first one and is told the rest at once.
      const [first = EMPTY_CONFIGURATION, ...later] = history;
      current = first;
      for (const next of later) {
        pending.add(diffConfigurations(current, next));
        current = next;
      }
      let applied = first;
      for (const operation of pending.take()) {
        applied = applyOperations(applied, [operation]);
        for (const { cluster } of applied.routes.values()) {
          if (!applied.clusters.has(cluster)) return false;
        }
      }
      return diffConfigurations(applied, current).length === 0;
    }),
    { numRuns: 500 },
  );
  t.end();
});
