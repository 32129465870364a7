/** The public keys of a token issuer, from a JWK Set (RFC 7517), each with the algorithms that it is for. */
import { createPublicKey, type KeyObject, type webcrypto } from 'node:crypto';
import type { JwtAlgorithm } from '../core/config/model.ts';
import { isRecord } from '../store/stored-shape.ts';

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
/** Verifying costs by the square of it. */
const MAX_RSA_BITS = 8_192;
/** With an exponent of 1, anybody can sign. */
const MIN_RSA_EXPONENT = 3n;
const RSA_ALGORITHMS: readonly JwtAlgorithm[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
/** RFC 7518 §3.4: a curve goes with one algorithm. */
const CURVE_ALGORITHMS: ReadonlyMap<string, JwtAlgorithm> = new Map([
  ['P-256', 'ES256'],
  ['P-384', 'ES384'],
  ['P-521', 'ES512'],
]);
/** What the management API accepts. */
const MANAGEMENT_ALGORITHMS: readonly JwtAlgorithm[] = ['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'];
/** Members that only private keys have (RFC 7518 §6.2.2, §6.3.2). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth'] as const;

/**
 * The usable keys of a JWK Set that an operator wrote for the management API: what is wrong in it is theirs to
 * mend. Keys for other purposes, and of types that this gateway does not know, are passed over (RFC 7517 §5).
 * @throws Error where the text is no JWK Set, holds a secret or private key, two keys of one id, or no usable key
 */
export function parseJwtKeys(text: string): readonly JwtKey[] {
  const keys = listKeys(parseSet(text)).flatMap((value, index) =>
    readKey(value, `key ${index + 1}`, MANAGEMENT_ALGORITHMS),
  );
  const ids = keys.flatMap(({ id }) => id ?? []);
  if (new Set(ids).size < ids.length) throw new Error('two of its keys have the same kid');
  return requireSome(keys, []);
}

/**
 * The usable keys of an issuer's JWK Set, a text or already read, for these algorithms. One bad key in a set
 * that others write must not cost the good ones, so it is passed over like those for other purposes: private
 * and symmetric keys are, too. Two keys may share an id where they are for different algorithms.
 * @throws Error where it is no JWK Set, or holds no usable key: then it says what is wrong with the first
 */
export function readIssuerKeys(set: unknown, algorithms: readonly JwtAlgorithm[]): readonly JwtKey[] {
  const complaints: string[] = [];
  const keys = listKeys(typeof set === 'string' ? parseSet(set) : set).flatMap((value, index) => {
    try {
      return readKey(value, `key ${index + 1}`, algorithms);
    } catch (error) {
      complaints.push((error as Error).message);
      return [];
    }
  });
  return requireSome(keys, complaints);
}

function requireSome(keys: readonly JwtKey[], complaints: readonly string[]): readonly JwtKey[] {
  if (keys.length > 0) return keys;
  const why = complaints[0] === undefined ? '' : ` (${complaints[0]})`;
  throw new Error(
    `it has no usable key${why}: give RSA, EC (P-256, P-384, P-521) or OKP (Ed25519) public keys`,
  );
}

function parseSet(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it is not valid JSON');
  }
}

function listKeys(value: unknown): readonly unknown[] {
  if (!isRecord(value) || !Array.isArray(value.keys))
    throw new Error('it is no JWK Set: it has no list "keys"');
  if (value.keys.length > MAX_KEYS) throw new Error(`it has more than ${MAX_KEYS} keys`);
  return value.keys as readonly unknown[];
}

function readKey(value: unknown, name: string, allowed: readonly JwtAlgorithm[]): JwtKey[] {
  if (!isRecord(value) || typeof value.kty !== 'string')
    throw new Error(`${name} is no JWK: it has no "kty"`);
  if (value.kty === 'oct') {
    throw new Error(`${name} is symmetric: who can verify with it can also sign; give public keys only`);
  }
  if (PRIVATE_MEMBERS.some((member) => Object.hasOwn(value, member))) {
    throw new Error(`${name} is a private key: it does not belong here; give public keys only`);
  }
  const algorithms = isForSignatures(value) ? algorithmsOf(value, allowed) : [];
  if (algorithms.length === 0) return [];
  const { kid } = value;
  if (kid !== undefined && typeof kid !== 'string') throw new Error(`${name} has a "kid" that is no text`);
  return [{ id: kid ?? null, algorithms, pem: exportKey(importKey(value, name)) }];
}

function isForSignatures({ use, key_ops }: Record<string, unknown>): boolean {
  if (use !== undefined && use !== 'sig') return false;
  return !Array.isArray(key_ops) || key_ops.includes('verify');
}

function algorithmsOf(
  { kty, crv, alg }: Record<string, unknown>,
  allowed: readonly JwtAlgorithm[],
): readonly JwtAlgorithm[] {
  return algorithmsOfType(kty as string, crv).filter(
    (algorithm) => allowed.includes(algorithm) && (alg === undefined || alg === algorithm),
  );
}

function algorithmsOfType(type: string, curve: unknown): readonly JwtAlgorithm[] {
  switch (type) {
    case 'RSA':
      return RSA_ALGORITHMS;
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
  checkStrength(key, name);
  return key;
}

function checkStrength(key: KeyObject, name: string): void {
  const { modulusLength: bits, publicExponent } = key.asymmetricKeyDetails ?? {};
  if (bits !== undefined && (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS)) {
    throw new Error(`${name} has ${bits} bits: RSA keys need ${MIN_RSA_BITS} to ${MAX_RSA_BITS}`);
  }
  if (publicExponent !== undefined && publicExponent < MIN_RSA_EXPONENT) {
    throw new Error(`${name} has the exponent ${publicExponent}: RSA keys need ${MIN_RSA_EXPONENT} or more`);
  }
}

function exportKey(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }) as string;
}
