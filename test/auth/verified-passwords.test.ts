import t from 'tap';
import { VerifiedPasswords } from '../../lib/auth/verified-passwords.ts';

t.test('a verified password is remembered for a minute, whether it is used or not', async (t) => {
  const verified = new VerifiedPasswords();
  const digest = verified.digestOf('hash', 'alice', 'secret');
  t.equal(verified.has(digest, 0), false);
  verified.add(digest, 0);
  t.equal(verified.has(digest, 59_999), true);
  t.equal(verified.has(digest, 60_000), false);
  t.equal(verified.size, 0, 'what ended is forgotten');
});

t.test('each user, password and hash is remembered by itself', async (t) => {
  const verified = new VerifiedPasswords();
  const digests = [
    verified.digestOf('hash', 'alice', 'secret'),
    verified.digestOf('hash', 'alice', 'secret2'),
    verified.digestOf('hash2', 'alice', 'secret'),
    verified.digestOf('hash', 'alic', 'esecret'),
  ];
  t.equal(new Set(digests).size, digests.length);
  t.equal(verified.digestOf('hash', 'alice', 'secret'), digests[0]);
});

t.test('digests of one process say nothing in another', async (t) => {
  const [one, other] = [new VerifiedPasswords(), new VerifiedPasswords()];
  t.not(one.digestOf('hash', 'alice', 'secret'), other.digestOf('hash', 'alice', 'secret'));
});

t.test('at most 10,000 are remembered: the oldest go first', async (t) => {
  const verified = new VerifiedPasswords();
  for (let count = 0; count < 10_000; count += 1) verified.add(`digest ${count}`, count);
  verified.add('digest 0', 10_000);
  verified.add('one more', 10_001);
  t.equal(verified.size, 10_000);
  t.equal(verified.has('digest 1', 10_001), false);
  t.equal(verified.has('digest 0', 10_001), true, 'it had come anew');
});
