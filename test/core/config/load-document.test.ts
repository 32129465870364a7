import t from 'tap';
import { type LoadedDocument, loadDocument } from '../../../lib/core/config/load-document.ts';
import { validateDocument } from '../../../lib/core/config/validate.ts';
import { readCpuMs } from '../../helpers/event-loop-block.ts';
import { pointersOf } from './findings.ts';

function load(document: unknown): LoadedDocument & { pauses: number } {
  const slices = loadDocument(document);
  let pauses = 0;
  let step = slices.next();
  for (; step.done !== true; step = slices.next()) {
    pauses += 1;
  }
  return { ...step.value, pauses };
}

function largeDocument(routeCount: number, cluster: (index: number) => string) {
  const indices = Array.from({ length: routeCount }, (_, index) => index);
  return {
    clusters: Object.fromEntries(
      indices.map((index) => [`cluster-${index}`, { destinations: { d: { url: `http://h${index}` } } }]),
    ),
    routes: Object.fromEntries(
      indices.map((index) => [`r${index}`, { match: { path: `/${index}` }, cluster: cluster(index) }]),
    ),
  };
}

t.test('a valid document becomes a table of its values', async (t) => {
  const document = largeDocument(3, (index) => `cluster-${index}`);
  const { table, problems, warnings } = load(document);
  t.same(problems, []);
  t.same(warnings, []);
  t.equal(table?.configuration.routes.get('r1'), document.routes.r1);
  t.same(table?.check([{ op: 'delete', kind: 'cluster', id: 'cluster-1' }]).problems.length, 1);
});

t.test('a document with a problem has no table, and what validation says', async (t) => {
  const documents = [
    null,
    [],
    { clusters: null },
    { routes: { r: { match: {}, cluster: 'c' } } },
    { more: 1 },
    { clusters: undefined },
  ];
  for (const document of documents) {
    const { table, problems, warnings } = load(document);
    t.equal(table, null);
    t.ok(problems.length > 0);
    t.same({ configuration: null, problems, warnings }, validateDocument(document));
  }
});

t.test('every phase of a large document pauses every few hundred entries', async (t) => {
  const entryCount = 10_000;
  const { table, pauses } = load(largeDocument(entryCount / 2, (index) => `cluster-${index}`));
  t.equal(table?.configuration.routes.size, entryCount / 2);
  // Schema, rules and hashes of all entries; scopes, index, conflicts and users of routes, which are half.
  t.ok(pauses >= (entryCount / 200) * (3 + 4 / 2), `${pauses} pauses`);
});

t.test('a single huge entry pauses too while it is looked at', async (t) => {
  const { problems, pauses } = load({ routes: { r: { match: new Array(100_000).fill(0) } } });
  t.same(pointersOf(problems), ['/routes/r', '/routes/r/match']);
  t.ok(pauses >= 20, `${pauses} pauses`);
});

t.test('clusters with many destinations and routes with many hosts make shorter slices', async (t) => {
  const names = Array.from({ length: 200 }, (_, index) => `h${index}`);
  const destinations = Object.fromEntries(names.map((name) => [name, { url: `http://${name}` }]));
  const few = load({ clusters: { a: { destinations }, b: { destinations } } });
  t.same(few.problems, []);
  t.ok(few.pauses >= 2);
  const routes = Object.fromEntries(
    names.map((name) => [name, { match: { path: `/${name}`, hosts: names }, cluster: 'c' }]),
  );
  t.ok(load({ clusters: { c: { destinations } }, routes }).pauses >= 3 * 200);
});

t.test('routes with many client addresses make shorter slices', async (t) => {
  const document = largeDocument(20, (index) => `cluster-${index}`);
  const before = load(document).pauses;
  const allow = Array.from({ length: 200 }, (_, index) => `10.0.${index}.0/24`);
  for (const route of Object.values(document.routes)) Object.assign(route, { clientAddresses: { allow } });
  t.ok(load(document).pauses >= before + 20);
});

t.test(
  'missing clusters of a large document are answered soon, near names only while that is cheap',
  async (t) => {
    const startMs = readCpuMs();
    const { problems } = load(largeDocument(20_000, (index) => `cluster-of-service-number-${index}`));
    t.ok(readCpuMs() - startMs < 10_000, 'even on a slow machine');
    t.equal(problems.length, 1_001);
    t.equal(problems[0]?.hint, 'add it under clusters, or name another');
    const small = load(largeDocument(100, (index) => `cluste-${index}`));
    t.equal(small.problems[0]?.hint, 'did you mean cluster-0?');
  },
);
