import t from 'tap';
import { costOf, DEFAULT_COST, matchesPassword } from '../../lib/auth/password-hash.ts';
import { StandInHash } from '../../lib/auth/stand-in-hash.ts';

const CHEAP = { logN: 14, blockSize: 8, parallelism: 1 };

t.test('it costs what it is asked for, and no password fits it', async (t) => {
  const standIn = new StandInHash();
  const hash = standIn.ofCost(CHEAP);
  t.same(costOf(hash), CHEAP);
  t.equal(await matchesPassword(hash, ''), false);
  t.same(costOf(standIn.ofCost(DEFAULT_COST)), DEFAULT_COST);
});

t.test(
  'it stays the same while the cost does, or one guess would be verified many times at once',
  async (t) => {
    const standIn = new StandInHash();
    for (const cost of [DEFAULT_COST, CHEAP]) t.equal(standIn.ofCost(cost), standIn.ofCost({ ...cost }));
  },
);
