/** Which materials are needed, held equal to counting all entries after every change. */
import fc from 'fast-check';
import t from 'tap';
import type { Operation } from '../../../lib/core/config/change.ts';
import { materialsOf } from '../../../lib/core/config/material-names.ts';
import { MaterialUsers } from '../../../lib/primary/materials/material-users.ts';
import { deleteIssuer, putIssuer } from './kept-materials.ts';

const file = fc.constantFrom('/a', '/b', '/c');
const id = fc.constantFrom('one', 'two', 'three');
const value = fc.oneof(
  fc.record({ kind: fc.constant('issuer' as const), id, value: fc.record({ jwksFile: file }) }),
  fc.record({ kind: fc.constant('issuer' as const), id, value: fc.constant({ secretEnv: 'SECRET' }) }),
  fc.record({
    kind: fc.constant('certificate' as const),
    id,
    value: fc.record({ certFile: file, keyFile: file }),
  }),
  fc.record({
    kind: fc.constant('cluster' as const),
    id,
    value: fc.record(
      { destinations: fc.constant({}), tls: fc.record({ caFile: file, certFile: file, keyFile: file }) },
      { requiredKeys: ['destinations'] },
    ),
  }),
  fc.record({ kind: fc.constant('route' as const), id, value: fc.constant({ match: {}, cluster: 'one' }) }),
);
const operation = fc.oneof(
  value.map((put) => ({ op: 'put', ...put }) as unknown as Operation),
  value.map(({ kind, id }): Operation => ({ op: 'delete', kind, id })),
);

function neededBy(operations: Iterable<Operation>): Set<string> {
  const needed = new Set<string>();
  for (const one of operations) {
    if (one.op === 'put') for (const name of materialsOf(one.kind, one.value)) needed.add(name);
  }
  return needed;
}

t.test('after any history what was added and not dropped is what the entries need', (t) => {
  const changes = fc.array(fc.array(operation, { maxLength: 6 }), { maxLength: 12 });
  fc.assert(
    fc.property(changes, (history) => {
      const users = new MaterialUsers();
      const entries = new Map<string, Operation>();
      const needed = new Set<string>();
      for (const change of history) {
        const { added, dropped } = users.change(change);
        for (const one of change) entries.set(`${one.kind} ${one.id}`, one);
        for (const name of added) t.notOk(needed.has(name), 'it is added once');
        for (const name of dropped) t.ok(needed.has(name), 'only what was there is dropped');
        for (const name of added) needed.add(name);
        for (const name of dropped) needed.delete(name);
      }
      t.same(new Set([...needed].sort()), new Set([...neededBy(entries.values())].sort()));
    }),
    { numRuns: 300 },
  );
  t.end();
});

t.test('keys are kept for the longest grace of those who name them', (t) => {
  const users = new MaterialUsers();
  const jwksUrl = 'https://idp.test/jwks';
  const name = `jwks:${jwksUrl}`;
  t.equal(users.graceSec(name), 86_400);
  users.change([
    putIssuer('one', { jwksUrl, keyGraceSec: 60 }),
    putIssuer('two', { jwksUrl, keyGraceSec: 300 }),
  ]);
  t.equal(users.graceSec(name), 300);
  users.change([deleteIssuer('two')]);
  t.equal(users.graceSec(name), 60);
  users.change([putIssuer('three', { jwksUrl })]);
  t.equal(users.graceSec(name), 86_400);
  t.end();
});
