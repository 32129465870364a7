import fc from 'fast-check';
import t from 'tap';
import { AttemptLimiter } from '../../../lib/core/policy/attempt-limiter.ts';

function fail(limiter: AttemptLimiter, address: string, times: number, nowMs = 0): void {
  for (let count = 0; count < times; count += 1) limiter.noteFailure(address, nowMs);
}

t.test('ten failures are free, then one each six seconds', async (t) => {
  const limiter = new AttemptLimiter();
  for (let count = 0; count < 10; count += 1) {
    t.equal(limiter.check('10.0.0.1', 0), 0);
    limiter.noteFailure('10.0.0.1', 0);
  }
  t.equal(limiter.check('10.0.0.1', 0), 6);
  t.equal(limiter.check('10.0.0.1', 1_001), 5);
  t.equal(limiter.check('10.0.0.1', 5_999), 1);
  t.equal(limiter.check('10.0.0.1', 6_000), 0);
  limiter.noteFailure('10.0.0.1', 6_000);
  t.equal(limiter.check('10.0.0.1', 6_000), 6);
  t.equal(limiter.check('10.0.0.1', 66_000), 0);
  fail(limiter, '10.0.0.1', 9, 66_000);
  t.equal(limiter.check('10.0.0.1', 66_000), 0, 'after a minute all ten are back');
});

t.test('failures that were under way at the same time do not add up to a longer wait', async (t) => {
  const limiter = new AttemptLimiter();
  fail(limiter, '10.0.0.1', 1_000);
  t.equal(limiter.check('10.0.0.1', 0), 6);
});

t.test('each address counts for itself, and looking counts for nothing', async (t) => {
  const limiter = new AttemptLimiter();
  fail(limiter, '10.0.0.1', 10);
  t.equal(limiter.check('10.0.0.2', 0), 0);
  for (let count = 0; count < 100; count += 1) limiter.check('10.0.0.3', 0);
  t.equal(limiter.check('10.0.0.3', 0), 0);
  t.equal(limiter.size, 1);
});

t.test('an IPv6 host is its /64, however it is written; IPv4 within IPv6 is IPv4', async (t) => {
  const same: readonly (readonly [string, string])[] = [
    ['2001:db8:1:2::1', '2001:DB8:1:2:ffff:ffff:ffff:ffff'],
    ['2001:db8::1', '2001:0db8:0000:0000:1::'],
    ['fe80::1%eth0', 'fe80::2%eth1'],
    ['::1', '0:0:0:0::2'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::ffff:a00:1', '10.0.0.1'],
  ];
  for (const [failing, asking] of same) {
    const limiter = new AttemptLimiter();
    fail(limiter, failing, 10);
    t.equal(limiter.check(asking, 0), 6, `${failing} ${asking}`);
  }
  const others = [
    ['2001:db8:1:2::1', '2001:db8:1:3::1'],
    ['1:2:3::', '1:2:3:4::'],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.2'],
    ['::1', '::ffff:0.0.0.1'],
  ] as const;
  for (const [failing, asking] of others) {
    const limiter = new AttemptLimiter();
    fail(limiter, failing, 10);
    t.equal(limiter.check(asking, 0), 0, `${failing} ${asking}`);
  }
});

t.test('what is no address is limited as well', async (t) => {
  for (const address of ['', 'unix', 'x'.repeat(100_000), ':::', `:${'y'.repeat(1_000)}`]) {
    const limiter = new AttemptLimiter();
    fail(limiter, address, 10);
    t.equal(limiter.check(address, 0), 6);
  }
});

t.test('the table is bounded; the address whose last failure is oldest goes first', async (t) => {
  const limiter = new AttemptLimiter();
  const flood = (count: number, from: number) => {
    for (let index = 0; index < count; index += 1) {
      const number = from + index;
      limiter.noteFailure(`10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`, 0);
    }
  };
  fail(limiter, 'first', 10);
  fail(limiter, 'second', 10);
  flood(9_997, 0);
  limiter.noteFailure('first', 0);
  flood(1, 20_000);
  t.equal(limiter.size, 10_000);
  flood(1, 30_000);
  t.equal(limiter.size, 10_000);
  t.equal(limiter.check('second', 0), 0, 'was the oldest');
  t.equal(limiter.check('first', 0), 6, 'failed since');
});

t.test('no order of failures lets more of them through than the bucket holds', async () => {
  const steps = fc.array(fc.nat({ max: 20_000 }), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (pauses) => {
      const limiter = new AttemptLimiter();
      let nowMs = 0;
      let passed = 0;
      for (const pause of pauses) {
        nowMs += pause;
        const wait = limiter.check('a', nowMs);
        if (wait === 0) {
          passed += 1;
          limiter.noteFailure('a', nowMs);
        } else if (limiter.check('a', nowMs + wait * 1_000) !== 0) {
          return false;
        }
      }
      return passed <= 10 + nowMs / 6_000;
    }),
    { numRuns: 300 },
  );
});
