import t from 'tap';
import { observeLatency } from '../../../lib/core/balancing/peak-ewma.ts';
import { PeakEwmaPolicy } from '../../../lib/core/balancing/peak-ewma-policy.ts';
import { createDestinations, createScriptedRandom, createSeededRandom } from './fixtures.ts';

t.test('of the two that are drawn the lower score for its weight wins', async (t) => {
  const policy = new PeakEwmaPolicy(createScriptedRandom(0, 0, 0, 0, 0, 0), () => 0);
  const [a, b] = createDestinations(1, 1);
  policy.update([a!, b!]);
  observeLatency(a!, 40, 0);
  observeLatency(b!, 30, 0);
  t.equal(policy.pick(0, null), b);
  b!.active = 1;
  t.equal(policy.pick(0, null), a, '40 × 1 is less than 30 × 2');
  b!.weight = 2;
  t.equal(policy.pick(0, null), b, '40 × 1 / 1 is more than 30 × 2 / 2');
});

t.test('a lone destination is picked without a draw', async (t) => {
  const policy = new PeakEwmaPolicy(createScriptedRandom(), () => 0);
  const [a, b] = createDestinations(1, 1) as [never, never];
  policy.update([a, b]);
  t.equal(policy.pick(0, [b]), a);
  t.equal(policy.pick(0, [a, b]), null);
});

t.test('a destination that turned slow is avoided and tried again when the peak has faded', async (t) => {
  let nowMs = 0;
  const policy = new PeakEwmaPolicy(createSeededRandom(1), () => nowMs);
  const [slow, quick] = createDestinations(1, 1);
  policy.update([slow!, quick!]);
  observeLatency(slow!, 1_000, nowMs);
  const picksSlow = () => {
    observeLatency(quick!, 10, nowMs);
    return policy.pick(0, null) === slow;
  };
  const avoidedUntilMs = 10_000 * Math.log(1_000 / 10);
  for (nowMs = 0; nowMs < avoidedUntilMs; nowMs += 500) t.notOk(picksSlow());
  t.ok(picksSlow());
});
