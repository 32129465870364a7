import t from 'tap';
import { RoundRobinPolicy } from '../../../lib/core/balancing/round-robin-policy.ts';
import { createDestinations, pickIds } from './fixtures.ts';

t.test('destinations take turns whatever their weights', async (t) => {
  const policy = new RoundRobinPolicy(0);
  policy.update(createDestinations(5, 1, 1));
  t.equal(pickIds(policy, 7), 'a b c a b c a');
});

t.test('a worker begins at its offset modulo the number of destinations', async (t) => {
  const policy = new RoundRobinPolicy(5);
  policy.update(createDestinations(1, 1, 1));
  t.equal(pickIds(policy, 4), 'c a b c');
});

t.test('the first destinations to come after there were none begin at the offset', async (t) => {
  const policy = new RoundRobinPolicy(1);
  policy.update([]);
  t.equal(policy.pick(0, null), null);
  policy.update(createDestinations(1, 1, 1));
  t.equal(pickIds(policy, 3), 'b c a');
});

t.test('a destination that is added or removed does not restart the rotation', async (t) => {
  const policy = new RoundRobinPolicy(0);
  const [a, b, c, d] = createDestinations(1, 1, 1, 1) as [never, never, never, never];
  policy.update([a, b, c]);
  t.equal(pickIds(policy, 1), 'a');
  policy.update([d, a, b, c]);
  t.equal(pickIds(policy, 1), 'b', 'one was inserted before');
  policy.update([d, a, b]);
  t.equal(pickIds(policy, 1), 'd', 'the next one was removed, the circle goes on behind it');
  policy.update([b, a, d]);
  t.equal(pickIds(policy, 3), 'a d b', 'the turn goes by destination, not by index');
});

t.test('a retry goes on to the next destination that was not tried', async (t) => {
  const policy = new RoundRobinPolicy(0);
  const [a, b, c] = createDestinations(1, 1, 1) as [never, never, never];
  policy.update([a, b, c]);
  t.equal(policy.pick(0, [a, b]), c);
  t.equal(policy.pick(0, [a]), b);
  t.equal(policy.pick(0, [a, b, c]), null);
});
