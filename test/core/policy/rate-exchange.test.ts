/** Workers and their primaries together, on a clock of the test: what comes through in all. */
import fc from 'fast-check';
import t from 'tap';
import { hashString } from '../../../lib/core/balancing/hash.ts';
import type { RateDemand, RateShare } from '../../../lib/core/policy/rate-demand.ts';
import { RateLedger } from '../../../lib/core/policy/rate-ledger.ts';
import { RateLimitTable } from '../../../lib/core/policy/rate-limit-table.ts';
import type { RateMembers } from '../../../lib/core/policy/rate-record.ts';
import type { BucketRule } from '../../../lib/core/policy/token-bucket.ts';

const KEY = 'orders #1';
const STEP_MS = 100;
/** Reports go out in every fifth step. */
const STEPS_PER_REPORT = 5;

/** One instance: its workers' tables and its primary's ledger. Messages take no time here. */
class SimulatedInstance {
  readonly tables: readonly RateLimitTable[];
  readonly #ledger: RateLedger;
  readonly #members: RateMembers;

  constructor(workers: number, instances: number, maxKeys?: number) {
    const defaultShare = 1 / (workers * instances);
    const hash = (key: string) => hashString(key);
    this.tables = Array.from(
      { length: workers },
      (_, salt) => new RateLimitTable({ defaultShare, hash, salt }),
    );
    this.#ledger = new RateLedger(99, maxKeys);
    this.#members = {
      workers: this.tables.map((_, index) => index),
      instances,
      hearsOthers: true,
      defaultShare,
    };
  }

  report(nowMs: number): void {
    for (const [worker, table] of this.tables.entries())
      this.#ledger.noteWorker(worker, table.takeDemands(nowMs), nowMs);
  }

  settle(nowMs: number): void {
    const told = this.#ledger.settle(this.#members, nowMs);
    for (const [worker, shares] of told.entries()) this.#tell(worker, shares, nowMs);
  }

  #tell(worker: number, shares: readonly RateShare[], nowMs: number): void {
    const { defaultShare } = this.#members;
    this.#ledger.noteWorker(worker, this.tables[worker]!.takeShares(defaultShare, shares, nowMs), nowMs);
  }

  takeDemands(): RateDemand[] {
    return this.#ledger.takeDemands();
  }

  hear(instance: string, demands: readonly RateDemand[], nowMs: number): void {
    this.#ledger.noteInstance(instance, demands, nowMs);
  }
}

class Simulation {
  readonly instances: readonly SimulatedInstance[];
  readonly #rule: BucketRule;
  nowMs = 0;
  #steps = 0;

  constructor(instances: number, workers: number, rule: BucketRule, maxKeys?: number) {
    this.instances = Array.from(
      { length: instances },
      () => new SimulatedInstance(workers, instances, maxKeys),
    );
    this.#rule = rule;
  }

  get tables(): RateLimitTable[] {
    return this.instances.flatMap(({ tables }) => tables);
  }

  /** Sends so many requests to a worker; gives how many are let through. */
  send(worker: number, count: number, key = KEY): number {
    const table = this.tables[worker % this.tables.length]!;
    let passed = 0;
    for (let sent = 0; sent < count; sent += 1) {
      const bucket = table.find(key, this.#rule, this.nowMs);
      if (bucket.hasRoom) {
        bucket.take();
        passed += 1;
      }
      table.countRequest(bucket);
    }
    return passed;
  }

  step(): void {
    this.nowMs += STEP_MS;
    this.#steps += 1;
    if (this.#steps % STEPS_PER_REPORT === 0) this.#report();
    for (const instance of this.instances) instance.settle(this.nowMs);
  }

  #report(): void {
    for (const instance of this.instances) instance.report(this.nowMs);
    const told = this.instances.map((instance) => instance.takeDemands());
    for (const [index, instance] of this.instances.entries()) {
      for (const [from, demands] of told.entries()) {
        if (from !== index) instance.hear(`instance-${from}`, demands, this.nowMs);
      }
    }
  }
}

/** What is asked of which worker, and how many steps pass then. */
const histories = fc.array(fc.tuple(fc.nat(15), fc.nat(60), fc.integer({ min: 0, max: 30 })), {
  minLength: 5,
  maxLength: 60,
});
const rules: fc.Arbitrary<BucketRule> = fc.record({
  burst: fc.integer({ min: 1, max: 200 }),
  tokensPerMs: fc.double({ min: 1e-4, max: 0.1, noNaN: true }),
});

function passedIn(simulation: Simulation, history: readonly (readonly [number, number, number])[]): number {
  let passed = 0;
  for (const [worker, requests, steps] of history) {
    passed += simulation.send(worker, requests);
    for (let step = 0; step < steps; step += 1) simulation.step();
  }
  return passed;
}

t.test('the workers of an instance together never let through more than the limit', async () => {
  fc.assert(
    fc.property(histories, rules, fc.integer({ min: 1, max: 8 }), (history, rule, workers) => {
      const simulation = new Simulation(1, workers, rule);
      const passed = passedIn(simulation, history);
      return passed <= Math.max(rule.burst, workers) + rule.tokensPerMs * simulation.nowMs + 1e-6;
    }),
    { numRuns: 300 },
  );
});

t.test('keys that push each other out of the ledger get no more than the limit either', async () => {
  const steps = fc.array(fc.tuple(fc.nat(3), fc.nat(4), fc.nat(30), fc.nat(8)), { maxLength: 60 });
  fc.assert(
    fc.property(steps, rules, (history, rule) => {
      const simulation = new Simulation(1, 4, rule, 2);
      const passed = new Map<string, number>();
      for (const [worker, number, requests, pause] of history) {
        const key = `${KEY} ${number}`;
        passed.set(key, (passed.get(key) ?? 0) + simulation.send(worker, requests, key));
        for (let step = 0; step < pause; step += 1) simulation.step();
      }
      const most = Math.max(rule.burst, 4) + rule.tokensPerMs * simulation.nowMs + 1e-6;
      return [...passed.values()].every((count) => count <= most);
    }),
    { numRuns: 300 },
  );
});

t.test('several instances stay within twice the burst, whatever they hear late of each other', async () => {
  fc.assert(
    fc.property(histories, rules, fc.integer({ min: 1, max: 4 }), (history, rule, workers) => {
      const simulation = new Simulation(3, workers, rule);
      const passed = passedIn(simulation, history);
      const burst = Math.max(rule.burst, 3 * workers);
      return passed <= 2 * burst + 1.1 * rule.tokensPerMs * simulation.nowMs;
    }),
    { numRuns: 200 },
  );
});

for (const [instances, workers] of [
  [1, 2],
  [1, 8],
  [2, 2],
  [4, 8],
] as const) {
  const name = `${instances} instances of ${workers} workers`;
  const rule: BucketRule = { burst: 100, tokensPerMs: 0.01 };

  t.test(`${name}: a client on one connection gets nearly the whole burst after a moment`, async (t) => {
    const simulation = new Simulation(instances, workers, rule);
    let passed = 0;
    for (let step = 0; step < 30; step += 1) {
      passed += simulation.send(0, 10);
      simulation.step();
    }
    const most = rule.burst + rule.tokensPerMs * simulation.nowMs;
    t.ok(passed <= most + 1e-6, `${passed} of ${most}`);
    t.ok(passed >= most * 0.75 - instances * workers, `${passed} of ${most}`);
  });

  t.test(`${name}: a client on one connection gets nearly the whole rate in the long run`, async (t) => {
    const simulation = new Simulation(instances, workers, rule);
    passedIn(
      simulation,
      Array.from({ length: 100 }, () => [0, 20, 5] as const),
    );
    const fromMs = simulation.nowMs;
    const passed = passedIn(
      simulation,
      Array.from({ length: 200 }, () => [0, 20, 5] as const),
    );
    const rate = passed / (simulation.nowMs - fromMs);
    t.ok(rate > 0.9 * rule.tokensPerMs && rate <= 1.01 * rule.tokensPerMs, `${rate}`);
  });

  t.test(`${name}: after a quiet time a client on another worker has its burst again`, async (t) => {
    const simulation = new Simulation(instances, workers, rule);
    passedIn(
      simulation,
      Array.from({ length: 20 }, () => [0, 20, 2] as const),
    );
    for (let step = 0; step < 300; step += 1) simulation.step();
    const passed = passedIn(
      simulation,
      Array.from({ length: 20 }, () => [1, 20, 1] as const),
    );
    t.ok(passed >= 75 - instances * workers, `${passed}`);
  });
}

t.test(
  'requests a few seconds apart are let through on one connection as long as the limit has room',
  async (t) => {
    const simulation = new Simulation(2, 8, { burst: 10, tokensPerMs: 10 / 60_000 });
    let passed = 0;
    for (let request = 0; request < 9; request += 1) {
      passed += simulation.send(0, 1);
      for (let step = 0; step < 30; step += 1) simulation.step();
    }
    t.ok(passed >= 8, `${passed} of 9`);
  },
);
