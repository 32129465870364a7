/** The keys by which programs come. Only a SHA-256 of them is kept: of 256 random bits there is nothing to guess. */
import { hash, randomBytes } from 'node:crypto';

const KEY_PREFIX = 'fgk_';
const KEY_BYTES = 32;
const DIGEST_PREFIX = 'sha256:';
/** Visible ASCII: what else there is, clients and proxies write in different bytes. */
const KEY = /^[\x21-\x7e]{1,512}$/;

/** A new key. The prefix lets secret scanners find one that leaked. */
export function generateApiKey(): string {
  return KEY_PREFIX + randomBytes(KEY_BYTES).toString('base64url');
}

/** Whether a client could have been given this as a key. */
export function canBeApiKey(text: string): boolean {
  return KEY.test(text);
}

/** SHA-256, in hexadecimal digits. */
export function digestOfApiKey(key: string): string {
  return hash('sha256', key, 'hex');
}

/** A digest as the configuration has it. */
export function formatKeyHash(digest: string): string {
  return DIGEST_PREFIX + digest;
}

/** @param keyHash as a validated configuration has it */
export function parseKeyHash(keyHash: string): string {
  return keyHash.slice(DIGEST_PREFIX.length);
}
