import fc from 'fast-check';
import t from 'tap';
import { boundedEditDistance, findNearestName } from '../../../lib/core/config/nearest-name.ts';

t.test('a typing error finds the name that was meant', async (t) => {
  const names = ['destinations', 'loadBalancing', 'timeouts', 'retry', 'pool'];
  t.equal(findNearestName('destinatons', names), 'destinations');
  t.equal(findNearestName('loadbalancing', names), 'loadBalancing');
  t.equal(findNearestName('rerty', names), 'retry');
  t.equal(findNearestName('timeout', names), 'timeouts');
  t.equal(findNearestName('x', names), null);
  t.equal(findNearestName('certificates', names), null);
  t.equal(findNearestName('', names), null);
  t.equal(findNearestName('retry', []), null);
});

t.test('the nearest wins, and the first of equally near ones', async (t) => {
  t.equal(findNearestName('orders-3', ['orders-11', 'orders-1', 'orders-2']), 'orders-1');
  t.equal(findNearestName('orders', ['order', 'orders']), 'orders');
});

t.test('a very long name is not searched for', async (t) => {
  t.equal(findNearestName('a'.repeat(100_000), ['a'.repeat(100_000)]), null);
});

t.test('distances are known, and cut off above the limit', async (t) => {
  t.equal(boundedEditDistance('kitten', 'sitting', 9), 3);
  t.equal(boundedEditDistance('ab', 'ba', 9), 1);
  t.equal(boundedEditDistance('', 'abc', 9), 3);
  t.equal(boundedEditDistance('kitten', 'sitting', 2), 3);
  t.equal(boundedEditDistance('abcdef', 'uvwxyz', 2), 3);
});

t.test('a limit never changes a distance below it, and distance has no direction', async () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
  fc.assert(
    fc.property(word, word, fc.nat(8), (left, right, limit) => {
      const distance = boundedEditDistance(left, right, 100);
      return (
        boundedEditDistance(right, left, 100) === distance &&
        boundedEditDistance(left, right, limit) === Math.min(distance, limit + 1)
      );
    }),
    { numRuns: 500 },
  );
});
