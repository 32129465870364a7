/** Keys and tokens of an issuer, made with node:crypto alone, so that tokens can be wrong in any way. */
import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}
export type SigningKey = KeyPair & { readonly algorithm: string };

export function makeKey(algorithm: string): SigningKey {
  return { ...generate(algorithm), algorithm };
}

function generate(algorithm: string): KeyPair {
  switch (algorithm) {
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' });
    case 'ES384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' });
    case 'ES512':
      return generateKeyPairSync('ec', { namedCurve: 'P-521' });
    case 'EdDSA':
      return generateKeyPairSync('ed25519');
    case 'Ed448':
      return generateKeyPairSync('ed448');
    default:
      return generateKeyPairSync('rsa', { modulusLength: 2_048 });
  }
}

export function jwkOf(key: KeyObject, members: object = {}): object {
  return { ...key.export({ format: 'jwk' }), ...members };
}

function encode(value: object | string): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return Buffer.from(text).toString('base64url');
}

/**
 * A token with this header and these claims (a text stands for itself), signed with `key` as its algorithm
 * says, whatever the header says.
 */
export function makeJwt(key: SigningKey, header: object | string, claims: object | string): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${signText(key, input).toString('base64url')}`;
}

function signText({ algorithm, privateKey: key }: SigningKey, text: string): Buffer {
  const data = Buffer.from(text);
  switch (algorithm.slice(0, 2)) {
    case 'ES':
      return sign(`sha${algorithm.slice(2)}`, data, { key, dsaEncoding: 'ieee-p1363' });
    case 'PS':
      return sign(`sha${algorithm.slice(2)}`, data, {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      });
    case 'RS':
      return sign(`sha${algorithm.slice(2)}`, data, key);
    default:
      return sign(null, data, key);
  }
}

/** A token that is signed with a secret that both sides know. */
export function makeHmacJwt(
  secret: string | Buffer,
  header: object,
  claims: object,
  algorithm: 'HS256' | 'HS384' | 'HS512' = 'HS256',
): string {
  const input = `${encode(header)}.${encode(claims)}`;
  const digest = createHmac(`sha${algorithm.slice(2)}`, secret).update(input);
  return `${input}.${digest.digest('base64url')}`;
}

export function makeUnsignedJwt(header: object, claims: object): string {
  return `${encode(header)}.${encode(claims)}.`;
}
