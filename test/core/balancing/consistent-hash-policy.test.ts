import fc from 'fast-check';
import t from 'tap';
import { ActiveLoad } from '../../../lib/core/balancing/active-load.ts';
import { ConsistentHashPolicy } from '../../../lib/core/balancing/consistent-hash-policy.ts';
import { DestinationState } from '../../../lib/core/balancing/destination-state.ts';
import { hashString } from '../../../lib/core/balancing/hash.ts';
import { createDestinations } from './fixtures.ts';

function createPolicy(destinations: readonly DestinationState[], loadBound = 1.25) {
  const load = new ActiveLoad();
  const policy = new ConsistentHashPolicy(loadBound, load);
  policy.update(destinations);
  const begin = (destination: DestinationState) => {
    destination.active += 1;
    load.active += 1;
  };
  return { policy, load, begin };
}

const userHash = (user: number) => hashString(`user-${user}`);

t.test('a hash always finds the same destination, whatever order they came in', async (t) => {
  const destinations = createDestinations(...Array.from({ length: 100 }, (_, index) => 1 + (index % 4)));
  const { policy: left } = createPolicy(destinations);
  const { policy: right } = createPolicy(destinations.toReversed());
  let different = 0;
  for (let hash = 0; hash < 65_537; hash++) {
    if (left.pick(hash, null) !== right.pick(hash, null)) different += 1;
  }
  t.equal(different, 0);
  t.equal(left.pick(-1, null), left.pick(0xffff_ffff, null), 'the sign of the hash does not matter');
});

t.test('keys spread in proportion to the weights', async (t) => {
  const destinations = createDestinations(1, 3, 6);
  const { policy } = createPolicy(destinations);
  const counts = [0, 0, 0];
  for (let user = 0; user < 50_000; user++) {
    counts[destinations.indexOf(policy.pick(userHash(user), null)!)]! += 1;
  }
  for (const [index, expected] of [5_000, 15_000, 30_000].entries()) {
    t.ok(Math.abs(counts[index]! - expected) < 600, `${counts[index]} of ${expected}`);
  }
});

t.test('a destination that leaves takes only its own keys along, and gets them back', async (t) => {
  const destinations = createDestinations(1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
  const { policy } = createPolicy(destinations);
  const users = Array.from({ length: 10_000 }, (_, user) => userHash(user));
  const before = users.map((hash) => policy.pick(hash, null)!);
  policy.update(destinations.filter((destination) => destination.id !== 'd'));
  const during = users.map((hash) => policy.pick(hash, null)!);
  const strayed = before.filter((home, user) => home.id !== 'd' && home !== during[user]).length;
  t.ok(strayed / users.length < 0.05, `${strayed} of 10,000 keys of the others moved`);
  policy.update(destinations);
  t.same(
    users.map((hash) => policy.pick(hash, null)!.id),
    before.map((home) => home.id),
  );
});

t.test('a changed weight changes the table; the same members again do not', async (t) => {
  const destinations = createDestinations(1, 1);
  const { policy } = createPolicy(destinations);
  const countOfFirst = () =>
    Array.from({ length: 1_000 }, (_, user) => policy.pick(userHash(user), null)).filter(
      (picked) => picked === destinations[0],
    ).length;
  const before = countOfFirst();
  policy.update([...destinations]);
  t.equal(countOfFirst(), before);
  destinations[0]!.weight = 9;
  policy.update(destinations);
  t.ok(countOfFirst() > 850);
});

t.test('objects that replace others of the same id are the ones that are picked', async (t) => {
  const { policy } = createPolicy(createDestinations(1, 1));
  t.ok(policy.pick(5, null));
  const replacements = createDestinations(1, 1);
  policy.update(replacements);
  t.ok(replacements.includes(policy.pick(5, null)!));
});

t.test('one hot key fills a destination up to its bound and then flows over to others', async (t) => {
  const destinations = createDestinations(1, 1, 1, 1);
  const { policy, begin } = createPolicy(destinations);
  const home = policy.pick(userHash(1), null)!;
  for (let request = 0; request < 400; request++) begin(policy.pick(userHash(1), null)!);
  t.equal(home.active, 125, '1.25 times the mean of 100');
  t.ok(destinations.every((destination) => destination.active <= 125));
  home.active -= 1;
  t.equal(policy.pick(userHash(1), null), home, 'home again as soon as there is room');
});

t.test('on the first attempt nobody gets more than the bound times its share', async (t) => {
  const weights = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 6 });
  const hashes = fc.array(fc.nat(20), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(weights, hashes, fc.double({ min: 1.01, max: 3, noNaN: true }), (weights, hashes, bound) => {
      const { policy, load, begin } = createPolicy(createDestinations(...weights), bound);
      const total = weights.reduce((sum, weight) => sum + weight);
      return hashes.every((hash) => {
        const picked = policy.pick(hash * 3_000, null)!;
        begin(picked);
        return picked.active <= Math.ceil((bound * load.active * picked.weight) / total);
      });
    }),
    { numRuns: 60 },
  );
  t.pass('the property holds');
});

t.test('a retry goes to one with room, or to a full one where no other is left', async (t) => {
  const destinations = createDestinations(1, 1, 1);
  const { policy, begin } = createPolicy(destinations);
  const home = policy.pick(9, null)!;
  const [second, third] = destinations.filter((destination) => destination !== home) as [never, never];
  for (let request = 0; request < 6; request++) begin(second);
  t.equal(policy.pick(9, [home]), third);
  t.equal(policy.pick(9, [home, third]), second);
  t.equal(policy.pick(9, [home, second, third]), null);
});

t.test('with all that are left full a retry goes where it would go if they were idle', async (t) => {
  const destinations = createDestinations(1, 1, 1, 1, 1, 1);
  const { policy: idle } = createPolicy(destinations.map(({ id }) => new DestinationState(id, 1)));
  const { policy, begin } = createPolicy(destinations, 1.01);
  const home = destinations[2]!;
  for (const other of destinations) {
    for (let request = 0; request < 10 && other !== home; request++) begin(other);
  }
  for (let user = 0; user < 50; user++) {
    const hash = userHash(user);
    const idleFirst = idle.pick(hash, null)!;
    if (idleFirst.id === home.id) continue;
    t.equal(policy.pick(hash, [home])?.id, idleFirst.id);
  }
});

t.test('more destinations than slots: every slot still leads to one of its own', async (t) => {
  const { policy } = createPolicy(createDestinations(...new Array<number>(65_540).fill(1)));
  const reached = new Set<DestinationState>();
  for (let slot = 0; slot < 65_537; slot++) reached.add(policy.pick(slot, null)!);
  t.equal(reached.size, 65_537);
});

t.test('without destinations there is none', async (t) => {
  const { policy } = createPolicy([]);
  t.equal(policy.pick(1, null), null);
  policy.update(createDestinations(1));
  t.equal(policy.pick(1, null)?.id, 'a');
  policy.update([]);
  t.equal(policy.pick(1, null), null);
});
