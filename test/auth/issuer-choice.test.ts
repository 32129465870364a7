/** Which of several issuers vouches for a token. */
import fc from 'fast-check';
import t from 'tap';
import { IssuerChoice } from '../../lib/auth/issuer-choice.ts';
import { Materials } from '../../lib/auth/materials.ts';
import { TokenIssuer, type TokenVerdict } from '../../lib/auth/token-issuer.ts';
import type { Issuer } from '../../lib/core/config/model.ts';
import { CLAIMS, KEY_SET, KEYS_URL, NOW_MS, NOW_SEC, RSA, setOf, signed } from './issuer-maker.ts';
import { jwkOf, makeKey } from './jwt-maker.ts';

const OTHER_KEY = makeKey('RS256');
const OTHER_KEYS = setOf(jwkOf(OTHER_KEY.publicKey, { kid: 'rsa' }));
const SAME_NAME: Issuer = { issuer: CLAIMS.iss, audience: ['orders'], algorithms: ['RS256'] };

/** Issuers by id, in the order of the route. */
class Issuers {
  readonly materials = new Materials(() => {});
  readonly choice: IssuerChoice;
  readonly #issuers = new Map<string, TokenIssuer>();

  constructor(issuers: Readonly<Record<string, Partial<Issuer>>>) {
    for (const [id, changes] of Object.entries(issuers)) {
      this.#issuers.set(id, new TokenIssuer(id, { ...SAME_NAME, ...changes }, this.materials));
    }
    this.choice = new IssuerChoice(Object.keys(issuers), this);
  }

  issuer(id: string): TokenIssuer | undefined {
    return this.#issuers.get(id);
  }

  remove(id: string): void {
    this.#issuers.delete(id);
  }

  async judge(token: string): Promise<string> {
    return outcomeOf(await this.choice.judge(token, NOW_MS));
  }
}

/** Who vouches for it, or why nobody does. */
function outcomeOf(verdict: TokenVerdict): string {
  return verdict.kind === 'valid' ? verdict.token.issuer.id : verdict.kind;
}

t.test('the first that finds a token valid vouches for it, whatever others remember', async (t) => {
  const issuers = new Issuers({
    a: { jwks: KEY_SET, audience: ['x'] },
    b: { jwks: KEY_SET, audience: ['y'] },
  });
  const onlyForB = signed({ aud: 'y' });
  t.equal(await issuers.judge(onlyForB), 'b');
  t.equal(await issuers.judge(onlyForB), 'b', 'also when it is remembered');
  const forBoth = signed({ aud: ['x', 'y'] });
  t.equal(issuers.issuer('b')!.verify(forBoth, NOW_MS) instanceof Promise, false);
  t.ok(issuers.issuer('b')!.recall(forBoth, NOW_MS), 'another route knows it by b');
  t.equal(await issuers.judge(forBoth), 'a');
});

t.test('property: what was verified before, by whomever, never changes who vouches', async () => {
  const audience = fc.uniqueArray(fc.constantFrom('x', 'y'), { minLength: 1 });
  const issuer = fc.record({
    audience,
    issuer: fc.constantFrom(CLAIMS.iss, 'https://other.example.com/'),
    jwks: fc.constantFrom(KEY_SET, OTHER_KEYS),
  });
  const token = fc
    .tuple(audience, fc.constantFrom(RSA, OTHER_KEY), fc.constantFrom(600, -600))
    .map(([aud, key, seconds]) => signed({ aud, exp: NOW_SEC + seconds }, {}, key));
  await fc.assert(
    fc.asyncProperty(
      fc.array(issuer, { minLength: 2, maxLength: 4 }),
      token,
      fc.array(fc.nat(3), { maxLength: 4 }),
      async (settings, asked, askers) => {
        const named = Object.fromEntries(settings.map((one, index) => [`issuer-${index}`, one]));
        const [fresh, used] = [new Issuers(named), new Issuers(named)];
        for (const index of askers) await used.issuer(`issuer-${index}`)?.verify(asked, NOW_MS);
        return (await fresh.judge(asked)) === (await used.judge(asked));
      },
    ),
    { numRuns: 200 },
  );
});

t.test("an issuer whose keys are missing, or who finds it expired, stands in nobody's way", async (t) => {
  const missing = { jwksUrl: KEYS_URL };
  const strict = { jwks: KEY_SET, clockToleranceSec: 0 };
  const lenient = { jwks: KEY_SET, clockToleranceSec: 60 };
  const issuers = new Issuers({ missing, strict, lenient });
  issuers.materials.take([{ name: `jwks:${KEYS_URL}`, value: null }]);
  for (const time of ['first', 'again']) {
    t.equal(await issuers.judge(signed({ exp: NOW_SEC - 30 })), 'lenient', time);
    t.equal(await issuers.judge(signed()), 'strict', time);
  }
});

t.test('where nobody vouches: expired if it is genuine, else unavailable if keys are missing', async (t) => {
  const issuers = new Issuers({ missing: { jwksUrl: KEYS_URL }, there: { jwks: KEY_SET } });
  issuers.materials.take([{ name: `jwks:${KEYS_URL}`, value: null }]);
  t.equal(await issuers.judge(signed({ exp: NOW_SEC - 60 })), 'expired', 'no key makes it younger');
  const byOther = signed({}, {}, OTHER_KEY);
  t.equal(await issuers.judge(byOther), 'unavailable', 'the missing key may be the one');
  t.equal(await issuers.judge(signed({ aud: 'another' })), 'invalid');
  t.equal(await issuers.judge(signed({ exp: NOW_SEC - 60 }, {}, OTHER_KEY)), 'invalid', 'forged or not');
  t.equal(await issuers.judge(signed({}, { alg: 'ES256' })), 'invalid', 'an algorithm of neither');
  issuers.materials.take([{ name: `jwks:${KEYS_URL}`, value: JSON.stringify(OTHER_KEYS) }]);
  t.equal(await issuers.judge(byOther), 'missing');
});

t.test('a token of another name, of none, or that is no token is of nobody', async (t) => {
  const issuers = new Issuers({
    a: { jwks: KEY_SET },
    b: { jwks: KEY_SET, issuer: 'https://b.example.com/' },
  });
  t.equal(await issuers.judge(signed({ iss: 'https://b.example.com/' })), 'b');
  for (const token of [signed({ iss: 'https://c.example.com/' }), signed({ iss: undefined }), 'a.b', '']) {
    t.equal(await issuers.judge(token), 'invalid');
  }
});

t.test('an issuer that is gone vouches for nothing more', async (t) => {
  const issuers = new Issuers({ a: { jwks: KEY_SET }, b: { jwks: KEY_SET } });
  const token = signed();
  t.equal(await issuers.judge(token), 'a');
  issuers.remove('a');
  t.equal(await issuers.judge(token), 'b');
  issuers.remove('b');
  t.equal(await issuers.judge(token), 'invalid');
  const single = new Issuers({ a: { jwks: KEY_SET } });
  single.remove('a');
  t.equal(await single.judge(token), 'invalid');
});

t.test(
  'several that wait for their keys wait at the same time, and the first still goes before',
  async (t) => {
    const urls = [KEYS_URL, `${KEYS_URL}/2`, `${KEYS_URL}/3`];
    const [one = '', two = '', three = ''] = urls;
    const issuers = new Issuers({ one: { jwksUrl: one }, two: { jwksUrl: two }, three: { jwksUrl: three } });
    const pending = issuers.judge(signed());
    const keys = JSON.stringify(KEY_SET);
    issuers.materials.take([{ name: `jwks:${three}`, value: keys }]);
    issuers.materials.take([{ name: `jwks:${two}`, value: keys }]);
    issuers.materials.take([{ name: `jwks:${one}`, value: JSON.stringify(OTHER_KEYS) }]);
    t.equal(
      await pending,
      'two',
      'had they waited one after the other, the keys of two would have come too early',
    );
  },
);
