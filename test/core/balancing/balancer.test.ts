import fc from 'fast-check';
import t from 'tap';
import { Balancer } from '../../../lib/core/balancing/balancer.ts';
import { DestinationState } from '../../../lib/core/balancing/destination-state.ts';
import { FAILURE_COST_MS } from '../../../lib/core/balancing/peak-ewma.ts';
import { LOAD_BALANCING_POLICIES } from '../../../lib/core/config/cluster-schema.ts';
import type { LoadBalancing, LoadBalancingPolicyName } from '../../../lib/core/config/model.ts';
import { createDestinations, createEnvironment } from './fixtures.ts';

function createBalancer(
  loadBalancing: LoadBalancing | undefined,
  destinations: readonly DestinationState[],
  workerOffset = 0,
) {
  const { environment, clock } = createEnvironment(workerOffset);
  const balancer = new Balancer<DestinationState>(environment);
  balancer.configure(loadBalancing, destinations);
  return { balancer, clock };
}

function walk(balancer: Balancer<DestinationState>, hash: number): DestinationState[] {
  const tried: DestinationState[] = [];
  let picked = balancer.pick(hash, null);
  while (picked !== null && tried.length <= balancer.destinations.length) {
    tried.push(picked);
    picked = balancer.pick(hash, tried);
  }
  return tried;
}

for (const policy of LOAD_BALANCING_POLICIES) {
  t.test(`${policy}: a walk gives every usable destination once, then none`, async (t) => {
    const anyMember = fc.record({
      weight: fc.integer({ min: 1, max: 100 }),
      healthy: fc.boolean(),
      active: fc.nat(20),
      costMs: fc.nat(1_000),
    });
    fc.assert(
      fc.property(
        fc.array(anyMember, { maxLength: 8 }),
        fc.nat(100),
        fc.nat(),
        (members, threshold, hash) => {
          const destinations = members.map(({ weight, ...rest }, index) =>
            Object.assign(new DestinationState(`d${index}`, weight), rest),
          );
          const { balancer } = createBalancer(
            { policy, panicThresholdPercent: threshold },
            destinations,
            hash,
          );
          const walked = walk(balancer, hash);
          return (
            walked.length === balancer.usable.length &&
            new Set(walked).size === walked.length &&
            walked.every((destination) => balancer.usable.includes(destination))
          );
        },
      ),
      { numRuns: policy === 'consistentHash' ? 60 : 300 },
    );
    t.pass('the property holds');
  });

  t.test(`${policy}: over any history every pick is usable, and the counters come back to 0`, async (t) => {
    const anyStep = fc.oneof(
      fc.record({ kind: fc.constant('request' as const), hash: fc.nat() }),
      fc.record({ kind: fc.constant('health' as const), index: fc.nat(5), healthy: fc.boolean() }),
      fc.record({
        kind: fc.constant('members' as const),
        mask: fc.nat(63),
        weight: fc.integer({ min: 1, max: 9 }),
      }),
      fc.record({ kind: fc.constant('answer' as const), latencyMs: fc.integer({ min: -1, max: 500 }) }),
    );
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
        const pool = createDestinations(1, 2, 3, 4, 5, 6);
        const { balancer, clock } = createBalancer({ policy }, pool);
        const inFlight: DestinationState[] = [];
        for (const step of steps) {
          clock.nowMs += 10;
          if (step.kind === 'request') {
            const picked = balancer.pick(step.hash, null);
            if (picked === null ? balancer.usable.length > 0 : !balancer.usable.includes(picked))
              return false;
            if (picked === null) continue;
            balancer.begin(picked);
            inFlight.push(picked);
          } else if (step.kind === 'health') {
            balancer.setHealth(pool[step.index]!.id, step.healthy);
          } else if (step.kind === 'members') {
            pool[0]!.weight = step.weight;
            balancer.configure(
              { policy },
              pool.filter((_destination, index) => (step.mask & (1 << index)) !== 0),
            );
          } else if (inFlight.length > 0) {
            balancer.end(inFlight.shift()!, step.latencyMs);
          }
        }
        for (const destination of inFlight) balancer.end(destination, 5);
        return pool.every((destination) => destination.active === 0);
      }),
      { numRuns: policy === 'consistentHash' ? 30 : 200 },
    );
    t.pass('the property holds');
  });
}

t.test(
  'power of two choices is the policy where none is named, and only consistent hashing wants a hash',
  async (t) => {
    const { balancer } = createBalancer(undefined, createDestinations(1, 1));
    balancer.usable[0]!.active = 1;
    for (let pick = 0; pick < 50; pick++) t.equal(balancer.pick(0, null)?.id, 'b');
    for (const policy of LOAD_BALANCING_POLICIES) {
      balancer.configure({ policy }, balancer.destinations);
      t.equal(balancer.needsHash, policy === 'consistentHash', policy);
    }
  },
);

for (const policy of ['roundRobin', 'weightedRoundRobin', 'leastRequests'] as const) {
  t.test(
    `${policy}: the first requests of workers that start together go to different destinations`,
    async (t) => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 16 }),
          fc.integer({ min: 1, max: 40 }),
          fc.nat(0xffff_ffff),
          (workers, count, instanceOffset) => {
            const firstPicks = Array.from({ length: workers }, (_, worker) => {
              const destinations = createDestinations(...new Array<number>(count).fill(3));
              return createBalancer({ policy }, destinations, instanceOffset + worker).balancer.pick(0, null)!
                .id;
            });
            return new Set(firstPicks).size === Math.min(workers, count);
          },
        ),
        { numRuns: 100 },
      );
      t.pass('the property holds');
    },
  );

  t.test(`${policy}: configuring again and flapping health keep the turn`, async (t) => {
    const destinations = createDestinations(1, 1, 1, 1);
    const { balancer } = createBalancer({ policy }, destinations);
    const next = () => balancer.pick(0, null)!.id;
    t.equal(`${next()} ${next()}`, 'a b');
    balancer.configure({ policy, panicThresholdPercent: 20 }, destinations);
    t.equal(next(), 'c');
    balancer.setHealth('a', false);
    balancer.setHealth('a', true);
    t.equal(next(), 'd');
    balancer.setHealth('a', false);
    t.equal(`${next()} ${next()} ${next()}`, 'b c d');
  });
}

t.test('a balancer that is told another policy goes by it and keeps the counters', async (t) => {
  const destinations = createDestinations(1, 1, 1);
  const { balancer } = createBalancer({ policy: 'roundRobin' }, destinations);
  balancer.begin(destinations[0]!);
  balancer.begin(destinations[2]!);
  balancer.configure({ policy: 'leastRequests' }, destinations);
  t.equal(balancer.pick(0, null)?.id, 'b');
});

t.test('the panic threshold is exact', async (t) => {
  const usableOf = (healthyCount: number, panicThresholdPercent?: number) => {
    const { balancer } = createBalancer(
      { policy: 'roundRobin', ...(panicThresholdPercent === undefined ? {} : { panicThresholdPercent }) },
      createDestinations(1, 1, 1, 1),
    );
    for (const [index, { id }] of balancer.destinations.entries())
      balancer.setHealth(id, index < healthyCount);
    return `${balancer.usable.length}${balancer.panicking ? ' in panic' : ''}`;
  };
  t.equal(usableOf(4), '4');
  t.equal(usableOf(2), '2', 'half of them at the default of 50 %');
  t.equal(usableOf(1), '4 in panic');
  t.equal(usableOf(0), '4 in panic');
  t.equal(usableOf(2, 51), '4 in panic');
  t.equal(usableOf(3, 75), '3');
  t.equal(usableOf(3, 100), '4 in panic');
  t.equal(usableOf(4, 100), '4');
  t.equal(usableOf(1, 0), '1', '0 switches it off');
  t.equal(usableOf(0, 0), '0');
});

t.test('with none healthy and panic off there is no destination', async (t) => {
  const { balancer } = createBalancer(
    { policy: 'roundRobin', panicThresholdPercent: 0 },
    createDestinations(1, 1),
  );
  balancer.setHealth('a', false);
  balancer.setHealth('b', false);
  t.notOk(balancer.panicking);
  t.equal(balancer.pick(0, null), null);
  balancer.setHealth('b', true);
  t.equal(balancer.pick(0, null)?.id, 'b');
});

t.test('a cluster without destinations has none to give and does not panic', async (t) => {
  const { balancer } = createBalancer(undefined, []);
  t.equal(balancer.pick(0, null), null);
  t.notOk(balancer.panicking);
});

t.test('health of a destination that is not a member is ignored', async (t) => {
  const { balancer } = createBalancer(undefined, createDestinations(1));
  balancer.setHealth('gone', false);
  t.equal(balancer.usable.length, 1);
});

t.test('one end too many does not make a destination look better than idle', async (t) => {
  const [a] = createDestinations(1);
  const { balancer } = createBalancer({ policy: 'consistentHash' }, [a!]);
  balancer.begin(a!);
  balancer.end(a!, 5);
  balancer.end(a!, 5);
  t.equal(a!.active, 0);
});

t.test('latency is measured with peak EWMA and not with other policies', async (t) => {
  const costsAfter = (policy: LoadBalancingPolicyName) => {
    const [a, b] = createDestinations(1, 1);
    const { balancer, clock } = createBalancer({ policy }, [a!, b!]);
    clock.nowMs = 1_000;
    balancer.begin(a!);
    balancer.begin(b!);
    balancer.end(a!, 25);
    balancer.end(b!, -1);
    return [a!.costMs, a!.costAtMs, b!.costMs, b!.costAtMs];
  };
  t.same(costsAfter('peakEwma'), [25, 1_000, FAILURE_COST_MS, 1_000]);
  t.same(costsAfter('roundRobin'), [0, 0, 0, 0]);
});

t.test('peak EWMA sends to the quick one, and away from it as soon as it is slow', async (t) => {
  const [a, b] = createDestinations(1, 1);
  const { balancer, clock } = createBalancer({ policy: 'peakEwma' }, [a!, b!]);
  const answer = (destination: DestinationState, latencyMs: number) => {
    balancer.begin(destination);
    balancer.end(destination, latencyMs);
  };
  answer(a!, 10);
  answer(b!, 20);
  t.equal(balancer.pick(0, null), a);
  clock.nowMs += 1;
  answer(a!, 300);
  t.equal(balancer.pick(0, null), b);
});

t.test('the bound on load counts what is in flight to usable destinations only', async (t) => {
  const policy: LoadBalancing = { policy: 'consistentHash', hash: { source: 'clientIp', loadBound: 1.01 } };
  const destinations = createDestinations(1, 1, 1, 1);
  const { balancer } = createBalancer(policy, destinations);
  const send = (count: number) => {
    for (let request = 0; request < count; request++) balancer.begin(balancer.pick(77, null)!);
  };
  send(40);
  t.ok(destinations.every((destination) => destination.active >= 8 && destination.active <= 11));
  balancer.setHealth('a', false);
  t.equal(balancer.usable.length, 3);
  for (const destination of destinations) {
    while (destination.active > 0) balancer.end(destination, 1);
  }
  send(30);
  t.equal(destinations[0]!.active, 0);
  t.ok(destinations.slice(1).every((destination) => destination.active >= 8 && destination.active <= 11));
});

t.test('a new bound on load is obeyed', async (t) => {
  const destinations = createDestinations(1, 1);
  const { balancer } = createBalancer({ policy: 'consistentHash' }, destinations);
  const home = balancer.pick(3, null)!;
  for (let request = 0; request < 13; request++) balancer.begin(home);
  t.not(balancer.pick(3, null), home);
  balancer.configure({ policy: 'consistentHash', hash: { source: 'clientIp', loadBound: 10 } }, destinations);
  t.equal(balancer.pick(3, null), home);
});

t.test('an offset that is no whole number from 0 on is refused', async (t) => {
  for (const workerOffset of [-1, 0.5, Number.NaN]) {
    t.throws(() => new Balancer(createEnvironment(workerOffset).environment), {
      name: 'RangeError',
      message: /workerOffset is .*: give an integer of at least 0/,
    });
  }
});
