/** How far an event loop lags, smoothed: a moment is forgiven, a state is seen. */
import fc from 'fast-check';
import t from 'tap';
import { LagAverage } from '../../../lib/core/policy/lag-average.ts';

const INTERVAL_MS = 100;

/** The average after looks that came so much late each. */
function averageAfter(lagsMs: readonly number[]): number {
  const average = new LagAverage(INTERVAL_MS, 0);
  let nowMs = 0;
  for (const lagMs of lagsMs) {
    nowMs += INTERVAL_MS + lagMs;
    average.note(nowMs);
  }
  return average.ms;
}

const times = (count: number, lagMs: number) => new Array<number>(count).fill(lagMs);

t.test('a loop that is on time does not lag, also where a timer comes early', async (t) => {
  t.equal(averageAfter(times(50, 0)), 0);
  t.equal(averageAfter(times(50, -5)), 0);
});

t.test('it is never more than the longest lag, and comes near to one that stays', async () => {
  const lags = fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 100 });
  fc.assert(
    fc.property(lags, (lagsMs) => {
      const most = Math.max(...lagsMs);
      const average = averageAfter(lagsMs);
      const settled = averageAfter([...lagsMs, ...times(100, most)]);
      return average >= 0 && average <= most && Math.abs(settled - most) < 1;
    }),
    { numRuns: 300 },
  );
});

t.test('a pause of two seconds counts for less than half a second, and is soon forgotten', async (t) => {
  t.ok(averageAfter([2_000]) < 500);
  t.ok(averageAfter([2_000, ...times(10, 0)]) < 50);
});

t.test('a lag that stays is seen in a second', async (t) => {
  t.ok(averageAfter(times(10, 1_000)) > 850);
});
