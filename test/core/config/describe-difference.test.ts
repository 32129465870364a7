import fc from 'fast-check';
import t from 'tap';
import type { Operation } from '../../../lib/core/config/change.ts';
import { describeChange, describeDifference } from '../../../lib/core/config/describe-difference.ts';
import { applyOperations, diffConfigurations } from '../../../lib/core/config/difference.ts';
import { EMPTY_CONFIGURATION } from '../../../lib/core/config/document.ts';
import { equalValues } from '../../../lib/core/config/equal-values.ts';
import type { Configuration, Route } from '../../../lib/core/config/model.ts';
import { arbitraryConfiguration, arbitraryRoute } from './arbitrary-configuration.ts';

const CLUSTER = { destinations: {} };
const ROUTE: Route = {
  match: { path: '/a', hosts: ['a.de', 'b.de'], headers: [{ name: 'x', values: ['1'] }] },
  cluster: 'one',
  requestHeaders: { set: { 'x/y~z': '1' } },
};
const BEFORE: Configuration = {
  ...EMPTY_CONFIGURATION,
  clusters: new Map([['one', CLUSTER]]),
  routes: new Map([['r', ROUTE]]),
};
const putRoute = (id: string, value: Route): Operation => ({ op: 'put', kind: 'route', id, value });

/** What becomes of the one route when it is put like this. */
const changesOf = (value: Route) => describeDifference(BEFORE, [putRoute('r', value)])[0]?.changes;

t.test('what comes and what goes is shown whole', async (t) => {
  const difference = describeDifference(BEFORE, [
    { op: 'delete', kind: 'cluster', id: 'one' },
    { op: 'delete', kind: 'route', id: 'r' },
    putRoute('new', ROUTE),
  ]);
  t.same(difference, [
    { kind: 'route', id: 'new', action: 'add', changes: [{ pointer: '', after: ROUTE }] },
    { kind: 'route', id: 'r', action: 'remove', changes: [{ pointer: '', before: ROUTE }] },
    { kind: 'cluster', id: 'one', action: 'remove', changes: [{ pointer: '', before: CLUSTER }] },
  ]);
});

t.test('what changes is shown at the deepest place', async (t) => {
  const { requestHeaders: _, ...without } = ROUTE;
  t.same(changesOf({ ...ROUTE, cluster: 'two' }), [{ pointer: '/cluster', before: 'one', after: 'two' }]);
  t.same(changesOf({ ...ROUTE, order: 1 }), [{ pointer: '/order', after: 1 }]);
  t.same(changesOf(without), [{ pointer: '/requestHeaders', before: ROUTE.requestHeaders }]);
  t.same(changesOf({ ...ROUTE, requestHeaders: { set: { 'x/y~z': '2' } } }), [
    { pointer: '/requestHeaders/set/x~1y~0z', before: '1', after: '2' },
  ]);
  t.same(changesOf({ ...ROUTE, match: { ...ROUTE.match, hosts: ['a.de', 'c.de'] } }), [
    { pointer: '/match/hosts/1', before: 'b.de', after: 'c.de' },
  ]);
  t.same(changesOf({ ...ROUTE, match: { ...ROUTE.match, hosts: ['b.de'] } }), [
    { pointer: '/match/hosts', before: ['a.de', 'b.de'], after: ['b.de'] },
  ]);
  t.same(changesOf({ ...ROUTE, match: { ...ROUTE.match, headers: [{ name: 'x', mode: 'exists' }] } }), [
    { pointer: '/match/headers/0/values', before: ['1'] },
    { pointer: '/match/headers/0/mode', after: 'exists' },
  ]);
});

t.test('entries of every kind are described, what routes name before them', async (t) => {
  const certificate = { certFile: '/tls/cert.pem', keyEnv: 'TLS_KEY' };
  const before = { ...BEFORE, certificates: new Map([['*.example.com', certificate]]) };
  const difference = describeDifference(before, [
    putRoute('r', { ...ROUTE, auth: { apiKey: {}, consumers: ['shop'] } }),
    { op: 'put', kind: 'certificate', id: '*.example.com', value: { ...certificate, keyEnv: 'NEW_KEY' } },
    { op: 'put', kind: 'consumer', id: 'shop', value: { roles: [] } },
  ]);
  t.match(difference, [
    { kind: 'certificate', changes: [{ pointer: '/keyEnv', before: 'TLS_KEY', after: 'NEW_KEY' }] },
    { kind: 'consumer', id: 'shop', action: 'add' },
    { kind: 'route', changes: [{ pointer: '/auth', after: { consumers: ['shop'] } }] },
  ]);
});

t.test(
  'what stays as it is does not appear, and of several operations on one entry the last counts',
  async (t) => {
    const difference = describeDifference(BEFORE, [
      putRoute('r', structuredClone(ROUTE)),
      { op: 'delete', kind: 'route', id: 'missing' },
      putRoute('s', { ...ROUTE, order: 1 }),
      putRoute('s', { ...ROUTE, order: 2 }),
      putRoute('gone', ROUTE),
      { op: 'delete', kind: 'route', id: 'gone' },
    ]);
    t.match(difference, [{ id: 's', action: 'add', changes: [{ after: { order: 2 } }] }]);
    t.equal(difference.length, 1);
  },
);

t.test('a logged change is described from the operations that undo it', async () => {
  fc.assert(
    fc.property(arbitraryConfiguration, arbitraryConfiguration, (from, to) => {
      const operations = diffConfigurations(from, to);
      const undo = diffConfigurations(to, from);
      return equalValues(describeChange(operations, undo), describeDifference(from, operations));
    }),
    { numRuns: 200 },
  );
});

/** Makes the described changes on a value, the way a reader would. */
function applyChanges(value: unknown, changes: readonly { pointer: string; after?: unknown }[]): unknown {
  const copy = structuredClone(value);
  for (const change of changes) {
    const tokens = change.pointer.split('/').slice(1);
    const last = tokens.pop() as string;
    let place = copy as Record<string, unknown>;
    for (const token of tokens) place = place[token] as Record<string, unknown>;
    if ('after' in change) place[last] = change.after;
    else delete place[last];
  }
  return copy;
}

t.test('the described changes lead from one value to the other', async () => {
  fc.assert(
    fc.property(arbitraryRoute, arbitraryRoute, (before, after) => {
      const from = { ...EMPTY_CONFIGURATION, routes: new Map([['r', before]]) };
      const operations = [putRoute('r', after)];
      const [difference] = describeDifference(from, operations);
      const result = applyOperations(from, operations).routes.get('r');
      return difference === undefined
        ? equalValues(before, after)
        : equalValues(applyChanges(before, difference.changes), result);
    }),
    { numRuns: 300 },
  );
});
