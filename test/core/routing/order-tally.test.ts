import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { OrderTally } from '../../../lib/core/routing/order-tally.ts';

const lowest = (orders: readonly number[]) => orders.reduce((left, right) => Math.min(left, right));

/** Plays additions (even) and removals (odd) and compares with a plain list after each. */
function play(steps: readonly (readonly [number, number])[]): void {
  const tally = new OrderTally();
  const orders: number[] = [];
  for (const [kind, value] of steps) {
    if (kind % 2 === 0 || orders.length === 0) {
      orders.push(value);
      tally.addOrder(value);
    } else {
      const [order = 0] = orders.splice(Math.abs(value) % orders.length, 1);
      tally.removeOrder(order);
    }
    assert.equal(tally.orderCount, orders.length);
    if (orders.length > 0) {
      assert.equal(tally.minimumOrder, lowest(orders));
    }
  }
}

t.test('the lowest order is right after any additions and removals', async () => {
  const step = fc.tuple(fc.nat(1), fc.integer({ min: -2, max: 3 }));
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => play(steps)));
});

t.test('thousands of distinct orders come and go in any sequence', async () => {
  const count = 5_000;
  const shuffled = Array.from({ length: count }, (_, index) => (index * 2_741) % count);
  for (const added of [shuffled, shuffled.toSorted((a, b) => a - b), shuffled.toSorted((a, b) => b - a)]) {
    for (const removed of [shuffled, added, added.toReversed()]) {
      const tally = new OrderTally();
      for (const order of added) {
        tally.addOrder(order);
      }
      const left = new Set(shuffled);
      let minimum = 0;
      for (const order of removed) {
        assert.equal(tally.minimumOrder, minimum);
        tally.removeOrder(order);
        left.delete(order);
        while (left.size > 0 && !left.has(minimum)) {
          minimum += 1;
        }
      }
      assert.equal(tally.orderCount, 0);
    }
  }
});
