/** Where the keys of an issuer come from, and how they change while tokens come. */
import t from 'tap';
import { Materials } from '../../lib/auth/materials.ts';
import type { TokenIssuer, TokenVerdict } from '../../lib/auth/token-issuer.ts';
import type { Issuer } from '../../lib/core/config/model.ts';
import { CLAIMS, KEY_SET, KEYS_URL, makeIssuer, NOW_MS, setOf, signed } from './issuer-maker.ts';
import { jwkOf, makeHmacJwt, makeKey } from './jwt-maker.ts';

const NAME = `jwks:${KEYS_URL}`;
const KEYS = JSON.stringify(KEY_SET);
const next = makeKey('RS256');
const WITH_NEXT = JSON.stringify(setOf(...KEY_SET.keys, jwkOf(next.publicKey, { kid: 'next' })));
const ONLY_NEXT = JSON.stringify(setOf(jwkOf(next.publicKey, { kid: 'next' })));
const byNext = (claims: object = {}) => signed(claims, { kid: 'next' }, next);

interface World {
  readonly issuer: TokenIssuer;
  readonly materials: Materials;
  /** Names that newer ones were asked for. */
  readonly asked: string[];
  readonly say: (value: string | null) => void;
  /** Answers a question; unless it says otherwise, the key server was asked. */
  readonly settle: (hasLooked?: boolean) => void;
}

/** An issuer with a key server; `answer` is what the primary does when it is asked for newer keys. */
function open(first: string | null | undefined, answer: (world: World) => void = () => {}): World {
  const asked: string[] = [];
  const materials = new Materials((name) => {
    asked.push(name);
    answer(world);
  });
  const say = (value: string | null) => materials.take([{ name: NAME, value }]);
  const issuer = makeIssuer({ jwksUrl: KEYS_URL }, materials);
  const settle = (hasLooked = true) => materials.settle(NAME, hasLooked);
  const world: World = { issuer, materials, asked, say, settle };
  if (first !== undefined) say(first);
  return world;
}

/** The primary answers a question after the one who asked began to wait. */
const later = (action: () => void) => setImmediate(action);
const answerWith =
  (keys: string) =>
  ({ say, settle }: World) =>
    later(() => {
      say(keys);
      settle();
    });
const kindNow = (issuer: TokenIssuer, token: string, nowMs = NOW_MS) =>
  (issuer.verify(token, nowMs) as TokenVerdict).kind;
const kindOf = async (issuer: TokenIssuer, token: string, nowMs = NOW_MS) =>
  (await issuer.verify(token, nowMs)).kind;

t.test('keys come from each source that an issuer can name', async (t) => {
  const secret = 's'.repeat(32);
  const byRsa = signed();
  const sources: [Partial<Issuer>, string, string, string][] = [
    [{ jwksUrl: KEYS_URL }, NAME, KEYS, byRsa],
    [{ jwksFile: '/keys.json' }, 'file:/keys.json', KEYS, byRsa],
    [
      { secretFile: '/secret', algorithms: ['HS256'] },
      'file:/secret',
      `${secret}\n`,
      makeHmacJwt(secret, { alg: 'HS256' }, CLAIMS),
    ],
    [
      { secretEnv: 'SECRET', algorithms: ['HS256'] },
      'env:SECRET',
      secret,
      makeHmacJwt(secret, { alg: 'HS256' }, CLAIMS),
    ],
  ];
  for (const [source, name, value, token] of sources) {
    const materials = new Materials(() => t.fail('nothing newer is needed'));
    const issuer = makeIssuer(source, materials);
    materials.take([{ name, value }]);
    t.equal(kindNow(issuer, token), 'valid', name);
    t.equal(issuer.problem, null);
  }
});

t.test('before the first word on the keys, who comes waits for it', async (t) => {
  const { issuer, say } = open(undefined);
  const verdicts = [issuer.verify(signed(), NOW_MS), issuer.verify(signed({ sub: 'bob' }), NOW_MS)];
  t.equal(issuer.problem, null);
  later(() => say(KEYS));
  t.same(
    (await Promise.all(verdicts)).map(({ kind }) => kind),
    ['valid', 'valid'],
  );
});

t.test('what no key could make valid does not wait', async (t) => {
  const { issuer } = open(undefined);
  t.equal(kindNow(issuer, 'no token'), 'invalid');
  t.equal(kindNow(issuer, signed({ iss: 'x' })), 'invalid');
  t.equal(kindNow(issuer, signed({ exp: 0 })), 'invalid', 'nobody knows whether it is genuine');
  t.equal(kindNow(issuer, signed({}, { alg: 'ES384' })), 'invalid', 'no key of the issuer is for that');
});

t.test('without any key, tokens are not invalid but cannot be judged', async (t) => {
  const { issuer, say, asked } = open(undefined);
  const waiting = issuer.verify(signed(), NOW_MS);
  later(() => say(null));
  t.same(await waiting, { kind: 'unavailable', reason: 'the keys could not be got' });
  t.same(issuer.verify(signed(), NOW_MS), { kind: 'unavailable', reason: 'the keys could not be got' });
  t.equal(issuer.problem, 'the keys could not be got');
  t.same(asked, [], 'the primary tries by itself');
  say(KEYS);
  t.equal(kindNow(issuer, signed()), 'valid');
  t.equal(issuer.problem, null);
});

t.test('keys that the primary gives up verify nothing more, cached or not', async (t) => {
  const { issuer, say } = open(KEYS);
  const token = signed();
  t.equal(kindNow(issuer, token), 'valid');
  say(null);
  t.equal(kindNow(issuer, token), 'unavailable');
  t.equal(kindNow(issuer, signed({ sub: 'bob' })), 'unavailable');
});

t.test('a material that cannot be used changes nothing, and says why', async (t) => {
  const { issuer, say } = open(KEYS);
  t.equal(kindNow(issuer, signed()), 'valid');
  for (const broken of ['', '{', '{"keys":[]}', '{"keys":[{"kty":"oct","k":"AA"}]}', KEYS.slice(0, 100)]) {
    say(broken);
    t.equal(kindNow(issuer, signed()), 'valid', broken.slice(0, 30));
    t.equal(kindNow(issuer, signed({ sub: 'bob' })), 'valid');
    t.match(issuer.problem, /^the keys cannot be used: it (is not valid JSON|has no usable key)/);
  }
  say(ONLY_NEXT);
  t.equal(issuer.problem, null);
  t.equal(kindNow(issuer, byNext()), 'valid');
});

t.test('a secret that is too short leaves the issuer without keys', async (t) => {
  const materials = new Materials(() => {});
  const issuer = makeIssuer({ secretEnv: 'SECRET', algorithms: ['HS256'] }, materials);
  materials.take([{ name: 'env:SECRET', value: 's'.repeat(31) }]);
  t.match(issuer.verify(makeHmacJwt('s'.repeat(31), { alg: 'HS256' }, CLAIMS), NOW_MS), {
    kind: 'unavailable',
    reason: 'the keys cannot be used: the secret has 31 bytes: HS256 needs 32 or more (RFC 7518 §3.2)',
  });
});

t.test(
  'a new key is known without asking, and a removed one verifies nothing, not even what it did',
  async (t) => {
    const { issuer, say, settle, asked } = open(KEYS, ({ settle }) => later(() => settle()));
    const token = signed();
    t.equal(kindNow(issuer, token), 'valid');
    say(WITH_NEXT);
    t.equal(kindNow(issuer, byNext()), 'valid');
    t.equal(kindNow(issuer, token), 'valid');
    t.same(asked, []);
    say(ONLY_NEXT);
    t.equal(await kindOf(issuer, token), 'invalid');
    t.equal(kindNow(issuer, byNext()), 'valid');
    settle();
  },
);

t.test(
  'a rotation loses no request: those with the new key wait for one look at the key server',
  async (t) => {
    const { issuer, asked } = open(KEYS, answerWith(WITH_NEXT));
    t.equal(kindNow(issuer, signed()), 'valid');
    const verdicts = Array.from({ length: 50 }, (_, index) =>
      kindOf(issuer, byNext({ sub: `user-${index}` })),
    );
    t.equal(kindNow(issuer, signed({ sub: 'bob' })), 'valid', 'others do not wait');
    t.same(new Set(await Promise.all(verdicts)), new Set(['valid']));
    t.same(asked, [NAME]);
  },
);

t.test('the first word may be old: a key that it lacks is asked for', async (t) => {
  const { issuer, say, asked } = open(undefined, answerWith(WITH_NEXT));
  const verdict = issuer.verify(byNext(), NOW_MS);
  later(() => say(KEYS));
  t.match(await verdict, { kind: 'valid' });
  t.same(asked, [NAME]);
});

t.test('a key that there is none of is asked for once in 30 seconds', async (t) => {
  const { issuer, asked } = open(KEYS, ({ settle }) => later(() => settle()));
  t.equal(await kindOf(issuer, byNext()), 'invalid');
  t.equal(asked.length, 1);
  for (const nowMs of [NOW_MS, NOW_MS + 1, NOW_MS + 29_999])
    t.equal(kindNow(issuer, byNext(), nowMs), 'invalid');
  t.equal(asked.length, 1);
  t.equal(await kindOf(issuer, byNext(), NOW_MS + 30_000), 'invalid');
  t.equal(asked.length, 2);
});

t.test(
  'a key is refused, but not taken for unknown, where the key server was not asked for it',
  async (t) => {
    let answers = 0;
    const { issuer, asked } = open(KEYS, (world) => {
      answers += 1;
      if (answers === 1) later(() => world.settle(false));
      else answerWith(WITH_NEXT)(world);
    });
    t.equal(await kindOf(issuer, byNext()), 'invalid');
    for (const nowMs of [NOW_MS, NOW_MS + 999]) {
      t.equal(kindNow(issuer, byNext(), nowMs), 'invalid', 'without a wait, as nothing may be asked yet');
    }
    t.equal(asked.length, 1);
    t.equal(await kindOf(issuer, byNext(), NOW_MS + 1_000), 'valid');
    t.equal(asked.length, 2);
  },
);

t.test('whoever makes up key ids has one question asked a second at most', async (t) => {
  const { issuer, asked } = open(KEYS, ({ settle }) => later(() => settle(false)));
  for (let count = 0; count < 100; count += 1) {
    const token = signed({}, { kid: `random-${count}` });
    t.equal(await kindOf(issuer, token, NOW_MS + count * 25), 'invalid');
  }
  t.equal(asked.length, 3, 'at the beginning, after 1 s and after 2 s');
});

t.test('a key that was named while the key server was being asked is not taken for unknown', async (t) => {
  const { issuer, asked, settle } = open(KEYS);
  const verdicts = [
    issuer.verify(signed({}, { kid: 'unknown' }), NOW_MS),
    issuer.verify(byNext(), NOW_MS + 500),
  ];
  settle();
  t.same(
    (await Promise.all(verdicts)).map(({ kind }) => kind),
    ['invalid', 'invalid'],
  );
  const again = issuer.verify(byNext(), NOW_MS + 1_500);
  t.equal(asked.length, 2, 'the answer may have been made before that key was');
  t.equal(kindNow(issuer, signed({}, { kid: 'unknown' }), NOW_MS + 1_500), 'invalid');
  settle();
  await again;
});

t.test('a key that comes after all is known at once', async (t) => {
  const { issuer, say } = open(KEYS, ({ settle }) => later(() => settle()));
  t.equal(await kindOf(issuer, byNext()), 'invalid');
  say(WITH_NEXT);
  t.equal(kindNow(issuer, byNext()), 'valid');
});

t.test('a clock that is set back does not lengthen that', async (t) => {
  const { issuer, asked } = open(KEYS, ({ settle }) => later(() => settle()));
  t.equal(await kindOf(issuer, byNext()), 'invalid');
  t.equal(await kindOf(issuer, byNext(), NOW_MS - 60_000), 'invalid');
  t.equal(asked.length, 2);
});

t.test('random key ids share one question at a time', async (t) => {
  const { issuer, asked } = open(KEYS, ({ settle }) => later(() => settle()));
  const verdicts = Array.from({ length: 500 }, (_, index) =>
    kindOf(issuer, signed({}, { kid: `random-${index}` })),
  );
  t.same(new Set(await Promise.all(verdicts)), new Set(['invalid']));
  t.equal(asked.length, 1);
});

t.test('nothing is asked for what newer keys could not mend', async (t) => {
  const { issuer } = open(KEYS, () => t.fail('asked'));
  const tokens = [
    signed({}, { kid: 'unknown', alg: 'ES384' }),
    signed({}, { kid: 'unknown', alg: 'none' }),
    signed({}, { kid: 'ec' }),
    signed({ iss: 'https://other.example/' }, { kid: 'unknown' }),
    signed({ exp: 1 }, { kid: 'unknown' }),
    signed({}, { kid: 'rsa' }, makeKey('RS256')),
  ];
  for (const token of tokens) t.not(kindNow(issuer, token), 'valid');
  const materials = new Materials(() => t.fail('asked'));
  const fromFile = makeIssuer({ jwksFile: '/keys.json' }, materials);
  materials.take([{ name: 'file:/keys.json', value: KEYS }]);
  t.equal(kindNow(fromFile, byNext()), 'invalid', 'files are looked at all the time');
});

t.test('a token that was verified is remembered, and its times count each time', async (t) => {
  const { issuer } = open(KEYS);
  const token = signed({ nbf: NOW_MS / 1_000 - 10, exp: NOW_MS / 1_000 + 10 });
  t.equal(issuer.recall(token, NOW_MS), null);
  const first = issuer.verify(token, NOW_MS);
  t.equal(issuer.verify(token, NOW_MS + 1_000), first, 'the very same verdict');
  t.equal(issuer.recall(token, NOW_MS + 39_999), first);
  t.match(issuer.verify(token, NOW_MS + 40_000), { kind: 'expired' });
  t.match(issuer.recall(token, NOW_MS + 40_000), { kind: 'expired' });
  t.match(issuer.verify(token, NOW_MS - 40_001), { kind: 'invalid', reason: 'it is not valid yet' });
  t.equal(issuer.verify(token, NOW_MS - 40_000), first);
});

t.test('what was refused is not remembered', async (t) => {
  const { issuer } = open(KEYS);
  const early = signed({ nbf: NOW_MS / 1_000 + 60 });
  t.equal(kindNow(issuer, early), 'invalid');
  t.equal(issuer.recall(early, NOW_MS), null);
  t.equal(kindNow(issuer, early, NOW_MS + 60_000), 'valid');
});

t.test('keys that come again unchanged cost no verified token', async (t) => {
  const { issuer, say } = open(KEYS);
  const first = issuer.verify(signed(), NOW_MS);
  say(JSON.stringify(JSON.parse(KEYS)));
  t.equal(issuer.verify(signed(), NOW_MS), first);
  t.equal((first as TokenVerdict).kind, 'valid');
});
