import fc from 'fast-check';
import t from 'tap';
import { hashRateKey, RateKeyMap } from '../../../lib/core/policy/rate-key.ts';

t.test('a hash is an integer that a number holds exactly, and the same everywhere', async (t) => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const hash = hashRateKey(text);
      return Number.isSafeInteger(hash) && hash >= 0 && hash === hashRateKey(text);
    }),
  );
  t.equal(
    hashRateKey('orders #1 address 127.0.0.1'),
    8_244_469_993_161_061,
    'instances of all versions have to agree',
  );
});

t.test('a hundred thousand keys have as many hashes', async (t) => {
  const hashes = new Set(
    Array.from({ length: 100_000 }, (_, index) => hashRateKey(`orders #1 address ${index}`)),
  );
  t.equal(hashes.size, 100_000);
});

t.test('a salted map is a map, whatever the salt', async () => {
  const keys = fc.uniqueArray(fc.maxSafeNat(), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(keys, fc.nat(0xffffffff), (hashes, salt) => {
      const map = new RateKeyMap<number>(salt);
      for (const hash of hashes) map.set(hash, hash);
      map.delete(hashes[0]!);
      return (
        map.size === hashes.length - 1 &&
        hashes.every((hash, index) => map.get(hash) === (index === 0 ? undefined : hash)) &&
        [...map.values()].length === map.size
      );
    }),
    { numRuns: 300 },
  );
});
