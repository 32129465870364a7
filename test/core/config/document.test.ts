import fc from 'fast-check';
import t from 'tap';
import {
  collectionSlices,
  documentOf,
  documentSlices,
  EMPTY_CONFIGURATION,
} from '../../../lib/core/config/document.ts';
import type { Cluster, Route } from '../../../lib/core/config/model.ts';
import { formatProblem } from '../../../lib/core/config/problem.ts';
import { arbitraryConfiguration } from './arbitrary-configuration.ts';

t.test('a document has its ids sorted, and the values as they are', async (t) => {
  const cluster = { destinations: {} };
  const document = documentOf({
    ...EMPTY_CONFIGURATION,
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
  t.same(documentOf(EMPTY_CONFIGURATION), {
    clusters: {},
    issuers: {},
    consumers: {},
    certificates: {},
    routes: {},
  });
});

t.test('the pieces of a document are one JSON text of it, those of a collection too', async () => {
  const arbitraryEntries = fc
    .dictionary(fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,3}$/), fc.constant({ destinations: {} }))
    .map((clusters) => new Map<string, Cluster>(Object.entries(clusters)));
  fc.assert(
    fc.property(arbitraryEntries, arbitraryConfiguration, (clusters, others) => {
      const configuration = { ...others, clusters };
      const { routes } = others;
      const text = [...documentSlices(configuration)].join('');
      const routesText = [...collectionSlices(routes)].join('');
      const document = documentOf(configuration);
      return (
        JSON.stringify(JSON.parse(text)) === JSON.stringify(document) &&
        JSON.stringify(JSON.parse(routesText)) === JSON.stringify(document.routes)
      );
    }),
    { numRuns: 300 },
  );
});

t.test('the pieces are short, sorted by id, and show one moment however long they take', async (t) => {
  const ids = Array.from({ length: 5_000 }, (_, index) => `r${(index * 7) % 5_000}`);
  const routes = new Map<string, Route>(ids.map((id) => [id, { match: { path: `/${id}` }, cluster: 'c' }]));
  const configuration = {
    ...EMPTY_CONFIGURATION,
    clusters: new Map([['c', { destinations: {} }]]),
    routes,
  };
  const expected = documentOf(configuration);
  const slices = documentSlices(configuration);
  routes.delete('r1');
  const pieces: string[] = [];
  for (const piece of slices) {
    pieces.push(piece);
    routes.set(`late${pieces.length}`, { match: {}, cluster: 'c' });
  }
  const document = JSON.parse(pieces.join(''));
  t.same(document, expected);
  t.same(Object.keys(document.routes), ids.toSorted());
  t.ok(pieces.every((piece) => piece.length < 200 * 100));
});

t.test('a problem is one line with its place', async (t) => {
  t.equal(formatProblem({ pointer: '', message: 'is wrong' }), '(document): is wrong');
  t.equal(formatProblem({ pointer: '/a', message: 'is wrong', hint: 'mend it' }), '/a: is wrong (mend it)');
});
