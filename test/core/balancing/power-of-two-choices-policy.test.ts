import t from 'tap';
import { PowerOfTwoChoicesPolicy } from '../../../lib/core/balancing/power-of-two-choices-policy.ts';
import { createDestinations, createScriptedRandom, createSeededRandom } from './fixtures.ts';

t.test('of the two that are drawn the one with more weight for each request wins', async (t) => {
  // 0 and 0 draw the first destination, then the first of the others.
  const policy = new PowerOfTwoChoicesPolicy(createScriptedRandom(0, 0, 0, 0, 0, 0, 0.9, 0));
  const [a, b] = createDestinations(1, 1);
  policy.update([a!, b!]);
  t.equal(policy.pick(0, null), a, 'equals: the first drawn');
  a!.active = 1;
  t.equal(policy.pick(0, null), b);
  a!.weight = 3;
  t.equal(policy.pick(0, null), a, '3 / 2 against 1 / 1');
  a!.active = 2;
  t.equal(policy.pick(0, null), b, '3 / 3 equals 1 / 1: the first drawn, which now is b');
});

t.test('a lone destination is picked without a draw', async (t) => {
  const policy = new PowerOfTwoChoicesPolicy(createScriptedRandom());
  const [a, b] = createDestinations(1, 1) as [never, never];
  policy.update([a]);
  t.equal(policy.pick(0, null), a);
  policy.update([a, b]);
  t.equal(policy.pick(0, [a]), b, 'also where the others were tried');
  t.equal(policy.pick(0, [a, b]), null);
});

t.test('under load the requests in flight stand in proportion to the weights', async (t) => {
  const policy = new PowerOfTwoChoicesPolicy(createSeededRandom(3));
  const destinations = createDestinations(1, 2, 3, 4);
  policy.update(destinations);
  for (let request = 0; request < 10_000; request++) policy.pick(0, null)!.active += 1;
  for (const { id, active, weight } of destinations) {
    t.ok(Math.abs(active - weight * 1_000) < 100, `${id} has ${active} of ${weight * 1_000}`);
  }
});

t.test('idle destinations of one weight get equal shares', async (t) => {
  const policy = new PowerOfTwoChoicesPolicy(createSeededRandom(4));
  const destinations = createDestinations(1, 1, 1, 1);
  policy.update(destinations);
  const counts = [0, 0, 0, 0];
  for (let request = 0; request < 40_000; request++) {
    counts[destinations.indexOf(policy.pick(0, null)!)]! += 1;
  }
  for (const count of counts) t.ok(Math.abs(count - 10_000) < 500, `${count} of 10,000`);
});

t.test('of two idle destinations each gets the share that its weight says', async (t) => {
  const policy = new PowerOfTwoChoicesPolicy(createSeededRandom(7));
  const [heavy, light] = createDestinations(9, 1);
  policy.update([heavy!, light!]);
  let picksOfLight = 0;
  for (let pick = 0; pick < 10_000; pick++) if (policy.pick(0, null) === light) picksOfLight += 1;
  t.ok(picksOfLight > 850 && picksOfLight < 1_150, `${picksOfLight} of 10,000`);
});
