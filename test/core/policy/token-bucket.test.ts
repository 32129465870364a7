/** A worker's part of a token bucket: never more than its part of the burst and of the rate. */
import fc from 'fast-check';
import t from 'tap';
import { type BucketRule, TokenBucket } from '../../../lib/core/policy/token-bucket.ts';

const rules: fc.Arbitrary<BucketRule> = fc.record({
  burst: fc.integer({ min: 1, max: 10_000 }),
  tokensPerMs: fc.double({ min: 1e-6, max: 100, noNaN: true }),
});
const shares = fc.double({ min: 1e-3, max: 1, noNaN: true });
/** Milliseconds from one request to the next. */
const gaps = fc.array(fc.double({ min: 0, max: 5_000, noNaN: true }), { maxLength: 200 });

/** Takes a token wherever there is one; gives how many that were. */
function drain(bucket: TokenBucket): number {
  let taken = 0;
  for (; bucket.hasRoom; taken += 1) bucket.take();
  return taken;
}

t.test('it never lets through more than its part of the burst and of what came back', async () => {
  fc.assert(
    fc.property(rules, shares, gaps, (rule, share, waits) => {
      const bucket = new TokenBucket(rule, share, 0);
      let nowMs = 0;
      let taken = 0;
      for (const waitMs of waits) {
        nowMs += waitMs;
        bucket.refill(nowMs);
        taken += drain(bucket);
        const most = Math.max(1, rule.burst * share) + rule.tokensPerMs * share * nowMs;
        if (taken > most + 1e-6) return false;
      }
      return true;
    }),
    { numRuns: 300 },
  );
});

t.test('it refills exactly, in one step or in many', async () => {
  fc.assert(
    fc.property(rules, shares, gaps, (rule, share, waits) => {
      const [once, often] = [new TokenBucket(rule, share, 0), new TokenBucket(rule, share, 0)];
      drain(once);
      drain(often);
      let nowMs = 0;
      for (const waitMs of waits) {
        nowMs += waitMs;
        often.refill(nowMs);
      }
      once.refill(nowMs);
      return Math.abs(once.tokens - often.tokens) <= 1e-6 * once.capacity;
    }),
    { numRuns: 300 },
  );
});

t.test('a token is back when its time has come, also after refills that are no whole numbers', async (t) => {
  const bucket = new TokenBucket({ burst: 1, tokensPerMs: 0.1 }, 1, 0);
  bucket.take();
  for (let nowMs = 1; nowMs < 10; nowMs += 1) {
    bucket.refill(nowMs);
    t.notOk(bucket.hasRoom, `${nowMs} ms`);
  }
  bucket.refill(10);
  t.ok(bucket.hasRoom);
});

t.test('a part that is smaller than one request still lets one through', async (t) => {
  const bucket = new TokenBucket({ burst: 4, tokensPerMs: 1 }, 1 / 16, 0);
  t.equal(drain(bucket), 1);
});

t.test('a time that lies back refills nothing', async (t) => {
  const bucket = new TokenBucket({ burst: 10, tokensPerMs: 1 }, 1, 1_000);
  drain(bucket);
  bucket.refill(0);
  bucket.refill(1_000);
  t.equal(bucket.tokens, 0);
});

t.test('another rule or share refills nothing, and takes away what does not fit', async () => {
  fc.assert(
    fc.property(rules, rules, shares, shares, fc.nat(20_000), (rule, other, share, next, requests) => {
      const bucket = new TokenBucket(rule, share, 0);
      for (let count = 0; count < requests && bucket.hasRoom; count += 1) bucket.take();
      const before = bucket.tokens;
      bucket.changeRule(other, 0);
      const between = bucket.tokens;
      const surplus = bucket.changeShare(next, Number.POSITIVE_INFINITY, 0);
      return (
        between <= before &&
        bucket.tokens <= Math.min(between, bucket.capacity) + 1e-9 &&
        Math.abs(bucket.tokens + surplus - between) < 1e-9 * Math.max(1, between)
      );
    }),
    { numRuns: 300 },
  );
});

t.test('what is given back or granted fills it, and no more', async (t) => {
  const bucket = new TokenBucket({ burst: 10, tokensPerMs: 1 }, 0.5, 0);
  bucket.take();
  bucket.add(0.5);
  t.equal(bucket.tokens, 4.5);
  bucket.add(100);
  t.equal(bucket.tokens, 5);
});
