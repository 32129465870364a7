import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type JwtSettings, JwtVerifier } from '../../lib/auth/jwt-verifier.ts';
import { jwkOf, makeHmacJwt, makeJwt, makeKey, makeUnsignedJwt, type SigningKey } from './jwt-maker.ts';

const NOW_MS = Date.parse('2030-01-01T00:00:00.000Z');
const NOW_SEC = NOW_MS / 1_000;
const CLAIMS = {
  iss: 'https://idp.example.com/',
  aud: 'gateway-admin',
  sub: 'alice',
  exp: NOW_SEC + 60,
  roles: ['operator'],
};
const rsa = makeKey('RS256');
const rsaKey = jwkOf(rsa.publicKey, { kid: 'rsa' });

interface Options extends Partial<JwtSettings> {
  readonly keys?: readonly object[];
}

async function open(t: Test, { keys = [rsaKey], ...settings }: Options = {}) {
  const keysFile = join(t.testdir(), 'jwks.json');
  writeFileSync(keysFile, JSON.stringify({ keys }));
  const problems: string[] = [];
  const verifier = await JwtVerifier.open(
    {
      issuer: CLAIMS.iss,
      audience: CLAIMS.aud,
      keysFile,
      roleClaim: 'roles',
      clockToleranceSec: 30,
      ...settings,
    },
    (problem) => problems.push(problem),
  );
  return { verifier, keysFile, problems };
}

const signed = (claims: object = {}, header: object = {}, key: SigningKey = rsa): string =>
  makeJwt(key, { alg: key.algorithm, typ: 'JWT', kid: 'rsa', ...header }, { ...CLAIMS, ...claims });

t.test('each supported algorithm is verified with a key of its type', async (t) => {
  for (const algorithm of ['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA']) {
    const key = makeKey(algorithm);
    const { verifier } = await open(t, { keys: [jwkOf(key.publicKey, { kid: 'k' }), rsaKey] });
    const token = signed({}, { kid: 'k' }, key);
    t.same(
      await verifier.verify(token, NOW_MS),
      { kind: 'valid', subject: 'alice', role: 'operator' },
      algorithm,
    );
    const [header, , signature] = token.split('.');
    const claims = Buffer.from(JSON.stringify({ ...CLAIMS, roles: ['admin'] })).toString('base64url');
    t.match(await verifier.verify(`${header}.${claims}.${signature}`, NOW_MS), { kind: 'invalid' });
    t.match(
      await verifier.verify(signed({}, { kid: 'rsa' }, key), NOW_MS),
      { kind: 'invalid' },
      'with another key',
    );
  }
});

t.test('a public key is never taken for a shared secret, and a signature is never left out', async (t) => {
  const { verifier } = await open(t);
  const pems = (['spki', 'pkcs1'] as const).map((type) => rsa.publicKey.export({ type, format: 'pem' }));
  const secrets = [...pems, ...pems.map((pem) => String(pem).trim()), JSON.stringify(rsaKey), '', 'secret'];
  for (const secret of secrets) {
    const token = makeHmacJwt(secret, { alg: 'HS256', typ: 'JWT', kid: 'rsa' }, CLAIMS);
    t.match(await verifier.verify(token, NOW_MS), { kind: 'invalid' });
    const disguised = makeHmacJwt(secret, { alg: 'RS256', typ: 'JWT', kid: 'rsa' }, CLAIMS);
    t.match(await verifier.verify(disguised, NOW_MS), { kind: 'invalid' });
  }
  for (const alg of ['none', 'None', 'NONE', '', 'RS256', undefined, null, ['RS256']]) {
    t.match(
      await verifier.verify(makeUnsignedJwt({ alg, kid: 'rsa' }, CLAIMS), NOW_MS),
      { kind: 'invalid' },
      `${alg}`,
    );
  }
  const withoutSignature = signed().replace(/[^.]*$/, '');
  t.match(await verifier.verify(withoutSignature, NOW_MS), { kind: 'invalid' });
});

t.test('an algorithm that the key is not for is refused', async (t) => {
  const { verifier } = await open(t, { keys: [jwkOf(rsa.publicKey, { kid: 'rsa', alg: 'RS256' })] });
  const as = (algorithm: string) => ({ ...rsa, algorithm });
  t.match(await verifier.verify(signed(), NOW_MS), { kind: 'valid' });
  for (const algorithm of ['PS256', 'RS384', 'RS512']) {
    t.match(await verifier.verify(signed({}, {}, as(algorithm)), NOW_MS), { kind: 'invalid' }, algorithm);
  }
});

t.test('keys that the token brings along or points to are not looked at', async (t) => {
  const { verifier } = await open(t);
  const attacker = makeKey('RS256');
  const jwk = jwkOf(attacker.publicKey, { kid: 'rsa' });
  for (const header of [
    { jwk },
    { jwk, kid: undefined },
    { jku: 'https://attacker.example/jwks' },
    { x5u: 'https://a' },
  ]) {
    t.match(await verifier.verify(signed({}, header, attacker), NOW_MS), { kind: 'invalid' });
    t.match(await verifier.verify(signed({}, header), NOW_MS), { kind: 'valid' }, 'nor do they harm');
  }
});

t.test('kid selects the key by equality; without one there must be no choice', async (t) => {
  const single = await open(t);
  t.match(await single.verifier.verify(signed({}, { kid: undefined }), NOW_MS), { kind: 'valid' });
  const two = await open(t, { keys: [rsaKey, jwkOf(makeKey('ES256').publicKey, { kid: 'other' })] });
  t.match(await two.verifier.verify(signed(), NOW_MS), { kind: 'valid' });
  for (const kid of [undefined, 'RSA', '', null, 0, ['rsa'], '__proto__', '../rsa', "rsa' OR '1'='1"]) {
    t.match(await two.verifier.verify(signed({}, { kid }), NOW_MS), { kind: 'invalid' }, JSON.stringify(kid));
  }
});

t.test('a critical extension is refused, whatever it is', async (t) => {
  const { verifier } = await open(t);
  for (const crit of [['exp'], ['x'], [], 'x', null, false, 0]) {
    const token = signed({}, { crit, x: 1 });
    t.match(await verifier.verify(token, NOW_MS), { kind: 'invalid' }, JSON.stringify(crit));
  }
});

t.test('issuer, audience, subject and expiry must be there and be right', async (t) => {
  const { verifier } = await open(t);
  t.match(await verifier.verify(signed({ aud: ['a', CLAIMS.aud] }), NOW_MS), { kind: 'valid' });
  const wrong: Record<string, readonly unknown[]> = {
    iss: [undefined, null, 'https://idp.example.com', [CLAIMS.iss]],
    aud: [undefined, null, 'gateway', [], ['gateway-admin2'], { 0: CLAIMS.aud }],
    sub: [undefined, null, '', 5, 'a\nb', 'x'.repeat(257), '\u202eecila'],
    exp: [undefined, null, String(NOW_SEC + 60), {}],
    nbf: [null, '0', {}],
  };
  for (const [claim, values] of Object.entries(wrong)) {
    for (const value of values) {
      const result = await verifier.verify(signed({ [claim]: value }), NOW_MS);
      t.equal(result.kind, 'invalid', `${claim} ${JSON.stringify(value)}`);
    }
  }
});

t.test('times count with the tolerance for clocks and not beyond it', async (t) => {
  const { verifier } = await open(t);
  const verify = (claims: object) => verifier.verify(signed(claims), NOW_MS);
  t.match(await verify({ exp: NOW_SEC - 29 }), { kind: 'valid' });
  t.match(await verify({ exp: NOW_SEC - 30 }), { kind: 'expired', reason: 'it has expired' });
  t.match(await verify({ exp: -1 }), { kind: 'expired' });
  t.match(await verify({ nbf: NOW_SEC + 30 }), { kind: 'valid' });
  t.match(await verify({ nbf: NOW_SEC + 31 }), { kind: 'invalid', reason: 'it is not valid yet' });
  await t.rejects(open(t, { clockToleranceSec: 61 }), /the clock tolerance for JWTs is 0 to 60 seconds/);
});

t.test('an expiry beyond all numbers is no expiry', async (t) => {
  const { verifier } = await open(t);
  // JSON.parse makes Infinity of it.
  const endless = JSON.stringify({ ...CLAIMS, exp: 0 }).replace('"exp":0', '"exp":1e400');
  const token = makeJwt(rsa, { alg: 'RS256', kid: 'rsa' }, endless);
  t.match(await verifier.verify(token, NOW_MS), { kind: 'invalid', reason: 'its exp is no time' });
  t.match(await verifier.verify(signed({ exp: 1e308 }), NOW_MS), { kind: 'invalid' });
});

t.test('the highest role counts; without one it is known who it is, but not let in', async (t) => {
  const { verifier } = await open(t);
  const verify = (roles: unknown) => verifier.verify(signed({ roles }), NOW_MS);
  t.match(await verify(['reader', 'admin', 'x']), { role: 'admin' });
  t.match(await verify('reader'), { role: 'reader' });
  for (const roles of [undefined, null, [], 'Admin', { admin: true }, [['admin']], 'reader admin']) {
    t.match(await verify(roles), {
      kind: 'no-role',
      subject: 'alice',
      reason: /its claim "roles" has none of/,
    });
  }
  const custom = await open(t, { roleClaim: 'https://example.com/role' });
  t.match(await custom.verifier.verify(signed({ 'https://example.com/role': 'admin' }), NOW_MS), {
    role: 'admin',
  });
  const inherited = await open(t, { roleClaim: 'constructor' });
  t.match(await inherited.verifier.verify(signed(), NOW_MS), { kind: 'no-role' });
});

t.test('what is no JWT is refused', async (t) => {
  const { verifier } = await open(t);
  const token = signed();
  for (const text of [
    '',
    '.',
    '..',
    '...',
    'a.b.c',
    'e30.e30.',
    'bnVsbA.bnVsbA.',
    `${token}=`,
    `${token}.x`,
    ` ${token}`,
  ]) {
    t.match(await verifier.verify(text, NOW_MS), { kind: 'invalid' }, text.slice(0, 20));
  }
});

t.test('a key that the issuer adds is known at once, and a broken file changes nothing', async (t) => {
  const { verifier, keysFile, problems } = await open(t);
  const added = makeKey('ES256');
  const token = signed({}, { kid: 'added' }, added);
  t.match(await verifier.verify(token, NOW_MS), { kind: 'invalid' });
  writeFileSync(keysFile, JSON.stringify({ keys: [rsaKey, jwkOf(added.publicKey, { kid: 'added' })] }));
  t.match(await verifier.verify(token, NOW_MS + 200), { kind: 'valid' });
  writeFileSync(keysFile, '{"keys":[{"kty":"oct","k":"AAAA"}]}');
  t.match(await verifier.verify(token, NOW_MS + 1_000), { kind: 'valid' });
  t.match(problems, [/cannot use .*jwks\.json: key 1 is symmetric/]);
});

t.test('a start without usable keys or settings is refused', async (t) => {
  await t.rejects(open(t, { keys: [] }), /jwks\.json: it has no usable key/);
  await t.rejects(
    open(t, { keysFile: '/nonexistent/jwks.json' }),
    /cannot use \/nonexistent\/jwks\.json: there is no such file/,
  );
  await t.rejects(open(t, { issuer: '' }), /need both an issuer and an audience/);
  await t.rejects(open(t, { audience: '' }), /need both an issuer and an audience/);
});
