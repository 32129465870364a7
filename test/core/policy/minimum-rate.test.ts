/** Who moves fewer bytes than the minimum while it is waited for is told from who is only slow, or not waited for. */
import fc from 'fast-check';
import t from 'tap';
import { MinimumRate } from '../../../lib/core/policy/minimum-rate.ts';

const WINDOW_MS = 5_000;
const LOOK_MS = 250;
const RATE = 240;

/** Looks several times a second while `bytesAt` says how far the peer is; gives when it was found too slow. */
function slowAt(
  bytesAt: (nowMs: number) => number,
  untilMs: number,
  waitingAt = (_: number) => true,
): number {
  const rate = new MinimumRate(RATE, WINDOW_MS);
  for (let nowMs = 0; nowMs <= untilMs; nowMs += LOOK_MS)
    if (rate.isTooSlow(bytesAt(nowMs), waitingAt(nowMs), nowMs)) return nowMs;
  return -1;
}

t.test('nothing for a whole window is too slow, at its end and not before', async (t) => {
  t.equal(
    slowAt(() => 0, 60_000),
    WINDOW_MS,
  );
});

t.test('a quick beginning does not pay for a trickle', async (t) => {
  const found = slowAt((nowMs) => Math.min(nowMs, 1_000) * 1_000 + nowMs / 1_000, 60_000);
  t.ok(found > WINDOW_MS && found <= 2 * WINDOW_MS, `found at ${found} ms`);
});

t.test('a steady pace of the minimum or more is never too slow', async () => {
  fc.assert(
    fc.property(fc.integer({ min: RATE, max: 1_000_000 }), (bytesPerSecond) => {
      return slowAt((nowMs) => Math.floor((nowMs / 1_000) * bytesPerSecond), 60_000) === -1;
    }),
    { numRuns: 200 },
  );
});

t.test('any pace below the minimum is found within two windows', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: RATE - 1 }), (bytesPerSecond) => {
      const found = slowAt((nowMs) => Math.floor((nowMs / 1_000) * bytesPerSecond), 60_000);
      return found > 0 && found <= 2 * WINDOW_MS;
    }),
    { numRuns: 200 },
  );
});

t.test('a pause of ours does not count against the peer', async (t) => {
  t.equal(
    slowAt(
      () => 0,
      600_000,
      () => false,
    ),
    -1,
  );
  const waitingNowAndThen = (nowMs: number) => nowMs % 10_000 < 1_000;
  const found = slowAt(() => 0, 600_000, waitingNowAndThen);
  t.ok(found >= 40_000 && found <= 50_000, `a second in ten: found at ${found} ms`);
});

t.test('bytes from before the first look count for nothing', async (t) => {
  t.equal(
    slowAt(() => 1_000_000, 60_000),
    WINDOW_MS,
  );
});

t.test('a minimum of nothing asks for nothing', async (t) => {
  const rate = new MinimumRate(0, WINDOW_MS);
  for (let nowMs = 0; nowMs < 600_000; nowMs += LOOK_MS) t.equal(rate.isTooSlow(0, true, nowMs), false);
});
