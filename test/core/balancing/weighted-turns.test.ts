import fc from 'fast-check';
import t from 'tap';
import { WeightedTurns } from '../../../lib/core/balancing/weighted-turns.ts';

const TURN_COUNT = 300;

t.test('the sequence by example', async (t) => {
  const turns = new WeightedTurns([3, 1], 8);
  t.same(
    Array.from({ length: 8 }, () => turns.next()),
    [0, 1, 0, 0, 0, 1, 0, 0],
  );
});

t.test('every member has one turn before any has two', async (t) => {
  const turns = new WeightedTurns([10_000, 1, 1, 10_000], TURN_COUNT);
  t.same(
    Array.from({ length: 4 }, () => turns.next()),
    [0, 1, 2, 3],
  );
});

t.test('after each round every member has had the turns of its weight', async (t) => {
  const anyWeights = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(anyWeights, (weights) => {
      const turns = new WeightedTurns(weights, TURN_COUNT);
      const heaviest = Math.max(...weights);
      const counts = weights.map(() => 0);
      let taken = 0;
      for (let round = 1; ; round++) {
        const expected = weights.map((weight) => Math.ceil((round * weight) / heaviest));
        const total = expected.reduce((sum, count) => sum + count);
        if (total > TURN_COUNT) return true;
        for (; taken < total; taken++) counts[turns.next()]! += 1;
        if (counts.some((count, index) => count !== expected[index])) return false;
      }
    }),
    { numRuns: 300 },
  );
  t.pass('the property holds');
});
