/** The way through the limits of a route and of its cluster: in one order, with one outcome, and nothing left behind. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { ERRORS, type ErrorDefinition } from '../../lib/core/errors.ts';
import { ConcurrencyGate, type GateSettings, OPEN_GATE } from '../../lib/core/policy/concurrency-gate.ts';
import { type Gated, GatePass, type GatePassOwner } from '../../lib/proxy/gate-pass.ts';

class Place implements Gated {
  readonly gate = new ConcurrencyGate();
  gateSettings: GateSettings;

  constructor(maxConcurrent: number, maxWaiting: number, maxWaitMs = 1_000) {
    this.gateSettings = { maxConcurrent, maxWaiting, maxWaitMs };
  }

  get counts(): readonly [active: number, waiting: number] {
    return [this.gate.active, this.gate.waiting];
  }
}

class Passenger implements GatePassOwner {
  readonly pass: GatePass;
  /** What it was told, and what `enter` said. */
  readonly outcomes: string[] = [];

  constructor(route: Gated, cluster: Gated) {
    this.pass = new GatePass(route, cluster, this);
    if (this.pass.enter()) this.outcomes.push('in');
  }

  get isIn(): boolean {
    return this.outcomes[0] === 'in';
  }

  onAdmitted(): void {
    this.outcomes.push('in');
  }

  onRefused(error: ErrorDefinition): void {
    this.outcomes.push(error.code);
  }
}

const { code: ROUTE_FULL } = ERRORS.routeOverloaded;
const { code: CLUSTER_FULL } = ERRORS.clusterOverloaded;
const FAR_LATER_MS = 3_600_000;

t.test('who comes when the route, or the cluster, is full is told which', async (t) => {
  const [route, cluster] = [new Place(2, 0), new Place(1, 0)];
  const [first, second] = [new Passenger(route, cluster), new Passenger(route, cluster)];
  t.same([first.outcomes, second.outcomes], [['in'], [CLUSTER_FULL]]);
  t.same(
    [route.counts, cluster.counts],
    [
      [1, 0],
      [1, 0],
    ],
    'who was refused by the cluster has left the route',
  );
  cluster.gateSettings = OPEN_GATE;
  t.same(new Passenger(route, cluster).outcomes, ['in']);
  t.same(new Passenger(route, cluster).outcomes, [ROUTE_FULL]);
});

t.test('a wait at the route is followed by one at the cluster', async (t) => {
  const [route, other, cluster] = [new Place(1, 1), new Place(9, 9), new Place(1, 1)];
  const first = new Passenger(route, cluster);
  const second = new Passenger(route, cluster);
  first.pass.leave();
  t.same(second.outcomes, ['in'], 'its place in the cluster is free as well');
  const third = new Passenger(route, cluster);
  const stranger = new Passenger(other, cluster);
  t.same(
    [route.counts, cluster.counts],
    [
      [1, 1],
      [1, 1],
    ],
  );
  second.pass.leave();
  t.same([stranger.outcomes, third.outcomes], [['in'], []], 'the one that came first to the cluster');
  t.same(
    [route.counts, cluster.counts],
    [
      [1, 0],
      [1, 1],
    ],
    'it waits at the cluster now',
  );
  stranger.pass.leave();
  t.same(third.outcomes, ['in']);
});

t.test('a wait has an end, which each of the two limits sets for itself', async (t) => {
  const [route, cluster] = [new Place(1, 1, 500), new Place(1, 1, 2_000)];
  const holder = new Passenger(new Place(9, 0), cluster);
  const atCluster = new Passenger(route, cluster);
  const atRoute = new Passenger(route, cluster);
  const nowMs = performance.now();
  for (const { pass } of [atCluster, atRoute]) pass.checkLimits(nowMs + 100);
  t.same([atCluster.outcomes, atRoute.outcomes], [[], []]);
  for (const { pass } of [atCluster, atRoute]) pass.checkLimits(nowMs + 1_000);
  t.same([atCluster.outcomes, atRoute.outcomes], [[], [ROUTE_FULL]]);
  atCluster.pass.checkLimits(nowMs + 3_000);
  t.same(atCluster.outcomes, [CLUSTER_FULL]);
  for (const { pass } of [atCluster, atRoute, holder]) pass.checkLimits(nowMs + FAR_LATER_MS);
  t.same([atCluster.outcomes.length, atRoute.outcomes.length], [1, 1], 'told once');
  t.same(
    [route.counts, cluster.counts],
    [
      [0, 0],
      [1, 0],
    ],
  );
});

t.test('who gives up while waiting is told nothing any more', async (t) => {
  const [route, cluster] = [new Place(1, 5), new Place(9, 9)];
  const first = new Passenger(route, cluster);
  const second = new Passenger(route, cluster);
  const third = new Passenger(route, cluster);
  second.pass.leave();
  second.pass.checkLimits(performance.now() + FAR_LATER_MS);
  first.pass.leave();
  t.same([second.outcomes, third.outcomes], [[], ['in']]);
  first.pass.leave();
  second.pass.leave();
  t.same(
    [route.counts, cluster.counts],
    [
      [1, 0],
      [1, 0],
    ],
    'leaving twice counts once',
  );
});

t.test('those that wait at the route and find the cluster full exhaust no stack', async (t) => {
  const [route, cluster] = [new Place(1, 50_000), new Place(1, 0)];
  const first = new Passenger(route, new Place(1, 0));
  new Passenger(new Place(9, 0), cluster);
  const waiting = Array.from({ length: 50_000 }, () => new Passenger(route, cluster));
  first.pass.leave();
  t.ok(waiting.every(({ outcomes }) => outcomes[0] === CLUSTER_FULL));
  t.same(route.counts, [0, 0]);
});

const steps = fc.array(
  fc.record({
    what: fc.constantFrom('come', 'come', 'leave', 'look', 'change'),
    which: fc.nat({ max: 1_000 }),
    limit: fc.integer({ min: 1, max: 4 }),
  }),
  { maxLength: 150 },
);

t.test('whatever happens, the gates are empty when all have left, and each was told one thing', async () => {
  fc.assert(
    fc.property(steps, (history) => {
      const routes = [new Place(2, 2), new Place(1, 4)];
      const cluster = new Place(2, 2);
      const all: Passenger[] = [];
      const left = new Set<Passenger>();
      const nowMs = performance.now();
      for (const { what, which, limit } of history) {
        const route = routes[which % 2] as Place;
        const passenger = all[which % Math.max(1, all.length)];
        if (what === 'come') all.push(new Passenger(route, cluster));
        if (what === 'look') passenger?.pass.checkLimits(nowMs + which * 10);
        if (what === 'change')
          (which % 3 === 0 ? cluster : route).gateSettings = new Place(limit, limit).gateSettings;
        if (what === 'leave') passenger?.pass.leave();
        if (what === 'leave' && passenger !== undefined) left.add(passenger);
        const within = all.filter((one) => one.isIn && !left.has(one)).length;
        assert.equal(
          cluster.gate.active,
          within,
          'in the cluster are those that were let in and have not left',
        );
      }
      for (const { pass, outcomes } of all) {
        assert.ok(outcomes.length <= 1);
        pass.leave();
      }
      for (const place of [...routes, cluster]) assert.deepEqual(place.counts, [0, 0]);
    }),
    { numRuns: 300 },
  );
});
