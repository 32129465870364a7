/** How keys of rate limits are named where they leave their worker. */
import fc from 'fast-check';
import t from 'tap';
import { keyedRateHash } from '../../../lib/proxy/policies/rate-key-hash.ts';

t.test('a hash is an integer that a number holds exactly, and the same everywhere', async (t) => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (secret, key) => {
      const hash = keyedRateHash(secret)(key);
      return Number.isSafeInteger(hash) && hash >= 0 && hash === keyedRateHash(secret)(key);
    }),
  );
  t.equal(
    keyedRateHash('secret')('orders #1 address 127.0.0.1'),
    0x082216091acd2,
    'instances of all versions have to agree',
  );
});

t.test('a hundred thousand keys have as many hashes', async (t) => {
  const hashOf = keyedRateHash('secret');
  const hashes = new Set(Array.from({ length: 100_000 }, (_, index) => hashOf(`orders #1 address ${index}`)));
  t.equal(hashes.size, 100_000);
});

t.test('without the secret nobody knows which keys are alike', async (t) => {
  /** Two keys whose hashes have the same 16 low bits: as much of a likeness as can be found quickly. */
  const low = (secret: string, key: string) => keyedRateHash(secret)(key) % 65_536;
  const victim = 'orders #1 header victim';
  const forged = Array.from({ length: 1_000_000 }, (_, index) => `orders #1 header ${index}`).find(
    (key) => low('known', key) === low('known', victim),
  );
  t.ok(forged !== undefined);
  t.not(low('secret', forged ?? ''), low('secret', victim));
});
