/** After any history of changes, small and large, the table is as one built from what is left. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { Operation } from '../../lib/core/config/change.ts';
import { applyOperations, diffConfigurations } from '../../lib/core/config/difference.ts';
import { EMPTY_CONFIGURATION } from '../../lib/core/config/document.ts';
import { ContentFingerprint, hashEntry } from '../../lib/core/config/fingerprint.ts';
import type { Cluster, Configuration, Route } from '../../lib/core/config/model.ts';
import type { ProxiedRoute } from '../../lib/proxy/proxied-route.ts';
import type { RoutingTable } from '../../lib/worker/routing-table.ts';
import { createTable, openReceiver } from './table-fixtures.ts';

const PATHS = ['/', '/a', '/a/b', '/{x}', '/a/{x}', '/{**rest}'];
const HOSTS = ['a.test', '*.test', 'b.a.test'];
const REQUESTS = ['a.test', 'b.a.test', 'other'].flatMap((host) =>
  ['/', '/a', '/a/b', '/c', '/c/d'].map((path) => ({ host, path, method: 'GET', query: '', rawHeaders: [] })),
);

const clusterIds = fc.constantFrom('one', 'two', 'three');
const clusters: fc.Arbitrary<Cluster> = fc.record(
  {
    destinations: fc.dictionary(
      fc.constantFrom('d', 'e'),
      fc.record({ url: fc.constantFrom('http://127.0.0.1:1', 'http://127.0.0.1:2') }),
    ),
    timeouts: fc.record({ headersMs: fc.integer({ min: 1, max: 3 }) }),
  },
  { requiredKeys: ['destinations'] },
);
const routesTo = (ids: readonly string[]): fc.Arbitrary<Route> =>
  fc.record(
    {
      match: fc.record({
        path: fc.constantFrom(...PATHS),
        hosts: fc.uniqueArray(fc.constantFrom(...HOSTS), { minLength: 1 }),
      }),
      cluster: fc.constantFrom(...ids),
      order: fc.integer({ min: 0, max: 2 }),
    },
    { requiredKeys: ['match', 'cluster'] },
  );

const configurations: fc.Arbitrary<Configuration> = fc
  .dictionary(clusterIds, clusters, { minKeys: 1 })
  .chain((chosen) =>
    fc.dictionary(fc.constantFrom(...'rstuvw'), routesTo(Object.keys(chosen))).map((routes) => ({
      ...EMPTY_CONFIGURATION,
      clusters: new Map(Object.entries(chosen)),
      routes: new Map(Object.entries(routes)),
    })),
  );

/** How each configuration after the first gets to the worker, and whether only a part of it changes. */
const histories = fc.array(
  fc.record({
    to: configurations,
    by: fc.constantFrom('delta' as const, 'transfer' as const, 'whole' as const),
    share: fc.constantFrom(1, 1, 2),
    slices: fc.integer({ min: 1, max: 4 }),
  }),
  { minLength: 1, maxLength: 6 },
);

function cut(operations: readonly Operation[], slices: number): Operation[][] {
  const length = Math.max(1, Math.ceil(operations.length / slices));
  return Array.from({ length: slices }, (_, index) => operations.slice(index * length, (index + 1) * length));
}

/** What becomes of a configuration when only some of the changes that lead to another are made. */
function changesTowards(from: Configuration, to: Configuration, share: number): Operation[] {
  const all = diffConfigurations(from, to);
  if (share === 1) return all;
  // Puts alone never leave a route without its cluster, as long as the clusters come along.
  return all.filter(
    (operation, index) => operation.op === 'put' && (operation.kind === 'cluster' || index % share === 0),
  );
}

function fingerprintOf(configuration: Configuration): string {
  const fingerprint = new ContentFingerprint();
  for (const [id, value] of configuration.clusters) fingerprint.add(hashEntry('cluster', id, value));
  for (const [id, value] of configuration.routes) fingerprint.add(hashEntry('route', id, value));
  return fingerprint.toString();
}

/** All that a request can see of a table. */
function behaviourOf(table: RoutingTable | undefined): unknown[] {
  return REQUESTS.map((facts) => {
    const route = table?.match(facts) ?? null;
    if (route === null) return null;
    const { headersMs, balancer } = route.cluster;
    const destinations = balancer.destinations.map(({ id, url }) => `${id} ${url.href}`);
    return { route: route.id, cluster: route.cluster.id, headersMs, destinations };
  });
}

/** The routes that requests find, by id. */
function foundRoutes(table: RoutingTable | undefined): Map<string, ProxiedRoute> {
  const found = new Map<string, ProxiedRoute>();
  for (const facts of REQUESTS) {
    const route = table?.match(facts) ?? null;
    if (route !== null) found.set(route.id, route);
  }
  return found;
}

function assertUntouchedSame(
  before: ReadonlyMap<string, ProxiedRoute>,
  destinations: ReadonlyMap<string, readonly unknown[]>,
  after: ReadonlyMap<string, ProxiedRoute>,
  touched: ReadonlySet<string>,
): void {
  for (const [id, route] of after) {
    const known = before.get(id);
    if (known === undefined) continue;
    if (!touched.has(`route ${id}`)) assert.equal(route, known, `route ${id}`);
    if (known.cluster.id !== route.cluster.id) continue;
    assert.equal(route.cluster, known.cluster, `cluster ${route.cluster.id}`);
    assert.equal(route.stats, known.stats, `the counts of ${id}`);
    if (touched.has(`cluster ${route.cluster.id}`)) continue;
    for (const [index, destination] of route.cluster.balancer.destinations.entries())
      assert.ok(destination === destinations.get(id)?.[index], `destination ${destination.id}`);
  }
}

async function play(history: typeof histories extends fc.Arbitrary<infer H> ? H : never): Promise<void> {
  const { transfer, delta, done, answers, serving, destroy } = openReceiver(0);
  let current: Configuration = EMPTY_CONFIGURATION;
  transfer(null, 1);
  for (const [index, { to, by, share, slices }] of history.entries()) {
    await done();
    const before = foundRoutes(serving());
    const destinations = new Map([...before].map(([id, { cluster }]) => [id, cluster.balancer.destinations]));
    const operations = changesTowards(current, to, share);
    current = applyOperations(current, operations);
    const all = diffConfigurations(EMPTY_CONFIGURATION, current);
    if (by === 'delta') delta(index + 1, index + 2, operations);
    else if (by === 'transfer') transfer(index + 1, index + 2, ...cut(operations, slices));
    else transfer(null, index + 2, ...cut(all, slices));
    await done();
    const touched = new Set(operations.map(({ kind, id }) => `${kind} ${id}`));
    if (by !== 'whole') assertUntouchedSame(before, destinations, foundRoutes(serving()), touched);
    const rebuilt = createTable();
    rebuilt.apply(all);
    const answer = answers.at(-1);
    assert.equal(answer?.type, 'applied');
    assert.equal(answer?.type === 'applied' && answer.fingerprint, fingerprintOf(current));
    assert.equal(serving()?.fingerprint, rebuilt.fingerprint);
    assert.deepEqual(behaviourOf(serving()), behaviourOf(rebuilt));
    assert.deepEqual(
      [serving()?.routeCount, serving()?.clusterCount],
      [current.routes.size, current.clusters.size],
    );
    rebuilt.destroy();
  }
  destroy();
}

t.test(
  'after any history the table is as one built from what is left, and what was not touched is the same',
  async () => {
    await fc.assert(fc.asyncProperty(histories, play), { numRuns: 300 });
  },
);
