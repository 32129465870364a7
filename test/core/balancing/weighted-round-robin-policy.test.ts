import fc from 'fast-check';
import t from 'tap';
import { WeightedRoundRobinPolicy } from '../../../lib/core/balancing/weighted-round-robin-policy.ts';
import { countPicks, createDestinations, pickIds } from './fixtures.ts';

const anyWeights = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 });

t.test("weights 5, 1, 1 give nginx's sequence, again and again", async (t) => {
  const policy = new WeightedRoundRobinPolicy(0);
  policy.update(createDestinations(5, 1, 1));
  t.equal(pickIds(policy, 14), 'a a b a c a a a a b a c a a');
});

t.test('a worker begins as many picks into the sequence as its offset says', async (t) => {
  const startAt = (offset: number, ...weights: number[]) => {
    const policy = new WeightedRoundRobinPolicy(offset);
    policy.update(createDestinations(...weights));
    return pickIds(policy, 7);
  };
  t.equal(startAt(2, 5, 1, 1), 'b a c a a a a');
  t.equal(startAt(9, 5, 1, 1), 'b a c a a a a', 'modulo the sum of the weights');
  t.equal(startAt(9, 5_000, 1_000, 1_000), 'b a c a a a a', 'weights reduced to 5, 1, 1');
  t.equal(startAt(1_001, 3_000, 3_000, 3_000), 'c a b c a b c', 'weights reduced to 1, 1, 1');
  t.equal(startAt(1_002, 9_999, 1, 1), startAt(2, 9_999, 1, 1), 'a long cycle is cut at 1,000 picks');
});

t.test('each destination gets exactly its weight in a full cycle, wherever the worker begins', async (t) => {
  fc.assert(
    fc.property(anyWeights, fc.nat(5_000), (weights, offset) => {
      const policy = new WeightedRoundRobinPolicy(offset);
      const destinations = createDestinations(...weights);
      policy.update(destinations);
      const cycle = weights.reduce((sum, weight) => sum + weight);
      const counts = countPicks(policy, destinations, cycle);
      return counts.every((count, index) => count === weights[index]);
    }),
    { numRuns: 300 },
  );
  t.pass('the property holds');
});

t.test('at no moment a destination is further from its share than the known bounds', async (t) => {
  fc.assert(
    fc.property(anyWeights, (weights) => {
      const policy = new WeightedRoundRobinPolicy(0);
      const destinations = createDestinations(...weights);
      policy.update(destinations);
      const total = weights.reduce((sum, weight) => sum + weight);
      const mostAhead = 1 - 1 / weights.length;
      const mostBehind = weights.reduce((sum, _weight, index) => sum + 1 / (index + 1), 0) - 1;
      const counts = new Map(destinations.map((destination) => [destination, 0]));
      for (let picks = 1; picks <= 2 * total; picks++) {
        const picked = policy.pick(0, null)!;
        counts.set(picked, counts.get(picked)! + 1);
        for (const [destination, count] of counts) {
          const ahead = count - (picks * destination.weight) / total;
          if (ahead > mostAhead + 1e-9 || -ahead > mostBehind + 1e-9) return false;
        }
      }
      return true;
    }),
    { numRuns: 200 },
  );
  t.pass('the property holds');
});

t.test('telling the same destinations again does not disturb the sequence', async (t) => {
  fc.assert(
    fc.property(anyWeights, fc.nat(50), (weights, before) => {
      const [left, right] = [new WeightedRoundRobinPolicy(0), new WeightedRoundRobinPolicy(0)];
      const destinations = createDestinations(...weights);
      left.update(destinations);
      right.update(destinations);
      pickIds(left, before);
      pickIds(right, before);
      right.update([...destinations]);
      return pickIds(left, 100) === pickIds(right, 100);
    }),
    { numRuns: 200 },
  );
  t.pass('the property holds');
});

t.test('a destination that is added or removed does not restart the sequence', async (t) => {
  const policy = new WeightedRoundRobinPolicy(0);
  const [a, b, c, d] = createDestinations(1, 1, 1, 1) as [never, never, never, never];
  policy.update([a, b, c]);
  t.equal(pickIds(policy, 2), 'a b');
  policy.update([a, b, c, d]);
  t.equal(pickIds(policy, 4), 'c d a b', 'c is still next, the newcomer falls in line');
  t.equal(pickIds(policy, 1), 'c');
  policy.update([a, b, d]);
  t.equal(pickIds(policy, 3), 'd a b');
});

t.test('coming and going over and over starves nobody and favours nobody', async (t) => {
  for (const picksPerRound of [1, 2, 3, 5]) {
    const policy = new WeightedRoundRobinPolicy(0);
    const destinations = createDestinations(1, 1, 1, 1);
    const counts = [0, 0, 0, 0];
    for (let round = 0; round < 1_000; round++) {
      policy.update(destinations.slice(1));
      policy.update(destinations);
      for (let pick = 0; pick < picksPerRound; pick++) {
        counts[destinations.indexOf(policy.pick(0, null)!)]! += 1;
      }
    }
    const share = 250 * picksPerRound;
    for (const count of counts) t.ok(Math.abs(count - share) < share / 3, `${count} of ${share}`);
  }
});

t.test('weights that fall from thousands to one starve nobody', async (t) => {
  const policy = new WeightedRoundRobinPolicy(0);
  const destinations = createDestinations(10_000, 10_000, 9_999);
  policy.update(destinations);
  pickIds(policy, 4);
  for (const destination of destinations) destination.weight = 1;
  policy.update(destinations);
  t.same(
    countPicks(policy, destinations, 6).map((count) => Math.abs(count - 2) <= 1),
    [true, true, true],
  );
});

t.test('a retry leaves out what was tried and neither spends nor earns credit for it', async (t) => {
  const policy = new WeightedRoundRobinPolicy(0);
  const [a, b, c] = createDestinations(5, 1, 1) as [never, never, never];
  policy.update([a, b, c]);
  t.equal(policy.pick(0, [a]), b);
  t.equal(policy.pick(0, [a]), c);
  t.equal(policy.pick(0, [a, b, c]), null);
  t.equal(pickIds(policy, 7), 'a a b a c a a');
});
