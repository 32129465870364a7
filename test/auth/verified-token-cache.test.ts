import t from 'tap';
import { UnknownKeyIds } from '../../lib/auth/unknown-key-ids.ts';
import { VerifiedTokenCache } from '../../lib/auth/verified-token-cache.ts';

const entry = (verdict: number) => ({ verdict, exp: 1, nbf: null });
const countFound = (cache: VerifiedTokenCache<number>, tokens: readonly string[]) =>
  tokens.filter((token) => cache.find(token) !== undefined).length;

t.test('a token is found by all of its characters', async (t) => {
  const cache = new VerifiedTokenCache<number>();
  cache.add('a.b.c', entry(1));
  t.same(cache.find('a.b.c'), entry(1));
  for (const other of ['a.b.C', 'a.b.c ', 'a.b', '', '__proto__'])
    t.equal(cache.find(other), undefined, other);
  cache.clear();
  t.equal(cache.find('a.b.c'), undefined);
});

t.test(
  'of a token that is added again the last word counts, however often it was found before',
  async (t) => {
    const cache = new VerifiedTokenCache<number>();
    cache.add('a.b.signature', entry(1));
    for (let count = 0; count < 3; count += 1) t.equal(cache.find('a.b.signature')?.verdict, 1);
    cache.add('a.b.signature', entry(2));
    for (let count = 0; count < 3; count += 1) t.equal(cache.find('a.b.signature')?.verdict, 2);
    cache.clear();
    t.equal(cache.find('a.b.signature'), undefined);
  },
);

t.test('tokens with the same end do not stand for each other', async (t) => {
  const cache = new VerifiedTokenCache<number>();
  const tokens = Array.from({ length: 20 }, (_, index) => `${index}.b.signature`);
  for (const [index, token] of tokens.entries()) cache.add(token, entry(index));
  for (let round = 0; round < 3; round += 1) {
    for (const [index, token] of tokens.entries()) t.equal(cache.find(token)?.verdict, index);
  }
});

t.test('it holds 5,000 tokens at most, and what is in use longest', async (t) => {
  const cache = new VerifiedTokenCache<number>();
  const tokens = Array.from({ length: 20_000 }, (_, index) => `token-${index}`);
  for (const [index, token] of tokens.entries()) {
    cache.add(token, entry(index));
    if (cache.find('token-0') === undefined) t.fail(`one that is in use is gone after ${index}`);
  }
  t.equal(countFound(cache, tokens.slice(-1_000)), 1_000, 'the latest are there');
  const found = countFound(cache, tokens);
  t.ok(found >= 1_000 && found <= 5_000, `${found}`);
});

t.test('long tokens are bounded by their size', async (t) => {
  const cache = new VerifiedTokenCache<number>();
  const tokens = Array.from({ length: 2_000 }, (_, index) => `${index}`.padEnd(8_192, 'x'));
  for (const token of tokens) cache.add(token, entry(0));
  t.ok(countFound(cache, tokens) * 8_192 <= 4 * 1_048_576);
});

t.test('unknown key ids are remembered for 30 s, a thousand at most', async (t) => {
  const ids = new UnknownKeyIds();
  ids.add('a', 0);
  t.ok(ids.has('a', 29_999));
  t.notOk(ids.has('a', 30_000));
  t.notOk(ids.has('b', 0));
  for (let index = 0; index < 999; index += 1) ids.add(`${index}`, 0);
  ids.add('a', 1);
  ids.add('one more', 1);
  t.notOk(ids.has('0', 1), 'the oldest goes');
  t.ok(ids.has('a', 1), 'and not one that was renewed');
  t.ok(ids.has('998', 1));
});
