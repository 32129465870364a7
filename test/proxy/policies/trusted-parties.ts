/** Issuers and consumers for gateways of tests, with credentials of theirs. */
import { digestOfApiKey, formatKeyHash } from '../../../lib/auth/api-key.ts';
import { hashPassword } from '../../../lib/auth/password-hash.ts';
import type { Consumer, Issuer } from '../../../lib/core/config/model.ts';
import { jwkOf, makeJwt, makeKey } from '../../auth/jwt-maker.ts';

const KEY = makeKey('ES256');
export const ISSUER: Issuer = {
  issuer: 'https://idp.example.com/',
  audience: ['orders'],
  algorithms: ['ES256'],
  jwks: { keys: [jwkOf(KEY.publicKey, { kid: 'one' }) as Record<string, unknown>] },
  claimHeaders: { 'x-user-id': 'sub', 'x-tenant-id': 'tenant.id' },
};

/** A token of the issuer that is valid for ten minutes, unless `claims` says otherwise. */
export function tokenOf(claims: object = {}, key = KEY, kid = 'one'): string {
  const all = { iss: ISSUER.issuer, aud: 'orders', sub: 'alice', exp: Date.now() / 1_000 + 600, ...claims };
  return makeJwt(key, { alg: key.algorithm, kid }, all);
}

export function bearer(claims: object = {}): string {
  return `Bearer ${tokenOf(claims)}`;
}

export const API_KEY = 'fgk_the-key-of-the-shop';
const PASSWORD = 's3cret';
export const BASIC = `Basic ${Buffer.from(`clerk:${PASSWORD}`).toString('base64')}`;

export function keyHashOf(key: string): string {
  return formatKeyHash(digestOfApiKey(key));
}

/** A consumer who comes by key, or by a password that is hashed as cheaply as can be. */
export async function makeShop(): Promise<Consumer> {
  const hash = await hashPassword(PASSWORD, { logN: 14, blockSize: 8, parallelism: 1 });
  return {
    apiKeys: [{ hash: keyHashOf(API_KEY) }],
    passwords: [{ username: 'clerk', hash }],
    scopes: ['read'],
  };
}
