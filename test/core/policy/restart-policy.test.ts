import t from 'tap';
import { diedYoung, restartDelayMs } from '../../../lib/core/policy/restart-policy.ts';

t.test('the first replacement comes at once, later ones after longer and longer waits', async (t) => {
  t.same(
    [0, 1, 2, 3, 4, 7, 8, 9, 50].map(restartDelayMs),
    [0, 100, 200, 400, 800, 6_400, 10_000, 10_000, 10_000],
  );
  t.equal(restartDelayMs(5_000), 10_000, 'also where the power is beyond all numbers');
});

t.test('a worker that lived for half a minute did not die young', async (t) => {
  t.same([0, 29_999, 30_000, 1e9].map(diedYoung), [true, true, false, false]);
});
