import t from 'tap';
import { LeastRequestsPolicy } from '../../../lib/core/balancing/least-requests-policy.ts';
import { createDestinations, pickIds } from './fixtures.ts';

t.test('the destination with the fewest requests in flight for its weight is picked', async (t) => {
  const policy = new LeastRequestsPolicy(0);
  const [a, b, c] = createDestinations(1, 1, 2);
  policy.update([a!, b!, c!]);
  a!.active = 1;
  b!.active = 0;
  c!.active = 0;
  t.equal(policy.pick(0, null), c, '1 / 2 is less than 1 / 1');
  c!.active = 2;
  t.equal(policy.pick(0, null), b, '1 / 1 is less than 3 / 2');
  t.equal(policy.pick(0, [b!]), c, 'a retry takes the least of the others');
  t.equal(policy.pick(0, [a!, b!, c!]), null);
});

t.test('equals take turns, and a busy one in between does not double the share of the next', async (t) => {
  const policy = new LeastRequestsPolicy(0);
  const destinations = createDestinations(1, 1, 1, 1);
  policy.update(destinations);
  t.equal(pickIds(policy, 5), 'a b c d a');
  destinations[1]!.active = 5;
  t.equal(pickIds(policy, 6), 'c d a c d a');
});

t.test('a worker begins at its offset, and the turn survives changes', async (t) => {
  const policy = new LeastRequestsPolicy(6);
  const destinations = createDestinations(1, 1, 1, 1);
  policy.update(destinations);
  t.equal(pickIds(policy, 1), 'c');
  policy.update(destinations.slice(1));
  t.equal(pickIds(policy, 2), 'd b');
});

t.test('held requests stand in proportion to the weights', async (t) => {
  const policy = new LeastRequestsPolicy(0);
  const destinations = createDestinations(1, 2, 5);
  policy.update(destinations);
  for (let request = 0; request < 800; request++) policy.pick(0, null)!.active += 1;
  t.same(
    destinations.map((destination) => destination.active),
    [100, 200, 500],
  );
});
