import fc from 'fast-check';
import t from 'tap';
import { RateKeyMap } from '../../../lib/core/policy/rate-key.ts';

t.test('a salted map is a map, whatever the salt', async () => {
  const keys = fc.uniqueArray(fc.maxSafeNat(), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(keys, fc.nat(0xffffffff), (hashes, salt) => {
      const map = new RateKeyMap<number>(salt);
      for (const hash of hashes) map.set(hash, hash);
      map.delete(hashes[0]!);
      const isRight =
        map.size === hashes.length - 1 &&
        hashes.every((hash, index) => map.get(hash) === (index === 0 ? undefined : hash)) &&
        [...map.values()].length === map.size;
      map.clear();
      return isRight && map.size === 0;
    }),
    { numRuns: 300 },
  );
});
