import { createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import t from 'tap';
import { parseJwtKeys, readIssuerKeys } from '../../lib/auth/jwt-keys.ts';
import type { JwtAlgorithm } from '../../lib/core/config/model.ts';
import { jwkOf, makeKey } from './jwt-maker.ts';

const [rsa, p256, ed25519] = [makeKey('RS256'), makeKey('ES256'), makeKey('EdDSA')];

const setOf = (...keys: readonly object[]): string => JSON.stringify({ keys });
const algorithmsOf = (...keys: readonly object[]) =>
  parseJwtKeys(setOf(...keys)).map(({ algorithms }) => algorithms);
const publicKey = (type: 'ec' | 'x25519' | 'rsa', options: object): KeyObject =>
  generateKeyPairSync(type as 'ec', options as { namedCurve: string }).publicKey;

t.test('the type of a key decides what it verifies, and "alg" narrows that', async (t) => {
  t.same(algorithmsOf(jwkOf(rsa.publicKey)), [['RS256', 'PS256']]);
  t.same(algorithmsOf(jwkOf(rsa.publicKey, { alg: 'PS256', use: 'sig', key_ops: ['verify'] })), [['PS256']]);
  t.same(algorithmsOf(jwkOf(p256.publicKey, { alg: 'ES256' })), [['ES256']]);
  t.same(algorithmsOf(jwkOf(makeKey('ES384').publicKey)), [['ES384']]);
  t.same(algorithmsOf(jwkOf(makeKey('ES512').publicKey)), [['ES512']]);
  t.same(algorithmsOf(jwkOf(ed25519.publicKey)), [['EdDSA']]);
});

t.test('keys for other purposes are passed over', async (t) => {
  const others = [
    jwkOf(rsa.publicKey, { use: 'enc' }),
    jwkOf(rsa.publicKey, { key_ops: ['encrypt'] }),
    jwkOf(rsa.publicKey, { alg: 'RSA-OAEP' }),
    jwkOf(rsa.publicKey, { alg: 'HS256' }),
    jwkOf(p256.publicKey, { alg: 'RS256' }),
    jwkOf(publicKey('ec', { namedCurve: 'secp256k1' })),
    jwkOf(publicKey('x25519', {})),
    { kty: 'AKP', pub: 'x' },
  ];
  t.same(algorithmsOf(...others, jwkOf(ed25519.publicKey)), [['EdDSA']]);
  t.throws(() => parseJwtKeys(setOf(...others)), /it has no usable key: give RSA, EC/);
});

t.test('a secret or private key is refused, and so is what is too weak or broken', async (t) => {
  const symmetric = createSecretKey(Buffer.alloc(32, 1));
  const refused: [object, RegExp][] = [
    [jwkOf(symmetric), /key 2 is symmetric: who can verify with it can also sign/],
    [jwkOf(rsa.privateKey), /key 2 is a private key/],
    [jwkOf(ed25519.privateKey, { use: 'enc' }), /key 2 is a private key/],
    [jwkOf(publicKey('rsa', { modulusLength: 1_024 })), /key 2 has 1024 bits: RSA keys need 2048/],
    [{ kty: 'RSA', e: 'AQAB' }, /key 2 is not a valid public key/],
    [{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }, /key 2 is not a valid public key/],
    [{ kty: 1 }, /key 2 is no JWK/],
    [jwkOf(p256.publicKey, { kid: 5 }), /key 2 has a "kid" that is no text/],
  ];
  for (const [key, complaint] of refused) {
    t.throws(() => parseJwtKeys(setOf(jwkOf(rsa.publicKey), key)), complaint);
  }
  const twin = jwkOf(rsa.publicKey, { kid: 'a' });
  t.throws(() => parseJwtKeys(setOf(twin, twin)), /two of its keys have the same kid/);
});

t.test('what is no JWK Set is refused', async (t) => {
  for (const text of ['', 'null', '[]', '{}', '{"keys":{}}', JSON.stringify(jwkOf(rsa.publicKey))]) {
    t.throws(() => parseJwtKeys(text), /it is (not valid JSON|no JWK Set)/, text.slice(0, 20));
  }
  t.throws(() => parseJwtKeys(setOf()), /no usable key/);
  t.throws(() => parseJwtKeys(setOf(...Array.from({ length: 101 }, () => ({})))), /more than 100 keys/);
});

t.test('the set of an issuer gives what is usable in it, for the algorithms of the issuer', async (t) => {
  const read = (algorithms: readonly JwtAlgorithm[], ...keys: unknown[]) =>
    readIssuerKeys({ keys }, algorithms).map((key) => [key.id, key.algorithms]);
  const bad = [
    jwkOf(rsa.privateKey),
    { kty: 'oct', k: 'AA' },
    { kty: 'RSA' },
    5,
    null,
    jwkOf(p256.publicKey, { kid: 1 }),
  ];
  t.same(
    read(['RS512', 'PS384', 'ES256'], ...bad, jwkOf(rsa.publicKey, { kid: 'r' }), jwkOf(p256.publicKey)),
    [
      ['r', ['RS512', 'PS384']],
      [null, ['ES256']],
    ],
  );
  t.same(read(['EdDSA'], jwkOf(rsa.publicKey), jwkOf(ed25519.publicKey, { kid: 'e' })), [['e', ['EdDSA']]]);
  t.throws(() => read(['ES256'], jwkOf(rsa.publicKey)), /^it has no usable key: give/);
  t.throws(() => read(['ES256'], ...bad), /no usable key \(key 1 is a private key/);
  t.same(readIssuerKeys(setOf(jwkOf(rsa.publicKey)), ['RS256']).length, 1, 'a text is read as well');
  for (const set of ['', '{', 'null', null, [], {}, { keys: {} }]) {
    t.throws(() => readIssuerKeys(set, ['RS256']), /it is (not valid JSON|no JWK Set)/, JSON.stringify(set));
  }
});

t.test('an RSA key with an exponent of 1, or of a size that costs too much, is refused', async (t) => {
  const { n } = jwkOf(rsa.publicKey) as { n: string };
  t.throws(
    () => parseJwtKeys(setOf({ kty: 'RSA', n, e: 'AQ' })),
    /key 1 (has the exponent 1|is not a valid)/,
  );
  const huge = Buffer.alloc(1_025, 0xff).toString('base64url');
  t.throws(
    () => parseJwtKeys(setOf({ kty: 'RSA', n: huge, e: 'AQAB' })),
    /key 1 has 8200 bits: RSA keys need 2048 to 8192/,
  );
});
