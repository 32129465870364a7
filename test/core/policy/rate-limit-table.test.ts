/** A worker's table of token buckets: bounded, and honest about what it gives away. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import t from 'tap';
import { hashString } from '../../../lib/core/balancing/hash.ts';
import type { RateShare } from '../../../lib/core/policy/rate-demand.ts';
import { RateLimitTable } from '../../../lib/core/policy/rate-limit-table.ts';
import type { BucketRule } from '../../../lib/core/policy/token-bucket.ts';

const hashRateKey = (key: string) => hashString(key, 1);
const RULE: BucketRule = { burst: 10, tokensPerMs: 0.01 };

function createTable(defaultShare: number, maxBuckets = 1_000): RateLimitTable {
  return new RateLimitTable({ defaultShare, hash: hashRateKey, salt: 0x9e3779b9, maxBuckets });
}

/** One request; says whether it was let through. */
function request(table: RateLimitTable, key: string, nowMs: number, rule = RULE): boolean {
  const bucket = table.find(key, rule, nowMs);
  const { hasRoom } = bucket;
  if (hasRoom) bucket.take();
  table.countRequest(bucket);
  return hasRoom;
}

/** How many of so many requests at one moment are let through. */
function burst(table: RateLimitTable, key: string, count: number, nowMs: number, rule = RULE): number {
  let passed = 0;
  for (let sent = 0; sent < count; sent += 1) if (request(table, key, nowMs, rule)) passed += 1;
  return passed;
}

/** A word of the exchange; `seed` is that of the hash by which it names the key. */
function shareOf(key: string, share: number | null, granted = 0, rule = RULE, seed = 1): RateShare {
  return [hashString(key, seed), share, granted, rule.burst, rule.tokensPerMs];
}

t.test('each key has a budget of its own, which comes back with time', async (t) => {
  const table = createTable(1);
  t.equal(burst(table, 'a', 15, 0), 10);
  t.equal(burst(table, 'b', 15, 0), 10);
  t.equal(burst(table, 'a', 15, 300), 3);
  t.equal(burst(table, 'a', 15, 100_000), 10, 'and never more than the burst');
});

t.test('a limit that is changed refills nobody', async (t) => {
  const table = createTable(1);
  burst(table, 'a', 10, 0);
  const larger = { burst: 100, tokensPerMs: 0.1 };
  t.equal(burst(table, 'a', 100, 0, larger), 0);
  t.equal(burst(table, 'a', 100, 50, larger), 5);
  t.equal(burst(table, 'a', 100, 10_000, { burst: 3, tokensPerMs: 1 }), 3);
});

t.test('to look at a key leaves no trace', async (t) => {
  const table = createTable(1);
  t.equal(table.peek('a', 0), null);
  t.equal(table.size, 0);
  request(table, 'a', 0);
  t.equal(table.peek('a', 50)?.tokens, 9.5);
  t.equal(burst(table, 'a', 20, 50), 9);
});

t.test('over any history no key gets more than its burst and what came back', async () => {
  const steps = fc.array(fc.tuple(fc.nat(3), fc.nat(2_000)), { maxLength: 300 });
  fc.assert(
    fc.property(steps, fc.double({ min: 0.05, max: 1, noNaN: true }), (history, share) => {
      const table = createTable(share, 4);
      const passed = [0, 0, 0, 0];
      let nowMs = 0;
      for (const [key, waitMs] of history) {
        nowMs += waitMs;
        passed[key]! += burst(table, `key-${key}`, 4, nowMs);
        table.takeDemands(nowMs);
      }
      const most = Math.max(1, RULE.burst * share) + RULE.tokensPerMs * share * nowMs;
      return passed.every((count) => count <= most + 1e-6);
    }),
    { numRuns: 300 },
  );
});

t.test('a flood of keys does not grow the table beyond its bound', async (t) => {
  const table = createTable(1);
  for (let index = 0; index < 20_000; index += 1) request(table, `flood-${index}`, index / 1_000);
  t.equal(table.size, 1_000);
});

t.test('who has been refused is not forgotten by a flood that is less thorough', async (t) => {
  const table = createTable(1);
  burst(table, 'refused', 11, 0);
  for (let index = 0; index < 20_000; index += 1) request(table, `flood-${index}`, index / 1_000);
  t.notOk(request(table, 'refused', 20), 'those of the flood have more tokens, and go first');
});

t.test('what is full again gives its place away, so that the table stays small', async (t) => {
  const table = createTable(1);
  for (let index = 0; index < 20_000; index += 1) request(table, `key-${index}`, index * 100);
  t.ok(table.size < 20, `${table.size} buckets`);
});

t.test('what a flood left behind goes by and by', async (t) => {
  const table = createTable(1);
  for (let index = 0; index < 900; index += 1) request(table, `flood-${index}`, 0);
  burst(table, 'slow', 10, 0, { burst: 10, tokensPerMs: 1e-6 });
  table.takeDemands(1_000);
  t.ok(table.size < 10, `${table.size} buckets`);
  t.notOk(request(table, 'slow', 1_000));
});

t.test('two limits of one request never push each other out', async (t) => {
  const table = createTable(1, 2);
  let passed = 0;
  for (let sent = 0; sent < 30; sent += 1) {
    const [one, two] = [table.find('one', RULE, sent), table.find('two', { ...RULE, burst: 100 }, sent)];
    if (!one.hasRoom || !two.hasRoom) continue;
    one.take();
    two.take();
    passed += 1;
  }
  t.equal(passed, 10);
});

t.test('a million keys take a few tens of megabytes at most', async (t) => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const table = new RateLimitTable({ defaultShare: 0.5, hash: hashRateKey, salt: 1 });
  for (let index = 0; index < 1_000_000; index += 1)
    request(table, `orders #1 address 10.0.${index}`, index / 1_000);
  collectGarbage();
  const megabytes = (process.memoryUsage().heapUsed - before) / 1e6;
  t.ok(megabytes < 64, `${megabytes.toFixed(1)} MB`);
  t.ok(table.size <= 65_536);
});

t.test('who has all of the limits has nobody to tell', async (t) => {
  const table = createTable(1);
  burst(table, 'a', 20, 0);
  t.same(table.takeDemands(0), []);
});

t.test('only keys near their limit are told, with their requests since the last report', async (t) => {
  const table = createTable(0.5);
  burst(table, 'far', 1, 0);
  burst(table, 'near', 7, 0);
  t.same(table.takeDemands(0), [[hashRateKey('near'), 7, 0, 10, 0.01]]);
  burst(table, 'far', 2, 0);
  t.same(table.takeDemands(0), [[hashRateKey('far'), 2, 0, 10, 0.01]], 'what was counted before is not told');
  t.same(table.takeDemands(0), []);
});

t.test('of too many pressed keys those with the most requests are told', async (t) => {
  const table = createTable(0.1, 10_000);
  for (let index = 0; index < 5_000; index += 1) request(table, `once-${index}`, 0);
  for (let index = 0; index < 900; index += 1) burst(table, `often-${index}`, 3, 0);
  const demands = table.takeDemands(0);
  t.equal(demands.length, 900);
  t.ok(demands.every(([, requests]) => requests === 3));
  for (let index = 0; index < 5_000; index += 1) burst(table, `once-${index}`, 2_000, 0);
  t.equal(table.takeDemands(0).length, 1_000, 'and never more than the bound');
});

t.test('a larger share lets more through, with the tokens that others gave up', async (t) => {
  const table = createTable(0.5);
  t.equal(burst(table, 'a', 20, 0), 5);
  t.same(table.takeShares(0.5, [shareOf('a', 0.9, 4)], 0), []);
  t.equal(burst(table, 'a', 20, 0), 4);
  t.equal(burst(table, 'a', 20, 1_000), 9, 'ten come back in a second, and nine are for this worker');
});

t.test('a worker without requests gives up what is more than its new share, but for one', async (t) => {
  const table = createTable(0.5);
  t.same(table.takeShares(0.5, [shareOf('a', 0.01)], 0), [[hashRateKey('a'), 0, 4, 10, 0.01]]);
  t.equal(burst(table, 'a', 20, 0), 1);
  t.same(table.takeDemands(0), [[hashRateKey('a'), 20, 0, 10, 0.01]], 'and its demand is told');
});

t.test('where a share is less than two requests, a worker without any gives up all', async (t) => {
  const table = createTable(0.1);
  const [offer] = table.takeShares(0.1, [shareOf('a', 0.01)], 0);
  t.equal(offer?.[2], 0.9);
  t.notOk(request(table, 'a', 0));
});

t.test('a worker that had requests lately keeps what fits into its share', async (t) => {
  const table = createTable(0.5);
  request(table, 'a', 0);
  t.same(table.takeShares(0.5, [shareOf('a', 0.3)], 0), [[hashRateKey('a'), 0, 1, 10, 0.01]]);
  t.equal(burst(table, 'a', 20, 0), 3);
});

t.test(
  'what was given up before the first request is not there for it, and comes back with time',
  async (t) => {
    const table = createTable(0.5);
    table.takeShares(0.5, [shareOf('a', 0.01)], 0);
    table.takeShares(0.5, [shareOf('a', null)], 0);
    t.equal(burst(table, 'a', 20, 0), 1);
    t.equal(burst(table, 'a', 20, 400), 2);
  },
);

t.test('a key whose share was told is reported while it has requests', async (t) => {
  const table = createTable(0.5);
  table.takeShares(0.5, [shareOf('a', 0.9, 4)], 0);
  request(table, 'a', 0);
  t.equal(table.takeDemands(0).length, 1);
  t.equal(table.takeDemands(0).length, 0);
});

t.test('another default share holds for all keys that nothing else was told of', async (t) => {
  const table = createTable(1);
  table.takeShares(1, [shareOf('told', 0.8)], 0);
  t.equal(burst(table, 'kept', 3, 0), 3);
  table.takeShares(0.5, [], 0);
  t.equal(burst(table, 'kept', 20, 0), 5);
  t.equal(burst(table, 'new', 20, 0), 5);
  t.equal(burst(table, 'told', 20, 0), 8);
});

t.test('shares and offers never make tokens, whatever is told', async () => {
  const tellings = fc.array(
    fc.record({
      share: fc.option(fc.double({ min: 0.001, max: 1, noNaN: true }), { nil: null }),
      requests: fc.nat(8),
      waitMs: fc.nat(3_000),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(tellings, (history) => {
      const table = createTable(0.5);
      let [nowMs, passed, offered] = [0, 0, 0];
      for (const { share, requests, waitMs } of history) {
        for (const offer of table.takeShares(0.5, [shareOf('a', share)], nowMs)) offered += offer[2];
        passed += burst(table, 'a', requests, nowMs);
        nowMs += waitMs;
      }
      return passed + offered <= RULE.burst * 0.5 + RULE.tokensPerMs * nowMs + 1e-6;
    }),
    { numRuns: 300 },
  );
});

t.test('when the hash of keys changes, the exchange knows a key by its new one', async (t) => {
  const table = createTable(0.5);
  burst(table, 'a', 20, 0);
  table.changeHash((key) => hashString(key, 2), 0);
  t.same(table.takeDemands(0), [], 'what was listed goes by the hash that was');
  t.equal(table.peek('a', 0)?.tokens, 0);
  t.notOk(request(table, 'a', 0), 'what was used up stays so');
  t.same(table.takeDemands(0), [[hashString('a', 2), 1, 0, 10, 0.01]]);
  t.same(table.takeShares(0.5, [shareOf('a', 0.9, 4, RULE, 2)], 0), []);
  t.equal(burst(table, 'a', 20, 0), 4);
});

t.test('when the hash of keys changes, what was told of them is over', async (t) => {
  const table = createTable(0.5);
  request(table, 'a', 0);
  table.takeShares(0.5, [shareOf('a', 0.9)], 0);
  table.takeShares(0.5, [shareOf('never asked for', 0.01)], 0);
  table.changeHash((key) => hashString(key, 2), 0);
  t.equal(burst(table, 'a', 20, 10_000), 5);
  table.takeDemands(20_000);
  t.equal(table.size, 0, 'nothing stays behind');
});

t.test('changes of the hash make no tokens either, whatever is told before and after', async () => {
  const steps = fc.array(
    fc.record({
      share: fc.option(fc.double({ min: 0.001, max: 1, noNaN: true }), { nil: null }),
      isTold: fc.boolean(),
      changesHash: fc.boolean(),
      requests: fc.nat(8),
      waitMs: fc.nat(500),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(steps, (history) => {
      const table = createTable(0.5);
      let [seed, nowMs, passed, offered] = [1, 0, 0, 0];
      for (const { share, isTold, changesHash, requests, waitMs } of history) {
        if (changesHash) {
          seed += 1;
          const current = seed;
          table.changeHash((key) => hashString(key, current), nowMs);
        }
        const shares = isTold ? [shareOf('a', share, 0, RULE, seed)] : [];
        for (const offer of table.takeShares(0.5, shares, nowMs)) offered += offer[2];
        passed += burst(table, 'a', requests, nowMs);
        nowMs += waitMs;
      }
      return passed + offered <= RULE.burst * 0.5 + RULE.tokensPerMs * nowMs + 1e-6;
    }),
    {
      numRuns: 500,
      // What was given up for a key that no request had come for was forgotten with the hash.
      examples: [
        [
          [
            { share: 0.001, isTold: true, changesHash: false, requests: 0, waitMs: 0 },
            { share: null, isTold: false, changesHash: true, requests: 2, waitMs: 0 },
          ],
        ],
      ],
    },
  );
});
