/** How many may be in at once: never more than the limit, nobody forgotten, first come, first served. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  ConcurrencyGate,
  type GateSettings,
  type GateWaiter,
  gateSettingsOf,
  OPEN_GATE,
} from '../../../lib/core/policy/concurrency-gate.ts';

const settingsWith = (maxConcurrent: number, maxWaiting: number): GateSettings => ({
  maxConcurrent,
  maxWaiting,
  maxWaitMs: 1_000,
});

/** One that comes to a gate, and what became of it. */
class Visitor implements GateWaiter {
  readonly number: number;
  readonly #onTurn: (visitor: Visitor) => void;

  constructor(number: number, onTurn: (visitor: Visitor) => void) {
    this.number = number;
    this.#onTurn = onTurn;
  }

  onTurn(): void {
    this.#onTurn(this);
  }
}

/** A gate with all that came to it: the test's own account of who is in and who waits. */
class Room {
  readonly gate = new ConcurrencyGate();
  readonly inside: Visitor[] = [];
  line: Visitor[] = [];
  /** In the order in which they were let in after having waited. */
  readonly called: number[] = [];
  #count = 0;

  come(settings: GateSettings): string {
    this.#count += 1;
    const visitor = new Visitor(this.#count, (called) => {
      this.called.push(called.number);
      this.line = this.line.filter((other) => other !== called);
      this.inside.push(called);
    });
    const answer = this.gate.enter(visitor, settings);
    if (answer === 'entered') this.inside.push(visitor);
    if (answer === 'waiting') this.line.push(visitor);
    return answer;
  }

  leave(pick: number): void {
    if (this.inside.length === 0) return;
    this.inside.splice(pick % this.inside.length, 1);
    this.gate.leave();
  }

  giveUp(pick: number): void {
    const [visitor] = this.line.splice(pick % Math.max(1, this.line.length), 1);
    if (visitor !== undefined) this.gate.leaveQueue(visitor);
  }
}

type Step =
  | { readonly kind: 'come' }
  | { readonly kind: 'leave'; readonly pick: number }
  | { readonly kind: 'giveUp'; readonly pick: number }
  | { readonly kind: 'change'; readonly maxConcurrent: number; readonly maxWaiting: number };

const pick = fc.nat({ max: 1_000 });
const comings = fc.constant<Step>({ kind: 'come' });
const goings: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('leave' as const), pick }),
  fc.record({ kind: fc.constant('giveUp' as const), pick }),
);
const changes: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('change' as const),
  maxConcurrent: fc.integer({ min: 1, max: 6 }),
  maxWaiting: fc.nat({ max: 6 }),
});
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: comings },
    { weight: 4, arbitrary: goings },
    { weight: 1, arbitrary: changes },
  ),
  { maxLength: 120 },
);

t.test('in any history the limits hold, no place is wasted and the order is kept', async () => {
  fc.assert(
    fc.property(steps, (history) => {
      const room = new Room();
      let settings = settingsWith(2, 3);
      for (const step of history) {
        const [before, waitedBefore] = [room.gate.active, room.gate.waiting];
        if (step.kind === 'come') room.come(settings);
        else if (step.kind === 'leave') room.leave(step.pick);
        else if (step.kind === 'giveUp') room.giveUp(step.pick);
        else settings = settingsWith(step.maxConcurrent, step.maxWaiting);
        if (step.kind === 'change') room.gate.apply(settings);
        const { active, waiting } = room.gate;
        assert.equal(active, room.inside.length, 'it counts those that are in');
        assert.equal(waiting, room.line.length, 'nobody that waits is lost');
        assert.ok(active <= Math.max(before, settings.maxConcurrent), 'a lower limit lets nobody in');
        assert.ok(waiting <= Math.max(waitedBefore, settings.maxWaiting));
        assert.ok(waiting === 0 || active >= settings.maxConcurrent, 'nobody waits beside a free place');
      }
      assert.deepEqual(
        room.called,
        [...room.called].sort((one, other) => one - other),
      );
      while (room.inside.length > 0) room.leave(0);
      assert.deepEqual(
        [room.gate.active, room.gate.waiting, room.line],
        [0, 0, []],
        'in the end it is empty',
      );
    }),
    { numRuns: 300 },
  );
});

t.test('who finds no place and may not wait is sent away, and does not count', async (t) => {
  const room = new Room();
  const settings = settingsWith(1, 1);
  t.same([room.come(settings), room.come(settings), room.come(settings)], ['entered', 'waiting', 'full']);
  t.same([room.gate.active, room.gate.waiting], [1, 1]);
});

t.test('who does not wait does not overtake those that do', async (t) => {
  const room = new Room();
  const settings = settingsWith(1, 5);
  room.come(settings);
  room.come(settings);
  t.equal(room.gate.enterAtOnce(settings), false);
  room.leave(0);
  t.same(room.called, [2]);
});

t.test('nor does one that comes while they are being let in', async (t) => {
  const gate = new ConcurrencyGate();
  const settings = settingsWith(1, 5);
  const inOrder: string[] = [];
  gate.enterAtOnce(settings);
  const leaveAtOnce = () => {
    gate.leave();
    inOrder.push(`first, then a newcomer: ${gate.enterAtOnce(settings)}`);
  };
  gate.enter(new Visitor(1, leaveAtOnce), settings);
  gate.enter(new Visitor(2, () => inOrder.push('second')), settings);
  gate.leave();
  t.same(inOrder, ['first, then a newcomer: false', 'second']);
});

t.test('a higher limit that a newcomer brings lets in those that wait, before it', async (t) => {
  const room = new Room();
  for (let count = 0; count < 3; count += 1) room.come(settingsWith(1, 5));
  t.equal(room.come(settingsWith(3, 0)), 'full', 'the three places are taken');
  t.same(room.called, [2, 3]);
});

t.test('a limit that is gone holds nobody any more', async (t) => {
  const room = new Room();
  for (let count = 0; count < 3; count += 1) room.come(settingsWith(1, 5));
  t.equal(room.come(OPEN_GATE), 'entered');
  t.same([room.called, room.gate.waiting], [[2, 3], 0]);
});

t.test('a lower limit turns nobody out, and lets in again only below it', async (t) => {
  const room = new Room();
  for (let count = 0; count < 3; count += 1) room.come(settingsWith(3, 5));
  const lower = settingsWith(1, 5);
  t.equal(room.come(lower), 'waiting');
  room.leave(0);
  room.leave(0);
  t.same(room.called, []);
  room.leave(0);
  t.same(room.called, [4]);
});

t.test('those that are let in and leave at once exhaust no stack, however many wait', async (t) => {
  const gate = new ConcurrencyGate();
  const settings = settingsWith(1, 100_000);
  const called: number[] = [];
  gate.enter(new Visitor(0, () => {}), settings);
  for (let number = 1; number <= 100_000; number += 1) {
    const leaveAgain = (visitor: Visitor) => {
      called.push(visitor.number);
      gate.leave();
    };
    gate.enter(new Visitor(number, leaveAgain), settings);
  }
  gate.leave();
  t.same([called.length, called.at(0), called.at(-1)], [100_000, 1, 100_000]);
  t.same([gate.active, gate.waiting], [0, 0]);
});

t.test('a worker gets an equal part of the limits, and one request at least', async (t) => {
  const place = (slot: number) => ({ slot, workers: 4 });
  t.equal(gateSettingsOf(undefined, place(0)), OPEN_GATE);
  t.equal(gateSettingsOf({ maxWaiting: 5 }, place(0)), OPEN_GATE);
  const ten = { maxConcurrent: 10, maxWaiting: 10 };
  t.same(gateSettingsOf(ten, place(1)), { maxConcurrent: 3, maxWaiting: 3, maxWaitMs: 1_000 });
  t.same(gateSettingsOf(ten, place(2)), { maxConcurrent: 2, maxWaiting: 2, maxWaitMs: 1_000 });
  const two = { maxConcurrent: 2, maxWaitMs: 5 };
  t.same(gateSettingsOf(two, place(3)), { maxConcurrent: 1, maxWaiting: 0, maxWaitMs: 5 });
});

t.test(
  'what does not divide evenly is not lost: all workers together have the limits that were set',
  async () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2_000 }),
        fc.nat(2_000),
        fc.integer({ min: 1, max: 64 }),
        (maxConcurrent, maxWaiting, workers) => {
          const parts = Array.from({ length: workers }, (_, slot) =>
            gateSettingsOf({ maxConcurrent, maxWaiting }, { slot, workers }),
          );
          const inAll = (of: (part: GateSettings) => number) =>
            parts.reduce((sum, part) => sum + of(part), 0);
          assert.equal(
            inAll((part) => part.maxConcurrent),
            Math.max(maxConcurrent, workers),
          );
          assert.equal(
            inAll((part) => part.maxWaiting),
            maxWaiting,
          );
        },
      ),
      { numRuns: 300 },
    );
  },
);
