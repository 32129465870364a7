/** How a limit is divided: never more than the whole, and nobody is left with nothing. */
import fc from 'fast-check';
import t from 'tap';
import { demandThreshold, divideByWeight, divideShares } from '../../../lib/core/policy/rate-shares.ts';

const demandLists = fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 100 });
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

t.test('shares add up to the whole, and everybody has one', async () => {
  fc.assert(
    fc.property(demandLists, (demands) => {
      const shares = divideShares(demands);
      return (
        shares.length === demands.length &&
        Math.abs(sum(shares) - 1) < 1e-9 &&
        shares.every((share) => share > 0 && share <= 1)
      );
    }),
    { numRuns: 500 },
  );
});

t.test('who demands more has no less, and equal demands have equal shares', async () => {
  fc.assert(
    fc.property(demandLists, (demands) => {
      const shares = divideShares(demands);
      return demands.every((demand, one) =>
        demands.every((other, two) => Math.sign(demand - other) * (shares[one]! - shares[two]!) >= 0),
      );
    }),
    { numRuns: 200 },
  );
});

t.test(
  'the same demand, however often it is looked at, or a multiple of it, gives the same shares',
  async () => {
    fc.assert(
      fc.property(demandLists, fc.integer({ min: 2, max: 1_000 }), (demands, factor) => {
        const [shares, again] = [
          divideShares(demands),
          divideShares(demands.map((demand) => demand * factor)),
        ];
        return shares.every((share, index) => Math.abs(share - again[index]!) < 1e-9);
      }),
      { numRuns: 200 },
    );
  },
);

t.test('one who demands has nearly all; where nobody does, shares are equal', async (t) => {
  t.ok(divideShares([0, 7, 0, 0])[1]! > 0.95);
  t.same(divideShares([0, 0, 0, 0]), [0.25, 0.25, 0.25, 0.25]);
  t.same(divideShares([5]), [1]);
});

t.test('what is divided by weight does not become more', async (t) => {
  fc.assert(
    fc.property(fc.double({ min: 1e-3, max: 1e9, noNaN: true }), demandLists, (whole, weights) => {
      const parts = divideByWeight(whole, weights);
      return (
        sum(parts) <= whole * (1 + 1e-9) && parts.every((part, index) => part === 0 || weights[index]! > 0)
      );
    }),
    { numRuns: 300 },
  );
  t.same(divideByWeight(10, [0, 0]), [0, 0]);
});

t.test('no more than so many reach the threshold, unless they all have thousands of requests', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 1_000 })),
      fc.integer({ min: 1, max: 50 }),
      (requests, count) => {
        const threshold = demandThreshold(requests, count);
        const chosen = requests.filter((number) => number >= threshold);
        const lower = requests.filter((number) => number >= threshold - 1);
        return chosen.length <= count && (threshold === 1 || lower.length > count);
      },
    ),
    { numRuns: 300 },
  );
  t.equal(demandThreshold([5_000, 6_000, 7_000], 1), 1_024);
  t.equal(
    demandThreshold(new Array<number>(5_000).fill(1), 1_000),
    2,
    'of a flood of single requests none is chosen',
  );
});
