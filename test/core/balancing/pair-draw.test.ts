import fc from 'fast-check';
import t from 'tap';
import { PairDraw } from '../../../lib/core/balancing/pair-draw.ts';
import { createSeededRandom } from './fixtures.ts';

t.test('the two indices are different and within bounds, whatever the random numbers', async (t) => {
  const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 1_000 }), unit, unit, (count, one, two) => {
      const numbers = [one, two];
      const pair = new PairDraw(() => numbers.shift()!);
      pair.draw(count);
      const inBounds = (index: number) => Number.isInteger(index) && index >= 0 && index < count;
      return inBounds(pair.first) && inBounds(pair.second) && pair.first !== pair.second;
    }),
    { numRuns: 500 },
  );
  t.pass('the property holds');
});

t.test('every ordered pair is as likely as any other', async (t) => {
  const pair = new PairDraw(createSeededRandom(7));
  const counts = new Map<string, number>();
  for (let draw = 0; draw < 120_000; draw++) {
    pair.draw(4);
    const key = `${pair.first},${pair.second}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  t.equal(counts.size, 12);
  for (const [key, count] of counts) t.ok(Math.abs(count - 10_000) < 500, `${key}: ${count} of 10,000`);
});
