import { scryptSync } from 'node:crypto';
import t from 'tap';
import {
  costOf,
  DEFAULT_COST,
  hashOfNothing,
  hashPassword,
  matchesPassword,
} from '../../lib/auth/password-hash.ts';
import { PASSWORD_HASH_PATTERN } from '../../lib/core/config/patterns.ts';

const CHEAP = { logN: 14, blockSize: 8, parallelism: 1 };

t.test('a password fits its own hash, and no other fits', async (t) => {
  const hash = await hashPassword('pässwort', CHEAP);
  t.match(hash, new RegExp(PASSWORD_HASH_PATTERN));
  t.equal(await matchesPassword(hash, 'pässwort'), true);
  for (const other of ['passwort', 'Pässwort', 'pässwort ', '']) {
    t.equal(await matchesPassword(hash, other), false, other);
  }
});

t.test('two hashes of one password differ by their salt', async (t) => {
  t.not(await hashPassword('a', CHEAP), await hashPassword('a', CHEAP));
});

t.test('it is scrypt, as others write it', async (t) => {
  const salt = Buffer.from('0123456789abcdef');
  const expected = scryptSync('secret', salt, 32, { N: 16_384, r: 8, p: 2, maxmem: 64 * 1_048_576 });
  const hash = `scrypt:14:8:2:${salt.toString('base64url')}:${expected.toString('base64url')}`;
  t.equal(await matchesPassword(hash, 'secret'), true);
});

t.test('the most that a configuration may ask for can be computed', async (t) => {
  const hash = await hashPassword('a', { logN: 17, blockSize: 8, parallelism: 4 });
  t.match(hash, new RegExp(PASSWORD_HASH_PATTERN));
  t.equal(await matchesPassword(hash, 'a'), true);
});

t.test('the default fits the schema', async (t) => {
  const hash = await hashPassword('a');
  t.match(hash, new RegExp(PASSWORD_HASH_PATTERN));
  t.same(costOf(hash), DEFAULT_COST);
});

t.test('a hash of nothing fits the schema and costs what it should', async (t) => {
  const hash = hashOfNothing(CHEAP);
  t.match(hash, new RegExp(PASSWORD_HASH_PATTERN));
  t.same(costOf(hash), CHEAP);
  t.equal(await matchesPassword(hash, ''), false);
});
