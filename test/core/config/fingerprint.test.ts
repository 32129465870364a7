import fc from 'fast-check';
import t from 'tap';
import { equalValues } from '../../../lib/core/config/equal-values.ts';
import { ContentFingerprint, hashEntry } from '../../../lib/core/config/fingerprint.ts';

function reverseKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reverseKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([key, child]) => [key, reverseKeys(child)]));
}

t.test('values hash alike exactly where they are equal', async () => {
  const small = fc.jsonValue({ maxDepth: 3 });
  fc.assert(
    fc.property(small, small, (left, right) => {
      const isAlike = hashEntry('route', 'r', left) === hashEntry('route', 'r', right);
      return isAlike === equalValues(left, right);
    }),
    { numRuns: 1_000 },
  );
  fc.assert(
    fc.property(
      small,
      (value) => hashEntry('route', 'r', value) === hashEntry('route', 'r', reverseKeys(value)),
    ),
    { numRuns: 300 },
  );
});

t.test('values that look alike as text hash apart', async (t) => {
  const values = [
    null,
    'null',
    1,
    '1',
    true,
    'true',
    '',
    [],
    {},
    [[]],
    [{}],
    { a: [] },
    ['a'],
    { a: 1, b: 2 },
    { a: { b: 2 } },
    { 'a":1,"b': 2 },
    ['a', 'b'],
    ['a,b'],
    ['a","b'],
    [1, [2]],
    [[1], 2],
    '\ud800',
    '\\ud800',
  ];
  const hashes = new Set(values.map((value) => hashEntry('route', 'r', value)));
  t.equal(hashes.size, values.length);
  t.equal(hashEntry('route', 'r', -0), hashEntry('route', 'r', 0), 'which equalValues takes for equal');
});

t.test('kind and id count', async (t) => {
  const hashes = [
    hashEntry('route', 'a', {}),
    hashEntry('cluster', 'a', {}),
    hashEntry('issuer', 'a', {}),
    hashEntry('consumer', 'a', {}),
    hashEntry('certificate', 'a', {}),
    hashEntry('route', 'b', {}),
    hashEntry('route', 'A', {}),
  ];
  t.equal(new Set(hashes).size, hashes.length);
});

t.test('a hash never changes between versions, and fills 53 bits', async (t) => {
  t.equal(hashEntry('route', 'orders', { match: { path: '/' }, cluster: 'c' }), 5_556_764_816_391_621);
  let ored = 0n;
  for (let index = 0; index < 1_000; index += 1) {
    const hash = hashEntry('route', `r${index}`, {});
    if (!Number.isSafeInteger(hash) || hash < 0) t.fail(`${hash}`);
    ored |= BigInt(hash);
  }
  t.equal(ored, 2n ** 53n - 1n);
});

t.test('a fingerprint does not depend on the way that led to the content', async () => {
  const hashes = fc.uniqueArray(fc.maxSafeNat(), { maxLength: 20 });
  fc.assert(
    fc.property(hashes, hashes, (kept, gone) => {
      const direct = new ContentFingerprint();
      for (const hash of kept) direct.add(hash);
      const roundabout = new ContentFingerprint();
      for (const hash of [...gone, ...kept.toReversed()]) roundabout.add(hash);
      for (const hash of gone.toReversed()) roundabout.remove(hash);
      return direct.toString() === roundabout.toString() && /^[0-9a-f]{14}$/.test(direct.toString());
    }),
    { numRuns: 300 },
  );
});

t.test('every entry counts, and no entries have a text of their own', async (t) => {
  const fingerprint = new ContentFingerprint();
  const seen = new Set([fingerprint.toString()]);
  t.same([...seen], ['00000000000000']);
  for (let index = 0; index < 1_000; index += 1) {
    fingerprint.add(hashEntry('route', `r${index}`, {}));
    seen.add(fingerprint.toString());
  }
  t.equal(seen.size, 1_001);
});
