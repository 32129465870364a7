/** A look at where the next request would go: true for the policies that do not draw, and without effect for all. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { Balancer } from '../../../lib/core/balancing/balancer.ts';
import { DestinationState } from '../../../lib/core/balancing/destination-state.ts';
import { LOAD_BALANCING_POLICIES } from '../../../lib/core/config/cluster-schema.ts';
import type { LoadBalancing, LoadBalancingPolicyName } from '../../../lib/core/config/model.ts';
import { createEnvironment } from './fixtures.ts';

const DRAWN: readonly LoadBalancingPolicyName[] = ['random', 'powerOfTwoChoices', 'peakEwma'];
const MEMBERS = 6;

const anyStep = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('request' as const), hash: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('health' as const),
      index: fc.nat(MEMBERS - 1),
      healthy: fc.boolean(),
    }),
  },
  fc.record({
    kind: fc.constant('members' as const),
    mask: fc.nat(2 ** MEMBERS - 1),
    weight: fc.integer({ min: 1, max: 9 }),
  }),
  fc.record({ kind: fc.constant('answer' as const), latencyMs: fc.integer({ min: -1, max: 500 }) }),
);
type Step = typeof anyStep extends fc.Arbitrary<infer S> ? S : never;

/** A balancer with requests in flight, that does one step after the other. */
class Scene {
  readonly balancer: Balancer<DestinationState>;
  readonly #pool = Array.from(
    { length: MEMBERS },
    (_, index) => new DestinationState(`d${index}`, index + 1),
  );
  readonly #loadBalancing: LoadBalancing;
  readonly #clock: { nowMs: number };
  readonly #inFlight: DestinationState[] = [];

  constructor(loadBalancing: LoadBalancing, workerOffset: number) {
    const { environment, clock } = createEnvironment(workerOffset);
    this.#loadBalancing = loadBalancing;
    this.#clock = clock;
    this.balancer = new Balancer(environment);
    this.balancer.configure(loadBalancing, this.#pool);
  }

  /** Returns where a request went; null where the step is none, or there was nobody. */
  do(step: Step): string | null {
    this.#clock.nowMs += 10;
    if (step.kind === 'request') return this.#request(step.hash);
    if (step.kind === 'health') {
      this.balancer.setHealth(`d${step.index}`, step.healthy);
    } else if (step.kind === 'members') {
      this.#pool[0]!.weight = step.weight;
      const members = this.#pool.filter((_destination, index) => (step.mask & (1 << index)) !== 0);
      this.balancer.configure(this.#loadBalancing, members);
    } else if (this.#inFlight.length > 0) {
      this.balancer.end(this.#inFlight.shift()!, step.latencyMs);
    }
    return null;
  }

  #request(hash: number): string | null {
    const picked = this.balancer.pick(hash, null);
    if (picked === null) return null;
    this.balancer.begin(picked);
    this.#inFlight.push(picked);
    return picked.id;
  }
}

for (const policy of LOAD_BALANCING_POLICIES) {
  const loadBalancing: LoadBalancing = { policy, panicThresholdPercent: 30 };
  const numRuns = policy === 'consistentHash' ? 30 : 300;
  const anyHistory = fc.array(anyStep, { maxLength: 40 });

  t.test(
    `${policy}: over any history a look is right as far as it says, and names a usable one`,
    async () => {
      fc.assert(
        fc.property(anyHistory, fc.nat(20), (history, offset) => {
          const scene = new Scene(loadBalancing, offset);
          for (const step of history) {
            if (step.kind === 'request') {
              const { usable } = scene.balancer.assess();
              const preview = scene.balancer.preview(step.hash);
              const picked = scene.do(step);
              assert.equal(preview?.certain ?? true, usable.length < 2 || !DRAWN.includes(policy));
              if (preview?.certain ?? true) assert.equal(preview?.destination.id ?? null, picked);
              else assert.ok(usable.includes(preview!.destination));
            } else {
              scene.do(step);
            }
          }
        }),
        { numRuns },
      );
    },
  );

  t.test(`${policy}: who is looked at all the time goes the same ways as who never is`, async () => {
    fc.assert(
      fc.property(anyHistory, fc.nat(20), (history, offset) => {
        const watched = new Scene(loadBalancing, offset);
        const alone = new Scene(loadBalancing, offset);
        for (const step of history) {
          watched.balancer.preview(7);
          watched.balancer.assess();
          assert.equal(watched.do(step), alone.do(step));
          watched.balancer.preview(8);
        }
        assert.deepEqual(watched.balancer.destinations, alone.balancer.destinations);
      }),
      { numRuns },
    );
  });

  t.test(`${policy}: nobody, or the only one, is certain`, async (t) => {
    const balancer = new Balancer<DestinationState>(createEnvironment().environment);
    balancer.configure({ policy }, []);
    t.equal(balancer.preview(1), null);
    balancer.configure({ policy, panicThresholdPercent: 0 }, [
      new DestinationState('a', 1),
      new DestinationState('b', 1),
    ]);
    balancer.setHealth('a', false);
    t.match(balancer.preview(1), { destination: { id: 'b' }, certain: true, reason: 'the only usable one' });
    balancer.setHealth('b', false);
    t.equal(balancer.preview(1), null);
    t.same(balancer.assess(), { usable: [], panicking: false });
  });
}

/** What a look says with members a, b, c that have these weights, requests in flight and latencies. */
function lookAt(policy: LoadBalancing, ...members: (readonly [number, number, number])[]) {
  const { environment } = createEnvironment();
  const balancer = new Balancer<DestinationState>(environment);
  const destinations = members.map(([weight, active, costMs], index) =>
    Object.assign(new DestinationState('abc'.charAt(index), weight), { active, costMs }),
  );
  balancer.configure(policy, destinations);
  const { destination, certain, reason } = balancer.preview(5)!;
  return [destination.id, certain, reason];
}

t.test('a policy that draws names the likeliest or the best as things are, and how it draws', async (t) => {
  t.same(lookAt({ policy: 'random' }, [1, 0, 0], [3, 9, 9], [2, 0, 0]), [
    'b',
    false,
    'drawn at random by weight: 3 of 6 draws give this one',
  ]);
  t.match(lookAt({ policy: 'powerOfTwoChoices' }, [2, 3, 0], [2, 1, 0], [1, 1, 0]), [
    'b',
    false,
    /the better of two drawn/,
  ]);
  t.match(lookAt({ policy: 'peakEwma' }, [1, 0, 40], [1, 1, 10], [1, 0, 25]), [
    'b',
    false,
    /the quicker of two drawn/,
  ]);
});

t.test('a hash that points at a full destination is said to, and where it goes instead', async (t) => {
  const policy: LoadBalancing = { policy: 'consistentHash' };
  const [home] = lookAt(policy, [1, 0, 0], [1, 0, 0], [1, 0, 0]);
  const load = ['a', 'b', 'c'].map((id) => [1, id === home ? 9 : 0, 0] as const);
  const [next, certain, reason] = lookAt(policy, ...load);
  t.not(next, home);
  t.equal(certain, true);
  t.match(reason, new RegExp(`^the hash points at ${home}, which has its share`));
});

t.test('requests at one that just became unhealthy no longer count for the bound of a hash', async (t) => {
  const build = () => {
    const balancer = new Balancer<DestinationState>(createEnvironment().environment);
    const destinations = ['a', 'b', 'c', 'd'].map((id) => new DestinationState(id, 1));
    balancer.configure({ policy: 'consistentHash' }, destinations);
    for (const [index, count] of [40, 6, 1, 1].entries()) {
      for (let request = 0; request < count; request += 1) balancer.begin(destinations[index]!);
    }
    balancer.setHealth('a', false);
    return balancer;
  };
  for (let hash = 0; hash < 40; hash += 1) {
    const balancer = build();
    const preview = balancer.preview(hash);
    t.equal(preview?.destination, balancer.pick(hash, null), `hash ${hash}: ${preview?.reason}`);
  }
});
