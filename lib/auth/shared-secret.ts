/** A secret that an issuer shares with the gateway, for HS256 to HS512. */
import type { JwtAlgorithm } from '../core/config/model.ts';

/** As many bytes as the digest has, at least (RFC 7518 §3.2). */
const MIN_SECRET_BYTES: ReadonlyMap<JwtAlgorithm, number> = new Map([
  ['HS256', 32],
  ['HS384', 48],
  ['HS512', 64],
]);

export interface SharedSecret {
  readonly algorithms: readonly JwtAlgorithm[];
  readonly bytes: Buffer;
}

/**
 * Reads the secret for those of the algorithms that take one. Line feeds at its end are not part of it, as
 * editors add them.
 * @throws Error where it is too short for one of the algorithms, or is something else, such as a public key
 */
export function readSharedSecret(text: string, allowed: readonly JwtAlgorithm[]): SharedSecret {
  const secret = text.replace(/[\r\n]+$/, '');
  checkKind(secret);
  const bytes = Buffer.from(secret);
  const algorithms = allowed.filter((algorithm) => MIN_SECRET_BYTES.has(algorithm));
  if (algorithms.length === 0) throw new Error('none of the algorithms of the issuer takes a secret');
  for (const algorithm of algorithms) checkLength(bytes.length, algorithm);
  return { algorithms, bytes };
}

/** A public key is known to everybody: as a secret it would let everybody sign. */
function checkKind(secret: string): void {
  if (secret.includes('-----BEGIN ') || /^\s*[[{].*"kty"/s.test(secret)) {
    throw new Error('it is a key or certificate, not a secret: give it as a JWK Set');
  }
  if (secret.includes('\ufffd')) {
    throw new Error(
      'it is not text: give a secret of bytes in base64 or hexadecimal, and sign with that text',
    );
  }
}

function checkLength(length: number, algorithm: JwtAlgorithm): void {
  const least = MIN_SECRET_BYTES.get(algorithm) as number;
  if (length < least) {
    throw new Error(`the secret has ${length} bytes: ${algorithm} needs ${least} or more (RFC 7518 §3.2)`);
  }
}
