import fc from 'fast-check';
import t from 'tap';
import {
  keyLifetimeMs,
  mayRefetch,
  refreshDelayMs,
  retryDelayMs,
  usableUntilMs,
} from '../../../lib/core/policy/jwks-refresh-policy.ts';

t.test('keys are fresh for as long as the answer says, a minute at least and a day at most', (t) => {
  const cases: [string, number, number][] = [
    ['', 0, 600],
    ['public', 0, 600],
    ['max-age=3600', 0, 3600],
    ['public, max-age=3600, must-revalidate', 0, 3600],
    ['MAX-AGE="3600"', 0, 3600],
    ['max-age=3600', 600, 3000],
    ['max-age=3600', -5, 3600],
    ['max-age=3600', 9000, 60],
    ['max-age=0', 0, 60],
    ['max-age=9999999999', 0, 86_400],
    ['no-store, max-age=3600', 0, 60],
    ['no-cache', 0, 60],
    ['x-max-age=3600', 0, 600],
    ['max-age=soon', 0, 600],
    ['max-age=99999999999999', 0, 600],
  ];
  for (const [text, ageSec, expectedSec] of cases) {
    t.equal(keyLifetimeMs(text, ageSec), expectedSec * 1_000, `${text} at ${ageSec}`);
  }
  t.end();
});

t.test('whatever a server says, the lifetime is within its bounds', (t) => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.integer().map((age) => `max-age=${age}`),
      ),
      fc.double({ noNaN: true }),
      (text, age) => {
        const lifetimeMs = keyLifetimeMs(text, age);
        return lifetimeMs >= 60_000 && lifetimeMs <= 86_400_000;
      },
    ),
    { numRuns: 500 },
  );
  t.end();
});

t.test('keys are fetched again when four fifths of their time are over, a little earlier by chance', (t) => {
  t.equal(
    refreshDelayMs(600_000, () => 0),
    480_000,
  );
  t.equal(
    refreshDelayMs(600_000, () => 1),
    432_000,
  );
  t.end();
});

t.test('after a failure: 5 s, twice as long each time, five minutes at most, half of it by chance', (t) => {
  const never = () => 0;
  t.same(
    [1, 2, 3, 4, 5, 6, 7, 8, 2_000].map((failures) => retryDelayMs(failures, never)),
    [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000],
  );
  t.equal(
    retryDelayMs(1, () => 1),
    2_500,
  );
  t.end();
});

t.test('keys that cannot be fetched any more are used for their lifetime and the grace', (t) => {
  t.equal(usableUntilMs(1_000, 600_000, 60), 661_000);
  t.end();
});

t.test('tokens with unknown keys cause one fetch in ten seconds', (t) => {
  t.same(
    [mayRefetch(Number.NEGATIVE_INFINITY, 0), mayRefetch(0, 9_999), mayRefetch(0, 10_000)],
    [true, false, true],
  );
  t.end();
});
