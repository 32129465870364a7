/** The public keys of a token issuer, from a JWK Set (RFC 7517), each with the algorithms that it is for. */
import { createPublicKey, type KeyObject, type webcrypto } from 'node:crypto';
import { isRecord } from '../store/stored-shape.ts';

/** What a signature may be made with (RFC 7518 §3.1, RFC 8037). */
type JwtAlgorithm = 'RS256' | 'PS256' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA';

export interface JwtKey {
  /** Null where the set gives it no id. */
  readonly id: string | null;
  /** By the type of the key, never by what a token says: a key for RSA can verify nothing else. */
  readonly algorithms: readonly JwtAlgorithm[];
  /** SubjectPublicKeyInfo. */
  readonly pem: string;
}

const MAX_KEYS = 100;
/** RFC 7518 §3.3. */
const MIN_RSA_BITS = 2_048;
const CURVE_ALGORITHMS: ReadonlyMap<string, JwtAlgorithm> = new Map([
  ['P-256', 'ES256'],
  ['P-384', 'ES384'],
  ['P-521', 'ES512'],
]);
/** Members that only private keys have (RFC 7518 §6.2.2, §6.3.2). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth'] as const;

/**
 * The usable keys of a JWK Set. Keys for other purposes, and of types that this gateway does not know, are
 * passed over (RFC 7517 §5).
 * @throws Error where the text is no JWK Set, holds a secret or private key, two keys of one id, or no usable key
 */
export function parseJwtKeys(text: string): readonly JwtKey[] {
  const keys = listKeys(text).flatMap((value, index) => readKey(value, `key ${index + 1}`));
  const ids = keys.flatMap(({ id }) => id ?? []);
  if (new Set(ids).size < ids.length) throw new Error('two of its keys have the same kid');
  if (keys.length === 0) {
    throw new Error('it has no usable key: give RSA, EC (P-256, P-384, P-521) or OKP (Ed25519) public keys');
  }
  return keys;
}

function listKeys(text: string): readonly unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('it is not valid JSON');
  }
  if (!isRecord(value) || !Array.isArray(value.keys))
    throw new Error('it is no JWK Set: it has no list "keys"');
  if (value.keys.length > MAX_KEYS) throw new Error(`it has more than ${MAX_KEYS} keys`);
  return value.keys as readonly unknown[];
}

function readKey(value: unknown, name: string): JwtKey[] {
  if (!isRecord(value) || typeof value.kty !== 'string')
    throw new Error(`${name} is no JWK: it has no "kty"`);
  if (value.kty === 'oct') {
    throw new Error(`${name} is symmetric: who can verify with it can also sign; give public keys only`);
  }
  if (PRIVATE_MEMBERS.some((member) => Object.hasOwn(value, member))) {
    throw new Error(`${name} is a private key: it does not belong here; give public keys only`);
  }
  const algorithms = isForSignatures(value) ? algorithmsOf(value) : [];
  if (algorithms.length === 0) return [];
  const { kid } = value;
  if (kid !== undefined && typeof kid !== 'string') throw new Error(`${name} has a "kid" that is no text`);
  return [{ id: kid ?? null, algorithms, pem: exportKey(importKey(value, name)) }];
}

function isForSignatures({ use, key_ops }: Record<string, unknown>): boolean {
  if (use !== undefined && use !== 'sig') return false;
  return !Array.isArray(key_ops) || key_ops.includes('verify');
}

function algorithmsOf({ kty, crv, alg }: Record<string, unknown>): readonly JwtAlgorithm[] {
  const possible = algorithmsOfType(kty as string, crv);
  return alg === undefined ? possible : possible.filter((algorithm) => algorithm === alg);
}

function algorithmsOfType(type: string, curve: unknown): readonly JwtAlgorithm[] {
  switch (type) {
    case 'RSA':
      return ['RS256', 'PS256'];
    case 'EC': {
      const algorithm = CURVE_ALGORITHMS.get(String(curve));
      return algorithm === undefined ? [] : [algorithm];
    }
    case 'OKP':
      return curve === 'Ed25519' || curve === 'Ed448' ? ['EdDSA'] : [];
    default:
      return [];
  }
}

function importKey(value: Record<string, unknown>, name: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: value as webcrypto.JsonWebKey, format: 'jwk' });
  } catch {
    throw new Error(`${name} is not a valid public key`);
  }
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < MIN_RSA_BITS) {
    throw new Error(`${name} has ${bits} bits: RSA keys need ${MIN_RSA_BITS} or more`);
  }
  return key;
}

function exportKey(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }) as string;
}
