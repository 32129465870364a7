import t from 'tap';
import { RandomPolicy } from '../../../lib/core/balancing/random-policy.ts';
import { countPicks, createDestinations, createScriptedRandom, createSeededRandom } from './fixtures.ts';

t.test('a draw falls on the destination whose share of the weights it hits', async (t) => {
  const policy = new RandomPolicy(createScriptedRandom(0, 0.09, 0.1, 0.39, 0.4, 0.999_999));
  const [a, b, c] = createDestinations(1, 3, 6) as [never, never, never];
  policy.update([a, b, c]);
  const picks = Array.from({ length: 6 }, () => policy.pick(0, null));
  t.same(picks, [a, a, b, b, c, c]);
});

t.test('shares converge to the weights', async (t) => {
  const policy = new RandomPolicy(createSeededRandom(42));
  const destinations = createDestinations(1, 3, 6);
  policy.update(destinations);
  const counts = countPicks(policy, destinations, 100_000);
  for (const [index, expected] of [10_000, 30_000, 60_000].entries()) {
    t.ok(Math.abs(counts[index]! - expected) < 1_000, `${counts[index]} of ${expected}`);
  }
});

t.test('a retry is drawn from the weights of those that are left', async (t) => {
  const policy = new RandomPolicy(createScriptedRandom(0.24, 0.26, 0.5));
  const [a, b, c] = createDestinations(1, 100, 3) as [never, never, never];
  policy.update([a, b, c]);
  t.equal(policy.pick(0, [b]), a);
  t.equal(policy.pick(0, [b]), c);
  t.equal(policy.pick(0, [b, c]), a);
  t.equal(policy.pick(0, [c, b, a]), null);
});
