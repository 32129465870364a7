import fc from 'fast-check';
import t from 'tap';
import { DestinationState } from '../../../lib/core/balancing/destination-state.ts';
import {
  DECAY_MS,
  FAILURE_COST_MS,
  MINIMUM_COST_MS,
  observeLatency,
  scoreDestination,
} from '../../../lib/core/balancing/peak-ewma.ts';

const isClose = (left: number, right: number) => Math.abs(left - right) <= 1e-9 * Math.max(left, right);

t.test('a peak counts at once and in full', async (t) => {
  const destination = new DestinationState('a', 1);
  observeLatency(destination, 20, 1_000);
  observeLatency(destination, 500, 1_001);
  t.equal(scoreDestination(destination, 1_001), 500);
});

t.test('a lower latency counts for the part that was forgotten since the last', async (t) => {
  const destination = new DestinationState('a', 1);
  observeLatency(destination, 500, 0);
  observeLatency(destination, 100, 2_000);
  const remembered = Math.exp(-2_000 / DECAY_MS);
  t.ok(isClose(destination.costMs, 500 * remembered + 100 * (1 - remembered)));
});

t.test('the cost fades to 1/e in 10 s, however often it is looked at', async (t) => {
  const destination = new DestinationState('a', 1);
  observeLatency(destination, 100, 5_000);
  for (let nowMs = 5_000; nowMs < 15_000; nowMs += 100) scoreDestination(destination, nowMs);
  t.ok(isClose(scoreDestination(destination, 15_000), 100 / Math.E));
});

t.test('the score counts the requests in flight and the one to come', async (t) => {
  const destination = new DestinationState('a', 1);
  observeLatency(destination, 100, 0);
  destination.active = 4;
  t.equal(scoreDestination(destination, 0), 500);
});

t.test('an unmeasured destination is tried at once, but not with a second request', async (t) => {
  const unmeasured = new DestinationState('a', 10_000);
  t.equal(scoreDestination(unmeasured, 0), 0);
  unmeasured.active = 1;
  const slow = new DestinationState('b', 1);
  observeLatency(slow, 60_000, 0);
  slow.active = 10_000;
  t.ok(scoreDestination(unmeasured, 0) / unmeasured.weight > scoreDestination(slow, 0) / slow.weight);
});

t.test('a failure before an answer does not make a destination look quick', async (t) => {
  const destination = new DestinationState('a', 1);
  observeLatency(destination, -1, 0);
  t.equal(destination.costMs, FAILURE_COST_MS);
});

t.test('an answer quicker than the clock can tell is measured all the same', async (t) => {
  const destination = new DestinationState('a', 1);
  observeLatency(destination, 0, 0);
  destination.active = 2;
  t.equal(scoreDestination(destination, 0), MINIMUM_COST_MS * 3);
});

t.test(
  'the cost stays between the lowest and the highest latency, also when the clock steps back',
  async (t) => {
    const observations = fc.array(fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.nat(100_000)), {
      minLength: 1,
    });
    fc.assert(
      fc.property(observations, (observations) => {
        const destination = new DestinationState('a', 1);
        for (const [latencyMs, nowMs] of observations) observeLatency(destination, latencyMs, nowMs);
        const latencies = observations.map(([latencyMs]) => latencyMs);
        const { costMs } = destination;
        return costMs > Math.min(...latencies) - 1e-6 && costMs < Math.max(...latencies) + 1e-6;
      }),
      { numRuns: 300 },
    );
    t.pass('the property holds');
  },
);
