import fc from 'fast-check';
import t from 'tap';
import type { Operation } from '../../lib/core/config/change.ts';
import { PendingChanges } from '../../lib/primary/pending-changes.ts';

const putCluster = (id: string, weight: number): Operation => ({
  op: 'put',
  kind: 'cluster',
  id,
  value: { destinations: { d: { url: 'http://127.0.0.1', weight } } },
});
const changeOf = (count: number, weight: number) =>
  Array.from({ length: count }, (_, index) => putCluster(`c${index}`, weight));

t.test('of several operations on one entry only the last is left, in an order that is safe', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 9 })))),
      (changes) => {
        const pending = new PendingChanges();
        const last = new Map<string, Operation>();
        for (const change of changes) {
          const operations = [...new Map(change)].map(([id, weight]) => putCluster(id, weight));
          pending.add(operations);
          for (const operation of operations) last.set(operation.id, operation);
        }
        const taken = pending.take();
        return taken.length === last.size && taken.every((operation) => last.get(operation.id) === operation);
      },
    ),
    { numRuns: 200 },
  );
  const pending = new PendingChanges();
  pending.add([{ op: 'delete', kind: 'cluster', id: 'c1' }, putCluster('c0', 1)]);
  t.same(
    pending.take().map(({ op }) => op),
    ['put', 'delete'],
  );
  t.end();
});

t.test('a change beyond what is folded is given out as it came, without a copy', (t) => {
  const pending = new PendingChanges();
  const change = changeOf(20_000, 1);
  pending.add(change);
  t.equal(pending.take(), change);
  t.end();
});

t.test('what waits does not grow without end', (t) => {
  const pending = new PendingChanges();
  const change = changeOf(20_000, 1);
  for (let round = 0; round < 40; round += 1) pending.add(change);
  const taken = pending.take();
  t.ok(taken.length <= 270_000, `${taken.length} operations of 800,000`);
  t.same(new Set(taken).size, 20_000);
  t.end();
});
