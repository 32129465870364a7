import t from 'tap';
import { costOf, DEFAULT_COST, hashOfNothing, matchesPassword } from '../../lib/auth/password-hash.ts';
import { StandInHash } from '../../lib/auth/stand-in-hash.ts';

t.test('it costs what is usual, then what the last known hash did', async (t) => {
  const standIn = new StandInHash();
  t.same(costOf(standIn.value), DEFAULT_COST);
  const cost = { logN: 14, blockSize: 8, parallelism: 2 };
  standIn.imitate(hashOfNothing(cost));
  t.same(costOf(standIn.value), cost);
});

t.test('it is never the hash that it imitates', async (t) => {
  const standIn = new StandInHash();
  const known = hashOfNothing({ logN: 14, blockSize: 8, parallelism: 1 });
  standIn.imitate(known);
  t.not(standIn.value, known);
  t.equal(await matchesPassword(standIn.value, ''), false);
});

t.test(
  'it stays the same while the cost does, or one guess would be verified many times at once',
  async (t) => {
    const standIn = new StandInHash();
    const before = standIn.value;
    standIn.imitate(hashOfNothing(DEFAULT_COST));
    t.equal(standIn.value, before);
  },
);
