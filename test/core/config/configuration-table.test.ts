import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import type { CheckedChange } from '../../../lib/core/config/check-change.ts';
import { ConfigurationTable } from '../../../lib/core/config/configuration-table.ts';
import { documentOf } from '../../../lib/core/config/document.ts';
import { loadDocument } from '../../../lib/core/config/load-document.ts';
import { COLLECTIONS, type Kind, type Route } from '../../../lib/core/config/model.ts';
import type { Problem } from '../../../lib/core/config/problem.ts';
import { finishSlices } from '../../../lib/core/config/slices.ts';
import { validateDocument } from '../../../lib/core/config/validate.ts';
import { readCpuMs } from '../../helpers/event-loop-block.ts';
import { type ArbitraryOperation, arbitraryHistory, arbitraryOperation } from './arbitrary-configuration.ts';
import { pointersOf } from './findings.ts';

const CLUSTER = { destinations: { d: { url: 'http://h' } } };
const CLUSTERS = { one: CLUSTER, two: CLUSTER };

const ISSUER = {
  issuer: 'https://idp.example.com/',
  audience: ['orders'],
  algorithms: ['RS256'],
  jwksUrl: 'https://idp.example.com/jwks',
};
const CONSUMER = { apiKeys: [{ hash: `sha256:${'0'.repeat(64)}` }] };

const put = (kind: Kind, id: string, value: unknown) => ({ op: 'put', kind, id, value });
const remove = (kind: Kind, id: string) => ({ op: 'delete', kind, id });
const putRoute = (id: string, path: string, more: Partial<Route> = {}) =>
  put('route', id, { match: { path }, cluster: 'one', ...more });

function tableOf(document: unknown): ConfigurationTable {
  const { table, problems } = finishSlices(loadDocument(document));
  if (table === null) throw new Error(JSON.stringify(problems));
  return table;
}

/** A table with clusters one and two, and what the operations make of it. */
function tableWith(...operations: readonly unknown[]): ConfigurationTable {
  const table = tableOf({ clusters: CLUSTERS });
  const checked = table.check(operations);
  if (checked.problems.length > 0) throw new Error(JSON.stringify(checked.problems));
  table.apply(checked.operations);
  return table;
}

/** What operations make of a document, without any thought. */
function applyNaively(document: Document, operations: readonly ArbitraryOperation[]): Document {
  const result = structuredClone(document);
  for (const { op, kind, id, value } of operations) {
    const section = result[COLLECTIONS[kind]];
    if (op === 'put') section[id] = value;
    else delete section[id];
  }
  return result;
}

type Document = Record<(typeof COLLECTIONS)[Kind], Record<string, unknown>>;

const snapshotOf = ({ configuration, fingerprint }: ConfigurationTable) =>
  structuredClone({ document: documentOf(configuration), fingerprint });

/** Plays a history: changes that are valid are applied. `onChange` sees each before that. */
function play(
  history: readonly (readonly ArbitraryOperation[])[],
  onChange: (table: ConfigurationTable, before: Document, operations: readonly ArbitraryOperation[]) => void,
): { table: ConfigurationTable; document: Document } {
  let document: Document = {
    clusters: CLUSTERS,
    issuers: { main: ISSUER },
    consumers: { shop: CONSUMER },
    certificates: {},
    routes: {},
  };
  const table = tableOf(document);
  for (const operations of history) {
    onChange(table, document, operations);
    const { problems, operations: effective } = table.check(operations);
    if (problems.length === 0) {
      table.apply(effective);
      document = applyNaively(document, operations);
    }
  }
  return { table, document };
}

t.test('a change is refused exactly where the document that it leads to is not valid', async (t) => {
  let accepted = 0;
  let refused = 0;
  fc.assert(
    fc.property(arbitraryHistory, (history) => {
      play(history, (table, before, operations) => {
        const isValid = validateDocument(applyNaively(before, operations)).problems.length === 0;
        const { problems, operations: effective } = table.check(operations);
        if (isValid !== (problems.length === 0))
          throw new Error(JSON.stringify({ before, operations, problems }));
        if (!isValid && effective.length > 0) throw new Error('operations of a refused change were returned');
        accepted += Number(isValid);
        refused += Number(!isValid);
      });
    }),
    { numRuns: 200 },
  );
  t.ok(accepted > 500 && refused > 500, `both happened often: ${accepted}, ${refused}`);
});

/** Which of its users the refusal to delete an entry names depends on the way that led there. */
const withoutNames = ({ problems, ...checked }: CheckedChange) => ({
  ...checked,
  problems: problems.map((problem) =>
    problem.message.startsWith('is still used') ? { pointer: problem.pointer } : problem,
  ),
});

t.test('a table after any history is like one that was loaded from the document', async () => {
  fc.assert(
    fc.property(
      arbitraryHistory,
      fc.array(fc.array(arbitraryOperation), { minLength: 5 }),
      (history, probes) => {
        const { table, document } = play(history, () => {});
        const fresh = tableOf(document);
        return (
          isDeepStrictEqual(snapshotOf(table), snapshotOf(fresh)) &&
          probes.every((probe) =>
            isDeepStrictEqual(withoutNames(table.check(probe)), withoutNames(fresh.check(probe))),
          )
        );
      },
    ),
    { numRuns: 200 },
  );
});

t.test('to check changes nothing', async () => {
  fc.assert(
    fc.property(arbitraryHistory, (history) => {
      play(history, (table, _before, operations) => {
        const { configuration } = table;
        const snapshot = snapshotOf(table);
        const first = table.check(operations);
        const second = table.check(operations);
        const isSame =
          configuration === table.configuration &&
          isDeepStrictEqual(snapshotOf(table), snapshot) &&
          isDeepStrictEqual(first, second);
        if (!isSame) throw new Error(JSON.stringify(operations));
      });
    }),
    { numRuns: 100 },
  );
});

const neverWins = (warnings: readonly Problem[]) =>
  warnings.filter(({ message }) => message.includes('never wins'));

t.test('the warnings are those about what is touched, and about what the change newly shadows', async (t) => {
  let shadowed = 0;
  fc.assert(
    fc.property(arbitraryHistory, (history) => {
      play(history, (table, before, operations) => {
        const { problems, warnings, operations: effective } = table.check(operations);
        if (problems.length > 0) return;
        const all = validateDocument(applyNaively(before, operations)).warnings;
        const shadowedBefore = pointersOf(neverWins(validateDocument(before).warnings));
        const touched = effective.map(({ kind, id }) => `/${kind}s/${id}`);
        const isTouched = ({ pointer }: Problem) =>
          touched.some((entry) => pointer === entry || pointer.startsWith(`${entry}/`));
        const newlyShadowed = neverWins(all).filter(
          (warning) => !isTouched(warning) && !shadowedBefore.includes(warning.pointer),
        );
        shadowed += newlyShadowed.length;
        const expected = [...all.filter(isTouched), ...newlyShadowed];
        const sorted = (list: readonly Problem[]) => list.map((warning) => JSON.stringify(warning)).sort();
        if (!isDeepStrictEqual(sorted(warnings), sorted(expected))) {
          throw new Error(JSON.stringify({ before, operations, warnings, expected }));
        }
      });
    }),
    { numRuns: 300 },
  );
  t.ok(shadowed > 10, `${shadowed} times a change shadowed another route`);
});

t.test('a new table is empty, and its configuration a live view', async (t) => {
  const table = new ConfigurationTable();
  const { configuration } = table;
  t.equal(configuration.routes.size, 0);
  t.equal(table.fingerprint, '00000000000000');
  table.apply(table.check([put('cluster', 'one', CLUSTER), putRoute('r', '/')]).operations);
  t.same([...configuration.routes.keys()], ['r']);
  t.equal(configuration.clusters.get('one'), CLUSTER);
  table.apply(table.check([remove('route', 'r'), remove('cluster', 'one')]).operations);
  t.equal(configuration.routes.size, 0);
  t.equal(table.fingerprint, '00000000000000');
});

t.test('an operation of bad form is refused with its place', async (t) => {
  const table = tableWith();
  const malformed: [operation: unknown, pointers: string[]][] = [
    [null, ['/operations/0']],
    [new Map(), ['/operations/0']],
    [{}, ['/operations/0/op', '/operations/0/kind', '/operations/0/id']],
    [{ op: 'Put', kind: 'route', id: 'a', value: {} }, ['/operations/0/op']],
    [{ op: 'delete', kind: 'routes', id: 'a' }, ['/operations/0/kind']],
    [{ op: 'delete', kind: 'toString', id: 'a' }, ['/operations/0/kind']],
    [{ op: 'delete', kind: 'route', id: 'a/b' }, ['/operations/0/id']],
    [{ op: 'delete', kind: 'route', id: 1 }, ['/operations/0/id']],
    [{ op: 'delete', kind: 'route', id: 'constructor' }, ['/operations/0/id']],
    [{ op: 'put', kind: 'route', id: 'a' }, ['/operations/0']],
    [JSON.parse('{"op":"put","kind":"route","id":"__proto__","value":{}}'), ['/operations/0/id']],
    [Object.create({ op: 'delete', kind: 'route', id: 'a' }), ['/operations/0']],
  ];
  for (const [operation, pointers] of malformed) {
    const { problems, operations } = table.check([operation]);
    t.same(pointersOf(problems), pointers, JSON.stringify(operation));
    t.same(operations, []);
  }
  const [problem] = table.check([{ op: 'delete', kind: 'routes', id: 'a' }]).problems;
  t.same(problem, {
    pointer: '/operations/0/kind',
    message: 'must be one of cluster, issuer, consumer, certificate, route',
    hint: 'did you mean route?',
  });
});

t.test('beside malformed operations each entry is still checked, but nothing between entries', async (t) => {
  const { problems } = tableWith().check([
    putRoute('a', 'x', { cluster: 'new' }),
    { op: 'put', kind: 'cluster', id: 'new' },
  ]);
  t.same(pointersOf(problems), ['/operations/1', '/routes/a/match/path']);
});

t.test('what is wrong within a value has its place in the document', async (t) => {
  const { problems } = tableWith().check([
    put('cluster', 'c', { destinations: { d: { url: 'ftp://h', wait: 1 } } }),
    put('cluster', 'd', { destinations: { d: { url: 'ftp://h' } } }),
    putRoute('a', '/a', { cluster: 'oen' }),
    put('route', 'b', JSON.parse('{"match":{"__proto__":{}},"cluster":"one"}')),
  ]);
  t.same(pointersOf(problems).sort(), [
    '/clusters/c/destinations/d/wait',
    '/clusters/d/destinations/d/url',
    '/routes/a/cluster',
    '/routes/b/match/__proto__',
  ]);
  t.equal(problems.find(({ pointer }) => pointer === '/routes/a/cluster')?.hint, 'did you mean one?');
});

t.test('a value that is huge by repetition is refused before it is looked at', async (t) => {
  let value: unknown = [];
  for (let level = 0; level < 24; level += 1) value = [value, value];
  const { problems } = tableWith().check([put('route', 'a', value)]);
  t.same(pointersOf(problems), ['/routes/a']);
  t.match(problems[0]?.message, /holds more than/);
});

t.test('a cluster that is used cannot go, unless its routes go or move in the same change', async (t) => {
  const routes = ['a', 'b', 'c', 'd', 'e'].map((id) => putRoute(id, `/${id}`));
  const table = tableWith(...routes);
  const { problems } = table.check([remove('cluster', 'one')]);
  t.equal(problems.length, 1);
  t.equal(problems[0]?.pointer, '/clusters/one');
  t.match(problems[0]?.message, /still used by routes "a", "b", "c" and 2 more/);

  const without = (...ids: string[]) => ids.map((id) => remove('route', id));
  const almost = table.check([remove('cluster', 'one'), ...without('a', 'b', 'c', 'd')]);
  t.match(almost.problems[0]?.message, /still used by route "e"$/);
  const moved = [
    remove('cluster', 'one'),
    ...without('a', 'b', 'c', 'd'),
    putRoute('e', '/', { cluster: 'two' }),
  ];
  t.same(table.check(moved).problems, []);
  const kept = [remove('cluster', 'one'), ...without('a', 'b', 'c', 'd'), putRoute('e', '/z')];
  t.same(pointersOf(table.check(kept).problems), ['/routes/e/cluster']);
});

t.test('an issuer or consumer that is used cannot go, and cannot be named where it is not', async (t) => {
  const table = tableWith(
    put('issuer', 'main', ISSUER),
    put('consumer', 'shop', CONSUMER),
    putRoute('a', '/a', { auth: { issuers: ['main', 'main'] } }),
    putRoute('b', '/b', { auth: { apiKey: {}, issuers: ['main'], consumers: ['shop'] } }),
  );
  const { problems } = table.check([remove('issuer', 'main'), remove('consumer', 'shop')]);
  t.match(problems, [
    { pointer: '/issuers/main', message: 'is still used by routes "a", "b"' },
    { pointer: '/consumers/shop', message: 'is still used by route "b"' },
  ]);
  const partly = table.check([remove('issuer', 'main'), putRoute('a', '/a')]);
  t.match(partly.problems, [{ pointer: '/issuers/main', message: 'is still used by route "b"' }]);
  t.same(table.check([remove('consumer', 'shop'), putRoute('b', '/b')]).problems, []);
  const auth = { issuers: ['main', 'mian'], basic: {}, consumers: ['shpo'] };
  t.match(table.check([putRoute('c', '/c', { auth })]).problems, [
    { pointer: '/routes/c/auth/issuers/1', message: 'there is no issuer "mian"', hint: 'did you mean main?' },
    {
      pointer: '/routes/c/auth/consumers/0',
      message: 'there is no consumer "shpo"',
      hint: 'did you mean shop?',
    },
  ]);
});

t.test('a certificate is named by nobody, and its id is a host name', async (t) => {
  const certificate = { certFile: '/tls/cert.pem', keyFile: '/tls/key.pem' };
  const table = tableWith(
    put('certificate', '*.example.com', certificate),
    put('certificate', 'default', certificate),
  );
  t.same(table.check([remove('certificate', '*.example.com')]).problems, []);
  for (const id of ['*.Example.com', 'a*.example.com', '*', '']) {
    t.same(pointersOf(table.check([put('certificate', id, certificate)]).problems), ['/operations/0/id'], id);
  }
  t.same(pointersOf(table.check([put('certificate', '*.com', certificate)]).problems), [
    '/certificates/*.com',
  ]);
  t.same(pointersOf(table.check([put('issuer', '*.example.com', ISSUER)]).problems), ['/operations/0/id']);
});

t.test('a cluster can be replaced by another one in one change, in an order that is safe', async (t) => {
  const table = tableWith(putRoute('a', '/a'));
  const { problems, operations } = table.check([
    remove('cluster', 'one'),
    putRoute('a', '/a', { cluster: 'new' }),
    put('cluster', 'new', CLUSTER),
  ]);
  t.same(problems, []);
  t.same(
    operations.map(({ op, kind, id }) => `${op} ${kind} ${id}`),
    ['put cluster new', 'put route a', 'delete cluster one'],
  );
});

t.test('only what changes something is returned, and of several on one entry the last', async (t) => {
  const table = tableWith(putRoute('a', '/a'));
  const checked = table.check([
    put('cluster', 'one', structuredClone(CLUSTER)),
    remove('route', 'missing'),
    remove('cluster', 'missing'),
    putRoute('b', '/wrong', { cluster: 'missing' }),
    putRoute('b', '/b'),
    remove('route', 'a'),
    { ...putRoute('a', '/a'), extra: 'is passed over' },
  ]);
  t.same(checked, { operations: [putRoute('b', '/b')], problems: [], warnings: [] });
});

t.test('a route that cannot be told apart is a problem where it was touched', async (t) => {
  const table = tableWith(putRoute('b', '/{x}'));
  for (const id of ['a', 'c']) {
    const { problems } = table.check([putRoute(id, '/{y}')]);
    t.same(pointersOf(problems), [`/routes/${id}/match`]);
    t.match(problems[0]?.message, new RegExp(`"${id}" cannot be told apart from route "b"`));
  }
  t.same(pointersOf(table.check([putRoute('d', '/{y}/z'), putRoute('c', '/{x}/z')]).problems), [
    '/routes/d/match',
  ]);
  t.same(table.check([putRoute('c', '/{y}'), remove('route', 'b')]).problems, []);
});

t.test('a route that shadows very many others is answered soon, with some of them', async (t) => {
  const routes = Object.fromEntries(
    Array.from({ length: 20_000 }, (_, index) => [
      `r${index}`,
      { match: { hosts: [`h${index % 50}.de`], path: `/a/${index}` }, cluster: 'one' },
    ]),
  );
  const table = tableOf({ clusters: CLUSTERS, routes });
  for (const match of [{}, { path: '/{x}/{y}' }, { hosts: ['*.de'] }]) {
    const startMs = readCpuMs();
    const { problems, warnings } = table.check([put('route', 'all', { match, order: -1, cluster: 'one' })]);
    t.ok(readCpuMs() - startMs < 1_000, 'even on a slow machine');
    t.same(problems, []);
    t.ok(warnings.length > 0 && warnings.length <= 50);
  }
  t.same(table.check([put('route', 'all', { match: {}, cluster: 'one' })]).warnings, []);
});

t.test('very many routes of one host and path come and go in any order', async (t) => {
  const route = (index: number): Route => ({
    match: { headers: [{ name: 'x-tenant', values: [`${index}`] }] },
    cluster: 'one',
    order: index % 7,
  });
  const indices = Array.from({ length: 3_000 }, (_, index) => (index * 1_103) % 3_000);
  const table = tableOf({ clusters: CLUSTERS });
  for (const index of indices) {
    table.apply(table.check([put('route', `r${index}`, route(index))]).operations);
  }
  t.match(table.check([put('route', 'twin', route(1_234))]).problems, [{ pointer: '/routes/twin/match' }]);
  for (const index of indices.filter((index) => index % 3 > 0)) {
    table.apply(table.check([remove('route', `r${index}`)]).operations);
  }
  t.equal(table.configuration.routes.size, 1_000);
  const fresh = tableOf(documentOf(table.configuration));
  t.equal(table.fingerprint, fresh.fingerprint);
  const probes = [1_233, 1_234, 2_997, 2_998].flatMap((index) => [
    put('route', 'twin', route(index)),
    put('route', 'later', { ...route(index), order: 9 }),
    put('route', 'before', { match: {}, cluster: 'one', order: -1 }),
  ]);
  for (const probe of probes) {
    t.same(table.check([probe]), fresh.check([probe]));
  }
  t.equal(table.check([probes[0]]).problems.length, 1);
  t.equal(table.check([probes[3]]).problems.length, 0);
});
