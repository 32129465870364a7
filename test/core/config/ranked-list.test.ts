import fc from 'fast-check';
import t from 'tap';
import { RankedList } from '../../../lib/core/config/ranked-list.ts';
import { compareRank, type RouteScope, scopeOf } from '../../../lib/core/config/route-scope.ts';

const scope = (id: number, order: number): RouteScope =>
  scopeOf(`r${id}`, { match: {}, cluster: 'c', order }) as RouteScope;

/** Numbers in an order that looks like none. */
const shuffled = (length: number, seed: number): number[] =>
  Array.from({ length }, (_, index) => index).sort(
    (left, right) => (((left + seed) * 7_919) % 10_007) - (((right + seed) * 7_919) % 10_007),
  );

t.test('routes come and go in any order, and stand by rank', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 3_000 }),
      fc.integer({ min: 1, max: 50 }),
      fc.nat(1_000),
      (length, orders, seed) => {
        const scopes = shuffled(length, seed).map((index) => scope(index, index % orders));
        const list = new RankedList();
        for (const added of scopes) list.add(added);
        const kept = scopes.filter((_, index) => index % 3 === 0).sort(compareRank);
        for (const [index, removed] of scopes.entries()) {
          if (index % 3 > 0) list.remove({ ...removed });
        }
        const firstOfOrder = kept.find(({ order }) => order === 1 % orders) ?? null;
        return (
          JSON.stringify(list.toArray()) === JSON.stringify(kept) &&
          list.best === (kept[0] ?? null) &&
          list.findOfOrder(1 % orders, () => true) === firstOfOrder &&
          JSON.stringify(list.listWorst(600)) === JSON.stringify(kept.toReversed().slice(0, 600))
        );
      },
    ),
    { numRuns: 60 },
  );
});

t.test('a search looks at no more of the best than it may', async (t) => {
  const list = new RankedList();
  for (let index = 0; index < 2_000; index += 1) list.add(scope(index, index));
  t.equal(list.find(({ order }) => order === 700, 701)?.order, 700);
  t.equal(
    list.find(({ order }) => order === 700, 700),
    null,
  );
  t.equal(
    list.find(() => false, 5_000),
    null,
  );
});

t.test('what is accepted of an order is found behind many others of that order', async (t) => {
  const list = new RankedList();
  for (let index = 0; index < 3_000; index += 1) list.add(scope(index, Math.floor(index / 1_500)));
  t.equal(list.findOfOrder(1, ({ id }) => id === 'r2999')?.id, 'r2999');
  t.equal(
    list.findOfOrder(0, ({ id }) => id === 'r2999'),
    null,
  );
  t.equal(
    list.findOfOrder(2, () => true),
    null,
  );
});

t.test('a list that loses a whole stretch, or everything, goes on', async (t) => {
  const scopes = Array.from({ length: 2_000 }, (_, index) => scope(index, index));
  const list = new RankedList();
  for (const added of scopes) list.add(added);
  for (const removed of scopes.slice(300, 1_500)) list.remove(removed);
  list.add(scopes[1_000]!);
  t.same(list.toArray(), [...scopes.slice(0, 300), scopes[1_000], ...scopes.slice(1_500)]);
  for (const removed of list.toArray()) list.remove(removed);
  t.equal(list.best, null);
  list.add(scopes[7]!);
  t.same(list.toArray(), [scopes[7]]);
});
