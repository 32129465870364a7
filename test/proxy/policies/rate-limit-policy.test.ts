/** What the rate limits of a route let through, and what clients are told. */
import t from 'tap';
import type { RateLimit } from '../../../lib/core/config/model.ts';
import { ERRORS } from '../../../lib/core/errors.ts';
import { type Identity, Passage } from '../../../lib/proxy/policies/passage.ts';
import { RateLimitPolicy } from '../../../lib/proxy/policies/rate-limit-policy.ts';
import { RateLimiters } from '../../../lib/proxy/policies/rate-limiters.ts';
import { admittedGet } from './admitted-request.ts';

const SLOW = { perSec: 86_400 };

/** A worker's buckets, on a clock that stands still. */
function createLimiters(defaultShare = 1): RateLimiters {
  return new RateLimiters(defaultShare, () => 0);
}

interface Sender {
  readonly address?: string;
  readonly fields?: readonly string[];
  readonly identity?: Partial<Identity>;
}

function passageOf({ address = '192.0.2.1', fields = [], identity }: Sender = {}): Passage {
  const request = admittedGet('/', ['Host', 'localhost', ...fields]);
  const passage = new Passage(request, address, 'http', false);
  if (identity !== undefined)
    passage.identity = { method: 'jwt', consumer: 'main:a', scopes: [], roles: [], claims: {}, ...identity };
  return passage;
}

function compile(limits: readonly RateLimit[], limiters = createLimiters()): RateLimitPolicy[] {
  return RateLimitPolicy.compile('orders', limits, limiters);
}

function only(limits: readonly RateLimit[], limiters?: RateLimiters): RateLimitPolicy {
  const [policy, ...others] = compile(limits, limiters);
  if (policy === undefined || others.length > 0) throw new Error('not exactly one policy');
  return policy;
}

/** How many of `count` requests of a sender pass. */
function passed(policy: RateLimitPolicy, sender: Sender, count = 10): number {
  return Array.from({ length: count }, () => policy.decide(passageOf(sender))).filter(
    (verdict) => verdict === null,
  ).length;
}

t.test('what has a budget of its own', async (t) => {
  const three = { requests: 3, ...SLOW };
  const byRoute = only([three]);
  t.equal(passed(byRoute, { address: '192.0.2.1' }), 3);
  t.equal(passed(byRoute, { address: '192.0.2.2' }), 0, 'the route: all requests together');

  const byAddress = only([{ ...three, key: { source: 'clientIp' } }]);
  t.equal(passed(byAddress, { address: '192.0.2.1' }), 3);
  t.equal(passed(byAddress, { address: '192.0.2.2' }), 3);
  t.equal(passed(byAddress, { address: '2001:db8:1:2::1' }), 3);
  t.equal(passed(byAddress, { address: '2001:db8:1:2:ffff::9' }), 0, 'IPv6: the network of one host');

  const byHeader = only([{ ...three, key: { source: 'header', name: 'X-Tenant' } }]);
  t.equal(passed(byHeader, { fields: ['x-tenant', 'a'] }), 3);
  t.equal(passed(byHeader, { fields: ['X-TENANT', 'a'], address: '192.0.2.9' }), 0);
  t.equal(passed(byHeader, { fields: ['x-tenant', 'b'] }), 3);

  const byConsumer = only([{ ...three, key: { source: 'consumer' } }]);
  t.equal(passed(byConsumer, { identity: { consumer: 'main:alice' } }), 3);
  t.equal(passed(byConsumer, { identity: { consumer: 'main:alice' }, address: '192.0.2.9' }), 0);
  t.equal(passed(byConsumer, { identity: { consumer: 'main:bob' } }), 3);

  const byClaim = only([{ ...three, key: { source: 'claim', name: 'tenant.id' } }]);
  t.equal(passed(byClaim, { identity: { claims: { tenant: { id: 7 } } } }), 3);
  t.equal(passed(byClaim, { identity: { claims: { 'tenant.id': '7' } } }), 0);
  t.equal(passed(byClaim, { identity: { claims: { tenant: { id: 8 } } } }), 3);
});

t.test('without a header, claim or consumer the address counts, which no header can stand for', async (t) => {
  const key = { source: 'header', name: 'x-tenant' } as const;
  const byHeader = only([{ requests: 3, ...SLOW, key }]);
  t.equal(passed(byHeader, {}), 3);
  t.equal(passed(byHeader, { fields: ['x-tenant', ''] }), 0, 'an empty one is none');
  t.equal(passed(byHeader, { fields: ['x-tenant', 'a', 'x-tenant', 'b'] }), 0, 'nor are two');
  t.equal(
    passed(byHeader, { fields: ['x-tenant', '192.0.2.1'] }),
    3,
    'a header with the text of an address is another key',
  );
  const byClaim = only([{ requests: 3, ...SLOW, key: { source: 'claim', name: 'tenant' } }]);
  for (const claims of [null, {}, { tenant: ['a'] }])
    t.equal(passed(byClaim, { identity: { claims } }, 1), 1);
  t.equal(
    passed(byClaim, { identity: { claims: { tenant: { a: 1 } } } }),
    0,
    'all of these are counted together',
  );
});

t.test('long values are told apart by all of their characters', async (t) => {
  const policy = only([{ requests: 1, ...SLOW, key: { source: 'header', name: 'x-key' } }]);
  const long = 'k'.repeat(4_000);
  t.equal(passed(policy, { fields: ['x-key', `${long}1`] }), 1);
  t.equal(passed(policy, { fields: ['x-key', `${long}2`] }), 1);
  t.equal(passed(policy, { fields: ['x-key', `${long}1`] }), 0);
});

t.test('all limits must have room, and none is charged when another refuses', async (t) => {
  const policy = only([
    { name: 'all', requests: 5, ...SLOW },
    { name: 'address', requests: 2, ...SLOW, key: { source: 'clientIp' } },
  ]);
  t.equal(passed(policy, { address: '192.0.2.1' }), 2);
  t.equal(passed(policy, { address: '192.0.2.2' }), 2);
  t.equal(passed(policy, { address: '192.0.2.3' }), 1);
});

t.test('what is refused after authentication is given back to the limits before it', async (t) => {
  const [early, late, ...others] = compile([
    { name: 'all', requests: 5, ...SLOW },
    { name: 'user', requests: 1, ...SLOW, key: { source: 'consumer' } },
  ]);
  t.same([early?.needsIdentity, late?.needsIdentity, others], [false, true, []]);
  const send = (consumer: string): string => {
    const passage = passageOf({ identity: { consumer } });
    if (early?.decide(passage) !== null) return 'early';
    return late?.decide(passage) === null ? 'passed' : 'late';
  };
  t.same(
    Array.from({ length: 10 }, () => send('main:greedy')),
    ['passed', ...new Array(9).fill('late')],
  );
  t.same(['b', 'c', 'd', 'e', 'f'].map(send), ['passed', 'passed', 'passed', 'passed', 'early']);
});

t.test('a refusal says when to come again', async (t) => {
  const refusalOf = (limit: RateLimit) => {
    const policy = only([limit]);
    policy.decide(passageOf());
    return policy.decide(passageOf());
  };
  const refused = (seconds: string) => ({
    kind: 'refusal',
    error: ERRORS.rateLimited,
    detail: null,
    headers: ['retry-after', seconds],
  });
  t.same(refusalOf({ requests: 1, perSec: 60 }), refused('60'));
  t.same(refusalOf({ requests: 60, perSec: 60, burst: 1 }), refused('1'));
  t.same(refusalOf({ requests: 1_000, perSec: 1, burst: 1 }), refused('1'), 'never less than a second');
});

t.test('of several limits the one that takes longest says when to come again', async (t) => {
  const policy = only([
    { name: 'quick', requests: 1, perSec: 2 },
    { name: 'slow', requests: 1, perSec: 600 },
    { name: 'free', requests: 100, perSec: 86_400 },
  ]);
  policy.decide(passageOf());
  t.match(policy.decide(passageOf()), { headers: ['retry-after', '600'] });
});

t.test('every answer tells the limits and what is left of them', async (t) => {
  const policy = only([
    { requests: 2, perSec: 60, burst: 2 },
    { name: 'day', requests: 1_000, perSec: 86_400, burst: 10 },
  ]);
  const fieldsAfter = () => {
    const passage = passageOf();
    policy.decide(passage);
    return passage.clientHeaders;
  };
  const first = fieldsAfter();
  t.same(first.slice(0, 3), ['ratelimit-policy', '"1";q=2;w=60, "day";q=1000;w=86400', 'ratelimit']);
  t.equal(first[3], '"1";r=1;t=30, "day";r=9;t=87');
  t.equal(fieldsAfter()[3], '"1";r=0;t=30, "day";r=8;t=173');
  t.equal(fieldsAfter()[3], '"1";r=0;t=30, "day";r=8;t=173', 'a request that was refused costs nothing');
});

t.test('what is left is told of the whole limit, from the part of this worker', async (t) => {
  const policy = only([{ requests: 100, perSec: 3_600 }], createLimiters(0.25));
  const passage = passageOf();
  policy.decide(passage);
  t.equal(passage.clientHeaders[3], '"1";r=96;t=144');
  t.equal(passed(policy, {}, 100), 24);
});

t.test('buckets outlive changes of the route, and go by the name of the limit', async (t) => {
  const limiters = createLimiters();
  const named = (requests: number, name: string): RateLimit => ({ name, requests, ...SLOW });
  t.equal(passed(only([named(5, 'a')], limiters), {}, 4), 4);
  t.equal(passed(only([named(5, 'a')], limiters), {}), 1);
  t.equal(passed(only([named(50, 'a')], limiters), {}), 0, 'a larger limit refills nobody');
  t.equal(passed(only([named(5, 'b')], limiters), {}), 5, 'another limit is another');
  t.equal(passed(only([named(2, 'c')], limiters), {}, 1), 1);
  const [other] = RateLimitPolicy.compile('other', [named(5, 'a')], limiters);
  t.equal(other === undefined ? 0 : passed(other, {}), 5, 'and so is that of another route');
});

t.test('to preview a request costs nothing', async (t) => {
  const limiters = createLimiters();
  const policy = only([{ requests: 1, ...SLOW }], limiters);
  for (let times = 0; times < 5; times += 1) t.equal(policy.preview(passageOf()), null);
  t.equal(limiters.table.size, 0);
  t.equal(passed(policy, {}), 1);
  t.match(policy.preview(passageOf()), { error: ERRORS.rateLimited });
});

t.test('people are told what is limited', async (t) => {
  const limits: RateLimit[] = [
    { requests: 5, perSec: 1 },
    { requests: 100, perSec: 60, key: { source: 'clientIp' } },
  ];
  t.same(only(limits).describe(), {
    effect: 'at most 5 requests in 1 s, counted by route; 100 requests in 60 s, counted by clientIp',
    settings: limits,
  });
});
