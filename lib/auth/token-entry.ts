/** What is kept of a static token, and how the file of them reads. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { DamagedTextError, decodeChecksummed, encodeChecksummed } from '../store/checksummed-json.ts';
import { isRecord } from '../store/stored-shape.ts';
import { isRole, type Role } from './roles.ts';

export interface TokenEntry {
  /** Unique; what changes are recorded under. */
  readonly name: string;
  readonly role: Role;
  /** Of the token, in hex. The token itself is never stored. */
  readonly sha256: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** ISO 8601, UTC; null: never. */
  readonly expiresAt: string | null;
}

const FORMAT = 'fengling-gateway/tokens/1';
const TOKEN_PREFIX = 'fgw_';
const TOKEN_BYTES = 32;
const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const SHA256_PATTERN = /^[0-9a-f]{64}$/;

export function isTokenName(name: string): boolean {
  return NAME_PATTERN.test(name);
}

/** A new token. The prefix lets secret scanners find one that leaked. */
export function generateToken(): string {
  return TOKEN_PREFIX + randomBytes(TOKEN_BYTES).toString('base64url');
}

/** Tells a static token from others before anything is looked up; it says nothing about whether it is valid. */
export function looksLikeStaticToken(token: string): boolean {
  return token.startsWith(TOKEN_PREFIX);
}

/** A token of 256 random bits needs no slow hash: there is nothing to guess. */
export function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** The entry with this digest. Compares with every entry in constant time, so that the time taken tells nothing. */
export function findByDigest(entries: readonly TokenEntry[], digest: Buffer): TokenEntry | null {
  let found: TokenEntry | null = null;
  for (const entry of entries) {
    if (timingSafeEqual(Buffer.from(entry.sha256, 'hex'), digest)) found = entry;
  }
  return found;
}

export function hasExpired(entry: TokenEntry, nowMs: number): boolean {
  return entry.expiresAt !== null && Date.parse(entry.expiresAt) <= nowMs;
}

export function encodeTokens(entries: readonly TokenEntry[]): string {
  return `${encodeChecksummed(FORMAT, { tokens: entries })}\n`;
}

/** @throws DamagedTextError where the text is not what `encodeTokens` wrote */
export function decodeTokens(text: string): readonly TokenEntry[] {
  const content = decodeChecksummed(FORMAT, text);
  if (!isRecord(content) || !Array.isArray(content.tokens)) {
    throw new DamagedTextError('it has no list of tokens');
  }
  const entries = content.tokens as readonly unknown[];
  if (!entries.every(isTokenEntry)) throw new DamagedTextError('one of its tokens is incomplete');
  if (new Set(entries.map(({ name }) => name)).size < entries.length) {
    throw new DamagedTextError('two of its tokens have the same name');
  }
  return entries;
}

function isTokenEntry(value: unknown): value is TokenEntry {
  return (
    isRecord(value) &&
    typeof value.name === 'string' &&
    isTokenName(value.name) &&
    isRole(value.role) &&
    typeof value.sha256 === 'string' &&
    SHA256_PATTERN.test(value.sha256) &&
    isTime(value.createdAt) &&
    (value.expiresAt === null || isTime(value.expiresAt))
  );
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}
