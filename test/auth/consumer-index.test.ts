import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { canBeApiKey, digestOfApiKey, formatKeyHash, generateApiKey } from '../../lib/auth/api-key.ts';
import { ConsumerIndex } from '../../lib/auth/consumer-index.ts';
import { costOf, DEFAULT_COST, hashOfNothing } from '../../lib/auth/password-hash.ts';
import type { Consumer } from '../../lib/core/config/model.ts';
import { API_KEY_HASH_PATTERN } from '../../lib/core/config/patterns.ts';

const IDS = ['a', 'A', 'b', 'c', 'a.b'];
const KEYS = ['k1', 'k2', 'k3'];
const COSTS = [
  { logN: 14, blockSize: 8, parallelism: 3 },
  { logN: 15, blockSize: 8, parallelism: 1 },
  { logN: 16, blockSize: 8, parallelism: 1 },
];
const HASHES = COSTS.map(hashOfNothing);
const HASH = hashOfNothing(DEFAULT_COST);
const NAMES = ['alice', 'bob', 'j\u00fcrgen', 'ju\u0308rgen'];

function hashOf(key: string): string {
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}

function consumerOf(keys: readonly string[], users: readonly (readonly [string, string])[]): Consumer {
  return {
    apiKeys: keys.map((key) => ({ hash: hashOf(key) })),
    passwords: users.map(([username, hash]) => ({ username, hash })),
  };
}

t.test('a consumer is found by each of its keys and user names', async (t) => {
  const index = new ConsumerIndex();
  const consumer = consumerOf(['old', 'new'], [['alice', HASH]]);
  index.put('shop', { ...consumer, scopes: ['read'], roles: ['clerk'] });
  const known = { id: 'shop', scopes: ['read'], roles: ['clerk'] };
  t.same(index.findByApiKey('old'), known);
  t.same(index.findByApiKey('new'), known);
  t.same(index.findByUsername('alice'), { consumer: known, hash: HASH });
  t.equal(index.findByApiKey('other'), null);
  t.equal(index.findByApiKey(hashOf('old')), null, 'the hash is no key');
  t.equal(index.findByUsername('Alice'), null);
});

t.test('what a consumer had before is forgotten when it is replaced', async (t) => {
  const index = new ConsumerIndex();
  index.put('shop', consumerOf(['old'], [['alice', HASH]]));
  index.put('shop', consumerOf(['new'], []));
  t.equal(index.findByApiKey('old'), null);
  t.equal(index.findByUsername('alice'), null);
  t.equal(index.findByApiKey('new')?.id, 'shop');
  index.delete('shop');
  index.delete('shop');
  t.equal(index.findByApiKey('new'), null);
  t.equal(index.size, 0);
});

t.test('the cost of the costliest password is known, whoever came in last', async (t) => {
  const index = new ConsumerIndex();
  t.same(index.highestCost, DEFAULT_COST, 'where there is none, what is usual');
  const [cheap = '', , costly = ''] = HASHES;
  index.put('a', consumerOf([], [['alice', cheap]]));
  t.same(index.highestCost, COSTS[0], 'a higher N is not all: this takes three times as long as it seems');
  index.put('b', consumerOf([], [['bob', costly]]));
  t.same(index.highestCost, COSTS[2]);
  index.put('b', consumerOf([], [['bob', HASHES[1]!]]));
  t.same(index.highestCost, COSTS[0], '3 × 2¹⁴ is more than 2¹⁵');
  index.delete('a');
  t.same(index.highestCost, COSTS[1]);
  index.delete('b');
  t.same(index.highestCost, DEFAULT_COST);
});

t.test('names that every object has are names like any other', async (t) => {
  const index = new ConsumerIndex();
  for (const name of ['constructor', '__proto__', 'toString']) t.equal(index.findByUsername(name), null);
  index.put('a', consumerOf([], [['__proto__', HASH]]));
  t.equal(index.findByUsername('__proto__')?.hash, HASH);
});

t.test('text that cannot be a key finds nothing, whatever hashes there are', async (t) => {
  const index = new ConsumerIndex();
  const impossible = ['', 'a b', 'ü', 'a\n', 'k'.repeat(513)];
  index.put('a', consumerOf(impossible, []));
  for (const key of impossible) t.equal(index.findByApiKey(key), null, key.slice(0, 5));
});

t.test('a generated key fits the schema, is found, and is another each time', async (t) => {
  const [key, other] = [generateApiKey(), generateApiKey()];
  t.match(key, /^fgk_[\w-]{43}$/);
  t.not(key, other);
  t.ok(canBeApiKey(key));
  const hash = formatKeyHash(digestOfApiKey(key));
  t.match(hash, new RegExp(API_KEY_HASH_PATTERN));
  const index = new ConsumerIndex();
  index.put('a', { apiKeys: [{ hash }] });
  t.equal(index.findByApiKey(key)?.id, 'a');
});

/** Each user name of a consumer counts once. */
function highestCostInModel(model: ReadonlyMap<string, Consumer>) {
  const hashes = [...model.values()].flatMap(({ passwords = [] }) => {
    const named = new Map(passwords.toReversed().map((one) => [one.username.normalize('NFC'), one.hash]));
    return [...named.values()];
  });
  const works = hashes.map(costOf).map(({ logN, parallelism }) => 2 ** logN * parallelism);
  return works.length === 0 ? 2 ** DEFAULT_COST.logN * DEFAULT_COST.parallelism : Math.max(...works);
}

/** What is found among consumers: that of the least id, and of one consumer the first. */
function findInModel(model: ReadonlyMap<string, Consumer>, key: string, username: string) {
  const ids = [...model.keys()].sort();
  const name = username.normalize('NFC');
  const isUser = (user: { username: string }) => user.username.normalize('NFC') === name;
  const userId = ids.find((id) => model.get(id)?.passwords?.some(isUser)) ?? null;
  return {
    byKey: ids.find((id) => model.get(id)?.apiKeys?.some(({ hash }) => hash === hashOf(key))) ?? null,
    byUser: userId,
    hash: model.get(userId ?? '')?.passwords?.find(isUser)?.hash ?? null,
  };
}

function findInIndex(index: ConsumerIndex, key: string, username: string) {
  const user = index.findByUsername(username.normalize('NFC'));
  return {
    byKey: index.findByApiKey(key)?.id ?? null,
    byUser: user?.consumer.id ?? null,
    hash: user?.hash ?? null,
  };
}

t.test('of rivals the least id is found, after any history, also in a copy', async (t) => {
  const consumer = fc
    .tuple(
      fc.array(fc.constantFrom(...KEYS), { maxLength: 3 }),
      fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...HASHES)), { maxLength: 3 }),
    )
    .map(([keys, users]) => consumerOf(keys, users));
  const operation = fc.tuple(fc.constantFrom(...IDS), fc.option(consumer, { freq: 3 }));
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 30 }), (operations) => {
      const [index, model] = [new ConsumerIndex(), new Map<string, Consumer>()];
      for (const [id, value] of operations) {
        if (value === null) index.delete(id);
        else index.put(id, value);
        if (value === null) model.delete(id);
        else model.set(id, value);
      }
      const copy = new ConsumerIndex();
      t.equal([...copy.copy(index)].length, model.size, 'a step a consumer');
      for (const { highestCost } of [index, copy]) {
        if (2 ** highestCost.logN * highestCost.parallelism !== highestCostInModel(model)) return false;
      }
      for (const key of KEYS) {
        for (const name of NAMES) {
          const expected = JSON.stringify(findInModel(model, key, name));
          if (JSON.stringify(findInIndex(index, key, name)) !== expected) return false;
          if (JSON.stringify(findInIndex(copy, key, name)) !== expected) return false;
        }
      }
      return true;
    }),
    { numRuns: 300 },
  );
});

t.test('a copy lives on its own', async (t) => {
  const [index, copy] = [new ConsumerIndex(), new ConsumerIndex()];
  index.put('a', consumerOf(['k1'], []));
  index.put('b', consumerOf(['k1'], []));
  for (const _ of copy.copy(index));
  copy.delete('a');
  t.equal(index.findByApiKey('k1')?.id, 'a');
  t.equal(copy.findByApiKey('k1')?.id, 'b');
});
