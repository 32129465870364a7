import fc from 'fast-check';
import t from 'tap';
import { hashString } from '../../../lib/core/balancing/hash.ts';
import { TextHash } from '../../../lib/core/config/text-hash.ts';

function hashParts(hash: TextHash, parts: readonly string[]): readonly number[] {
  hash.begin();
  for (const part of parts) hash.add(part);
  return [hash.low(), hash.high()];
}

t.test('parts hash as the text that they are together', async (t) => {
  const hash = new TextHash();
  const whole = new TextHash();
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (parts) => {
      t.strictSame(hashParts(hash, parts), hashParts(whole, [parts.join('')]));
    }),
    { numRuns: 300 },
  );
});

t.test('each half is the hash of the text with a seed of its own', async (t) => {
  const hash = new TextHash();
  for (const text of ['', 'a', 'ab', 'abc', '\ud83d\ude00']) {
    t.strictSame(hashParts(hash, [text]), [hashString(text, 0x0f1e2d3c), hashString(text, 0x5a6b7c8d)]);
  }
});
