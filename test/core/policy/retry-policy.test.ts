import t from 'tap';
import type { RetryCondition } from '../../../lib/core/config/model.ts';
import { RetryPolicy, retryFitsBudget } from '../../../lib/core/policy/retry-policy.ts';

const IDEMPOTENT = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'QUERY'];
const OTHERS = ['POST', 'PATCH', 'LOCK', 'get'];

t.test('two attempts, on connect and reset, unless the cluster says otherwise', async (t) => {
  for (const policy of [new RetryPolicy(undefined), new RetryPolicy({})]) {
    t.equal(policy.attempts, 2);
    t.equal(policy.allowsAfterFailure('connect', 'GET'), true);
    t.equal(policy.allowsAfterFailure('reset', 'GET'), true);
    t.equal(policy.allowsAfterFailure('timeout', 'GET'), false);
    t.equal(policy.allowsAfterStatus(503, 'GET'), false);
  }
  t.equal(new RetryPolicy({ attempts: 7 }).attempts, 7);
});

t.test('each condition is allowed only where it is named', async (t) => {
  const conditions: RetryCondition[] = ['connect', 'reset', 'timeout'];
  for (const named of conditions) {
    const policy = new RetryPolicy({ on: [named] });
    for (const condition of conditions) {
      t.equal(
        policy.allowsAfterFailure(condition, 'GET'),
        condition === named,
        `${condition} with [${named}]`,
      );
    }
  }
  const none = new RetryPolicy({ on: [] });
  for (const condition of conditions) t.equal(none.allowsAfterFailure(condition, 'GET'), false);
});

t.test('what may have arrived is sent again only where twice does what once does', async (t) => {
  const policy = new RetryPolicy({ on: ['connect', 'reset', 'timeout', 503] });
  for (const method of [...IDEMPOTENT, ...OTHERS]) {
    const isIdempotent = IDEMPOTENT.includes(method);
    t.equal(policy.isIdempotent(method), isIdempotent, method);
    t.equal(policy.allowsAfterFailure('connect', method), true, 'it never left');
    t.equal(policy.allowsAfterFailure('reset', method), isIdempotent);
    t.equal(policy.allowsAfterFailure('timeout', method), isIdempotent);
    t.equal(policy.allowsAfterStatus(503, method), isIdempotent);
    t.equal(policy.allowsAfterFailure(null, method), false, 'a failure that no condition covers');
  }
});

t.test('only the named statuses are tried again', async (t) => {
  const policy = new RetryPolicy({ on: [502, 503] });
  t.same(
    [500, 501, 502, 503, 504, 200, 404].filter((status) => policy.allowsAfterStatus(status, 'GET')),
    [502, 503],
  );
});

t.test('retries are a fifth of the active requests, and three', async (t) => {
  const largest = (active: number) => {
    let retries = 0;
    while (retryFitsBudget(active, retries)) retries += 1;
    return retries;
  };
  t.same([0, 1, 5, 10, 100, 1_000].map(largest), [3, 4, 4, 5, 23, 203]);
});
