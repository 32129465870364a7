import t from 'tap';
import { hashPassword } from '../../lib/auth/password-hash.ts';
import { type PasswordVerdict, PasswordVerifier } from '../../lib/auth/password-verifier.ts';

const CHEAP = { logN: 14, blockSize: 8, parallelism: 1 };
const HASH = await hashPassword('secret', CHEAP);
const OTHER_HASH = await hashPassword('secret', CHEAP);
const ALICE = { username: 'alice', password: 'secret' };
const WRONG = { username: 'alice', password: 'guess' };

/** A verifier with a clock that stands still unless it is told otherwise. */
class Watched {
  nowMs = 0;
  readonly verifier = new PasswordVerifier(() => this.nowMs);

  async fail(address: string, times: number): Promise<readonly string[]> {
    const kinds: string[] = [];
    for (let count = 0; count < times; count += 1) {
      kinds.push((await this.verifier.verify(HASH, WRONG, address)).kind);
    }
    return kinds;
  }
}

t.test('right, wrong and unknown', async (t) => {
  const { verifier } = new Watched();
  t.same(await verifier.verify(HASH, ALICE, '10.0.0.1'), { kind: 'valid' });
  t.same(await verifier.verify(HASH, WRONG, '10.0.0.1'), { kind: 'invalid' });
  t.same(await verifier.verify(CHEAP, ALICE, '10.0.0.1'), { kind: 'invalid' });
});

t.test('for a minute a right password is known without a promise, and only for its own hash', async (t) => {
  const watched = new Watched();
  const { verifier } = watched;
  const first = verifier.verify(HASH, ALICE, '10.0.0.1');
  t.ok(first instanceof Promise);
  await first;
  t.same(verifier.verify(HASH, ALICE, '10.0.0.2'), { kind: 'valid' });
  t.ok(verifier.verify(HASH, WRONG, '10.0.0.1') instanceof Promise, 'a wrong one is not');
  const renewed = verifier.verify(OTHER_HASH, ALICE, '10.0.0.1');
  t.ok(renewed instanceof Promise, 'the password was set anew');
  await renewed;
  watched.nowMs = 60_000;
  t.ok(verifier.verify(HASH, ALICE, '10.0.0.1') instanceof Promise, 'the minute is over');
});

t.test('a user who is unknown is never taken for known, even with a password that was right', async (t) => {
  const { verifier } = new Watched();
  await verifier.verify(HASH, ALICE, '10.0.0.1');
  t.same(await verifier.verify(CHEAP, ALICE, '10.0.0.1'), { kind: 'invalid' });
});

t.test('an address that failed ten times waits, a known one of it does not', async (t) => {
  const watched = new Watched();
  const { verifier } = watched;
  const bob = { username: 'bob', password: 'secret' };
  await verifier.verify(OTHER_HASH, bob, '10.0.0.1');
  t.same(await watched.fail('10.0.0.1', 11), [...new Array<string>(10).fill('invalid'), 'blocked']);
  t.same(verifier.verify(HASH, ALICE, '10.0.0.1'), { kind: 'blocked', waitSec: 6 }, 'right, but not known');
  t.same(verifier.verify(OTHER_HASH, bob, '10.0.0.1'), { kind: 'valid' }, 'known, and not locked out');
  t.match(verifier.verify(HASH, WRONG, '10.0.0.1'), { kind: 'blocked' }, 'a success unlocks nobody else');
  t.same(await verifier.verify(HASH, ALICE, '10.0.0.2'), { kind: 'valid' }, 'elsewhere nothing is locked');
  watched.nowMs = 6_000;
  t.same(await watched.fail('10.0.0.1', 2), ['invalid', 'blocked']);
});

t.test('failures count for unknown users too, and for the /64 of an IPv6 address', async (t) => {
  const { verifier } = new Watched();
  for (let count = 0; count < 10; count += 1) {
    await verifier.verify(CHEAP, { username: `u${count}`, password: 'x' }, `2001:db8::${count}`);
  }
  t.match(await verifier.verify(CHEAP, ALICE, '2001:db8::ff'), { kind: 'blocked' });
  t.match(await verifier.verify(HASH, ALICE, '2001:db8:0:1::1'), { kind: 'valid' });
});

function countKinds(verdicts: readonly PasswordVerdict[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { kind } of verdicts) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

t.test('guesses sent all at once are stopped as soon as those before them failed', async (t) => {
  const { verifier } = new Watched();
  const guesses = Array.from({ length: 60 }, (_, count) =>
    verifier.verify(HASH, { username: 'alice', password: `guess ${count}` }, '10.0.0.1'),
  );
  const { invalid = 0, blocked = 0 } = countKinds(await Promise.all(guesses));
  t.equal(invalid + blocked, 60);
  t.ok(invalid >= 10 && invalid <= 11, `${invalid} were tried: ten, and one that ran beside the tenth`);
});

t.test('many requests with the same credentials cost one verification', async (t) => {
  const { verifier } = new Watched();
  const verdicts = await Promise.all(
    Array.from({ length: 500 }, () => verifier.verify(HASH, ALICE, '10.0.0.1')),
  );
  t.same(countKinds(verdicts), { valid: 500 }, 'two at a time and 64 in the queue would not be enough');
});

t.test('two run, 64 wait, the others are sent away at once', async (t) => {
  const { verifier } = new Watched();
  const verdicts = await Promise.all(
    Array.from({ length: 70 }, (_, count) => verifier.verify(HASH, ALICE, `10.0.0.${count}`)),
  );
  t.same(countKinds(verdicts), { valid: 66, overloaded: 4 });
  t.same(await verifier.verify(OTHER_HASH, ALICE, '10.0.0.1'), { kind: 'valid' }, 'and then it goes on');
});

t.test('at most a thousand requests wait in all', async (t) => {
  const { verifier } = new Watched();
  const verdicts = await Promise.all(
    Array.from({ length: 1_010 }, () => verifier.verify(HASH, ALICE, '10.0.0.1')),
  );
  t.same(countKinds(verdicts), { valid: 1_000, overloaded: 10 });
});

t.test('whose turn comes too late is sent away', async (t) => {
  const watched = new Watched();
  const { verifier } = watched;
  const pending = Array.from({ length: 5 }, (_, count) => verifier.verify(HASH, ALICE, `10.0.0.${count}`));
  watched.nowMs = 5_001;
  t.same(countKinds(await Promise.all(pending)), { valid: 2, overloaded: 3 });
});
