/** Passwords as they are kept: `scrypt:LOGN:R:P:SALT:HASH` (RFC 7914), salt and hash in base64url. */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';

/** How costly a hash is to make: N is 2 to the power of `logN`. */
export interface ScryptCost {
  readonly logN: number;
  readonly blockSize: number;
  readonly parallelism: number;
}

/** 32 MiB and about a fifth of a second: among the equally strong choices of OWASP, the one that takes little memory. */
export const DEFAULT_COST: ScryptCost = { logN: 15, blockSize: 8, parallelism: 3 };

const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** @param password normalised to NFC */
export async function hashPassword(password: string, cost: ScryptCost = DEFAULT_COST): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  return format(cost, salt, await derive(password, salt, cost));
}

/** A hash of the same cost as another, that no password fits. */
export function hashOfNothing(cost: ScryptCost): string {
  return format(cost, randomBytes(SALT_BYTES), randomBytes(HASH_BYTES));
}

/**
 * Whether a password is the one that was hashed. Takes the time that the hash says, on a thread of its own.
 * @param hash as a validated configuration has it
 * @throws Error where there is no memory for it
 */
export async function matchesPassword(hash: string, password: string): Promise<boolean> {
  const parts = hash.split(':');
  const expected = Buffer.from(parts[5] ?? '', 'base64url');
  const derived = await derive(password, Buffer.from(parts[4] ?? '', 'base64url'), costOf(hash));
  return expected.length === derived.length && timingSafeEqual(derived, expected);
}

export function costOf(hash: string): ScryptCost {
  const [, logN, blockSize, parallelism] = hash.split(':', 4);
  return { logN: Number(logN), blockSize: Number(blockSize), parallelism: Number(parallelism) };
}

export function isSameCost(one: ScryptCost, other: ScryptCost): boolean {
  return (
    one.logN === other.logN && one.blockSize === other.blockSize && one.parallelism === other.parallelism
  );
}

function format({ logN, blockSize, parallelism }: ScryptCost, salt: Buffer, hash: Buffer): string {
  const encoded = `${salt.toString('base64url')}:${hash.toString('base64url')}`;
  return `scrypt:${logN}:${blockSize}:${parallelism}:${encoded}`;
}

function derive(password: string, salt: Buffer, cost: ScryptCost): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, HASH_BYTES, optionsOf(cost), (error, derived) => {
      if (error === null) resolve(derived);
      else reject(error);
    });
  });
}

/** OpenSSL refuses to take more than `maxmem`, and counts a little beyond what RFC 7914 §5 and §6 make of the three. */
function optionsOf({ logN, blockSize, parallelism }: ScryptCost): ScryptOptions {
  const N = 2 ** logN;
  return { N, r: blockSize, p: parallelism, maxmem: 128 * blockSize * (N + parallelism + 8) };
}
