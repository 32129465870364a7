import { hash } from 'node:crypto';
import type { RateKeyHash } from '../../core/policy/rate-key.ts';

/** Hexadecimal ones: 52 bits, which a number holds exactly. */
const DIGITS = 13;

/**
 * SHA-256 of the secret and the key, of which only a part is shown: that is as good as an HMAC (chop-MD: Coron and
 * others, "Merkle-Damgård Revisited", CRYPTO 2005) and costs half of one, which each client that is new here pays.
 */
export function keyedRateHash(secret: string): RateKeyHash {
  return (key) => Number.parseInt(hash('sha256', secret + key, 'hex').slice(0, DIGITS), 16);
}
