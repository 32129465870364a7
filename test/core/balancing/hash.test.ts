import fc from 'fast-check';
import t from 'tap';
import { hashString } from '../../../lib/core/balancing/hash.ts';

t.test('the published test vectors of MurmurHash3_x86_32', async (t) => {
  t.equal(hashString('', 0), 0);
  t.equal(hashString('', 1), 0x514e28b7);
  t.equal(hashString('', 0xffff_ffff), 0x81f16f39);
  t.equal(hashString('\uffff\uffff', 0), 0x76293b50);
  t.equal(hashString('\u4321\u8765', 0), 0xf55b516b);
  t.equal(hashString('\u4321\u8765', 0x5082edee), 0x2362f9de);
  t.equal(hashString('\u4321', 0), 0xa0f7b07a);
  t.equal(hashString('\0\0', 0), 0x2362f9de);
  t.equal(hashString('\0', 0), 0x30f4c306);
});

t.test('the hash is 32 bits without sign for any string', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(), (text, seed) => {
      const hash = hashString(text, seed);
      return Number.isInteger(hash) && hash >= 0 && hash < 2 ** 32;
    }),
    { numRuns: 500 },
  );
  t.pass('the property holds');
});

t.test('strings that differ in their last digit spread evenly', async (t) => {
  const counts = new Array<number>(16).fill(0);
  for (let index = 0; index < 16_000; index++) counts[hashString(`10.0.0.${index}`) % 16]! += 1;
  for (const count of counts) t.ok(Math.abs(count - 1_000) < 150, `${count} of 1,000`);
});
