import t from 'tap';
import type { TokenIssuer, TokenVerdict, VerifiedToken } from '../../lib/auth/token-issuer.ts';
import type { Issuer, JwtAlgorithm } from '../../lib/core/config/model.ts';
import {
  CLAIMS,
  EC,
  makeIssuer,
  materialsWith,
  NOW_MS,
  NOW_SEC,
  RSA,
  setOf,
  signed,
} from './issuer-maker.ts';
import { jwkOf, makeHmacJwt, makeJwt, makeKey } from './jwt-maker.ts';

/** Verdicts come at once where the keys stand in the issuer. */
function verify(issuer: TokenIssuer, token: string, nowMs = NOW_MS): TokenVerdict {
  return issuer.verify(token, nowMs) as TokenVerdict;
}

const kindOf = (issuer: TokenIssuer, token: string) => verify(issuer, token).kind;

function describe(claims: object, changes: Partial<Issuer> = {}): VerifiedToken | null {
  const verdict = verify(makeIssuer(changes), signed(claims));
  return verdict.kind === 'valid' ? verdict.token : null;
}

t.test('each algorithm is verified with a key of its type', async (t) => {
  const algorithms: JwtAlgorithm[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
  for (const algorithm of [...algorithms, 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed448'] as const) {
    const key = { ...makeKey(algorithm), algorithm: algorithm === 'Ed448' ? 'EdDSA' : algorithm };
    const jwks = setOf(jwkOf(key.publicKey, { kid: 'k' }));
    const issuer = makeIssuer({ jwks, algorithms: [key.algorithm as JwtAlgorithm] });
    t.equal(kindOf(issuer, signed({}, { kid: 'k' }, key)), 'valid', algorithm);
    const other = { ...makeKey(algorithm), algorithm: key.algorithm };
    t.equal(kindOf(issuer, signed({}, { kid: 'k' }, other)), 'invalid', `${algorithm} by another key`);
  }
});

t.test('a verdict tells who comes, with what they may do', async (t) => {
  const claims = { scope: 'read  write ', roles: ['a', 5, 'b'], tenant: { id: 7 } };
  t.match(verify(makeIssuer(), signed(claims)), {
    kind: 'valid',
    token: {
      subject: 'alice',
      claims: { ...CLAIMS, ...claims },
      scopes: ['read', 'write'],
      roles: ['a', 'b'],
    },
  });
  t.equal(describe({ sub: undefined })?.subject, '');
});

t.test('scopes and roles come from the claims that the issuer names', async (t) => {
  t.same(describe({ scope: ['a b', 1, 'c'] })?.scopes, ['a b', 'c']);
  t.same(describe({ scp: ['a', 'b'] })?.scopes, ['a', 'b']);
  t.same(describe({ scope: 'a', scp: 'b' })?.scopes, ['a']);
  t.same(describe({ scope: 'a', permissions: { all: 'x y' } }, { scopeClaim: 'permissions.all' })?.scopes, [
    'x',
    'y',
  ]);
  for (const scope of [undefined, null, 5, {}, true, '', ' ']) t.same(describe({ scope })?.scopes, []);
  t.same(describe({ roles: 'site admin' })?.roles, ['site admin'], 'roles may have blanks');
  t.same(describe({ realm_access: { roles: ['x'] } }, { roleClaim: 'realm_access.roles' })?.roles, ['x']);
  t.same(describe({ roles: ['x'] }, { roleClaim: 'constructor' })?.roles, []);
});

t.test('the headers of claims are those of the issuer', async (t) => {
  t.same(makeIssuer().claimHeaders, []);
  const claimHeaders = { 'x-user': 'sub', 'x-tenant': 'tenant.id' };
  t.same(makeIssuer({ claimHeaders }).claimHeaders, [
    ['x-user', 'sub'],
    ['x-tenant', 'tenant.id'],
  ]);
});

t.test('issuer, audience and expiry must be there and be right', async (t) => {
  const issuer = makeIssuer();
  for (const aud of ['orders', 'https://api', ['x', 'orders']]) {
    t.equal(kindOf(issuer, signed({ aud })), 'valid', JSON.stringify(aud));
  }
  const wrong: Record<string, readonly unknown[]> = {
    iss: [
      undefined,
      null,
      '',
      'https://idp.example.com',
      `${CLAIMS.iss}x`,
      CLAIMS.iss.toUpperCase(),
      [CLAIMS.iss],
      {},
    ],
    aud: [
      undefined,
      null,
      '',
      'order',
      'orders2',
      'orders https://api',
      [],
      ['x'],
      [['orders']],
      ['orders', 1],
      { 0: 'orders' },
      7,
    ],
    sub: [null, 5, {}, ['alice']],
    exp: [undefined, null, String(NOW_SEC + 60), {}, [NOW_SEC + 60], true],
    nbf: [null, '0', {}, [0]],
    iat: [null, '0', {}, true],
  };
  for (const [claim, values] of Object.entries(wrong)) {
    for (const value of values) {
      t.equal(kindOf(issuer, signed({ [claim]: value })), 'invalid', `${claim} ${JSON.stringify(value)}`);
    }
  }
});

t.test('times count with the tolerance for clocks and not beyond it', async (t) => {
  const issuer = makeIssuer();
  const kind = (claims: object) => kindOf(issuer, signed(claims));
  t.equal(kind({ exp: NOW_SEC - 29.5 }), 'valid', 'times may have fractions');
  t.equal(kind({ exp: NOW_SEC - 30 }), 'expired');
  for (const exp of [0, -1, -1e300]) t.equal(kind({ exp }), 'expired', `${exp}`);
  t.equal(kind({ nbf: NOW_SEC + 30 }), 'valid');
  t.match(verify(issuer, signed({ nbf: NOW_SEC + 31 })), { kind: 'invalid', reason: 'it is not valid yet' });
  t.equal(kind({ iat: NOW_SEC + 3_600 }), 'valid', 'iat is no condition (RFC 7519 §4.1.6)');
  const strict = makeIssuer({ clockToleranceSec: 0 });
  t.equal(kindOf(strict, signed({ exp: NOW_SEC })), 'expired');
  t.equal(kindOf(strict, signed({ nbf: NOW_SEC + 1 })), 'invalid');
});

t.test(
  'only of a genuine token it is said that it has expired, and its signature is checked once',
  async (t) => {
    const issuer = makeIssuer();
    const old = { exp: NOW_SEC - 60 };
    for (const forged of [
      signed(old, {}, makeKey('RS256')),
      signed(old, { kid: 'unknown' }),
      signed(old, { kid: 'ec' }),
      `${signed(old).slice(0, -8)}AAAAAAAA`,
    ]) {
      t.equal(kindOf(issuer, forged), 'invalid');
      t.equal(issuer.recall(forged, NOW_MS), null, 'what is forged takes no room');
    }
    const genuine = signed(old);
    t.equal(kindOf(issuer, genuine), 'expired');
    t.match(issuer.recall(genuine, NOW_MS), { kind: 'expired' }, 'it is remembered');
    t.match(issuer.recall(genuine, NOW_MS - 60_000), { kind: 'valid' }, 'should the clock be set back');
  },
);

t.test('a time beyond all numbers is no time', async (t) => {
  for (const [claim, number] of [
    ['exp', '1e400'],
    ['exp', '1e306'],
    ['nbf', '-1e400'],
    ['iat', '1e400'],
  ] as const) {
    const claims = JSON.stringify({ ...CLAIMS, [claim]: 0 }).replace(`"${claim}":0`, `"${claim}":${number}`);
    const token = makeJwt(RSA, { alg: 'RS256', kid: 'rsa' }, claims);
    t.equal(kindOf(makeIssuer(), token), 'invalid', `${claim} ${number}`);
  }
});

t.test('an algorithm counts only where issuer, key type and key all allow it', async (t) => {
  const as = (algorithm: string) => ({ ...RSA, algorithm });
  const all: JwtAlgorithm[] = ['RS256', 'RS384', 'PS256', 'ES256'];
  const bound = makeIssuer({
    algorithms: all,
    jwks: setOf(jwkOf(RSA.publicKey, { kid: 'rsa', alg: 'PS256' })),
  });
  t.equal(kindOf(bound, signed({}, {}, as('PS256'))), 'valid');
  for (const algorithm of ['RS256', 'RS384', 'PS384']) {
    t.equal(kindOf(bound, signed({}, {}, as(algorithm))), 'invalid', `${algorithm} with a key for PS256`);
  }
  t.equal(kindOf(makeIssuer({ algorithms: ['ES256'] }), signed()), 'invalid', 'RS256 where ES256 is allowed');
  t.equal(
    kindOf(makeIssuer({ algorithms: all }), signed({}, { kid: 'ec' })),
    'invalid',
    'RS256 with an EC key',
  );
});

t.test('without a kid, the token must leave no choice', async (t) => {
  const withoutId = signed({}, { kid: undefined });
  t.equal(kindOf(makeIssuer(), withoutId), 'valid', 'one of the two keys is for RS256');
  const twoOfAKind = [jwkOf(RSA.publicKey, { kid: 'rsa' }), jwkOf(makeKey('RS256').publicKey, { kid: 'b' })];
  for (const keys of [twoOfAKind, twoOfAKind.toReversed()]) {
    const issuer = makeIssuer({ jwks: setOf(...keys) });
    t.equal(kindOf(issuer, withoutId), 'invalid');
    t.equal(kindOf(issuer, signed()), 'valid');
  }
  const nameless = makeIssuer({ jwks: setOf(jwkOf(RSA.publicKey)) });
  t.equal(kindOf(nameless, withoutId), 'valid');
  t.equal(kindOf(nameless, signed()), 'invalid', 'a name that no key has');
});

t.test('of two keys with one id, the algorithm tells which', async (t) => {
  const keys = [jwkOf(RSA.publicKey, { kid: 'k', alg: 'RS256' }), jwkOf(EC.publicKey, { kid: 'k' })];
  const issuer = makeIssuer({ jwks: setOf(...keys) });
  t.equal(kindOf(issuer, signed({}, { kid: 'k' })), 'valid');
  t.equal(kindOf(issuer, signed({}, { kid: 'k' }, EC)), 'valid');
  const twins = [...keys, jwkOf(makeKey('RS256').publicKey, { kid: 'k' })];
  for (const jwks of [setOf(...twins), setOf(...twins.toReversed())]) {
    t.equal(kindOf(makeIssuer({ jwks }), signed({}, { kid: 'k' })), 'invalid');
  }
});

t.test('one bad key does not cost the others', async (t) => {
  const bad = [
    { kty: 'RSA', kid: 'bad', e: 'AQAB' },
    { kty: 'oct', kid: 'oct', k: 'AAAA' },
    jwkOf(makeKey('ES256').privateKey, { kid: 'private' }),
    jwkOf(EC.publicKey, { kid: 5 }),
    'no key',
    { kty: 'LMS', kid: 'new' },
  ] as object[];
  const issuer = makeIssuer({ jwks: setOf(...bad, jwkOf(RSA.publicKey, { kid: 'rsa' })) });
  t.equal(kindOf(issuer, signed()), 'valid');
  t.equal(issuer.problem, null);
  const broken = makeIssuer({ jwks: setOf(...bad) });
  t.match(verify(broken, signed()), {
    kind: 'unavailable',
    reason: /^the keys cannot be used: it has no usable key \(key 1 is not a valid public key\): give RSA/,
  });
  t.match(broken.problem, /no usable key/);
});

t.test('typ and other members of the header change nothing', async (t) => {
  const issuer = makeIssuer();
  for (const header of [
    { typ: 'at+jwt' },
    { typ: 'x' },
    { typ: 5 },
    { cty: 'JWT' },
    { b64: true },
    { zip: 'DEF' },
  ]) {
    t.equal(kindOf(issuer, signed({}, header)), 'valid', JSON.stringify(header));
  }
});

t.test('a secret verifies what it signed, whatever the token calls it', async (t) => {
  for (const [algorithm, length] of [
    ['HS256', 32],
    ['HS384', 48],
    ['HS512', 64],
  ] as const) {
    const secret = 's'.repeat(length);
    const materials = materialsWith('env:SECRET', secret);
    const issuer = makeIssuer({ secretEnv: 'SECRET', algorithms: [algorithm] }, materials);
    for (const kid of [undefined, 'any']) {
      const token = makeHmacJwt(secret, { alg: algorithm, kid }, CLAIMS, algorithm);
      t.equal(kindOf(issuer, token), 'valid', algorithm);
    }
    t.equal(kindOf(issuer, makeHmacJwt(`${secret}x`, { alg: algorithm }, CLAIMS, algorithm)), 'invalid');
    t.equal(kindOf(issuer, makeHmacJwt('', { alg: algorithm }, CLAIMS, algorithm)), 'invalid');
  }
});
