import fc from 'fast-check';
import t from 'tap';
import { finishSlices, SLICE_SIZE, SliceMeter, sortInSlices } from '../../../lib/core/config/slices.ts';

t.test('sorting in slices is sorting, and equal items keep their order', async () => {
  const arbitraryItems = fc
    .tuple(fc.integer({ min: 0, max: 9_000 }), fc.integer({ min: 1, max: 40 }), fc.nat())
    .map(([length, range, seed]) =>
      Array.from({ length }, (_, index) => ({ key: ((index + seed) * 7_919) % range, index })),
    );
  fc.assert(
    fc.property(arbitraryItems, (items) => {
      const sorted = finishSlices(sortInSlices(items, (left, right) => left.key - right.key));
      const expected = items.toSorted((left, right) => left.key - right.key);
      return sorted.length === expected.length && sorted.every((item, index) => item === expected[index]);
    }),
    { numRuns: 100 },
  );
});

t.test('sorting leaves the given list as it is, and pauses within a long one', async (t) => {
  const items = Array.from({ length: 10_000 }, (_, index) => (index * 7_919) % 10_000);
  const before = [...items];
  let pauses = 0;
  for (const _ of sortInSlices(items, (left, right) => left - right)) {
    pauses += 1;
  }
  t.ok(pauses >= 10, `${pauses} pauses`);
  t.same(items, before);
});

t.test('a slice is full after so much work, however it comes', async (t) => {
  const meter = new SliceMeter();
  t.equal(meter.isFullAfter(SLICE_SIZE - 1), false);
  t.equal(meter.isFullAfter(1), true);
  t.equal(meter.isFullAfter(SLICE_SIZE - 1), false);
  t.equal(meter.isFullAfter(10 * SLICE_SIZE), true);
  t.equal(meter.isFullAfter(0), false);
});
