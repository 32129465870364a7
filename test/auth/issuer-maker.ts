/** Issuers of tokens as tests need them, with the time at which all of them happen. */
import { Materials } from '../../lib/auth/materials.ts';
import { TokenIssuer } from '../../lib/auth/token-issuer.ts';
import type { Issuer } from '../../lib/core/config/model.ts';
import { jwkOf, makeJwt, makeKey, type SigningKey } from './jwt-maker.ts';

export const NOW_MS = Date.parse('2030-01-01T00:00:00.000Z');
export const NOW_SEC = NOW_MS / 1_000;
export const CLAIMS = { iss: 'https://idp.example.com/', aud: 'orders', sub: 'alice', exp: NOW_SEC + 600 };
export const KEYS_URL = 'https://idp.example.com/jwks';

/** The key of most tokens, as it takes long to make one. */
export const RSA: SigningKey = makeKey('RS256');
export const EC: SigningKey = makeKey('ES256');

export function setOf(...keys: readonly object[]): { keys: Record<string, unknown>[] } {
  return { keys: keys as Record<string, unknown>[] };
}

/** RSA as `rsa` and EC as `ec`. */
export const KEY_SET = setOf(
  jwkOf(RSA.publicKey, { kid: 'rsa' }),
  jwkOf(EC.publicKey, { kid: 'ec', use: 'sig' }),
);

/** Materials of which the primary has said one. */
export function materialsWith(name: string, value: string | null): Materials {
  const materials = new Materials(() => {});
  materials.take([{ name, value }]);
  return materials;
}

export function makeIssuer(
  changes: Partial<Issuer> = {},
  materials: Materials = new Materials(() => {}),
): TokenIssuer {
  const keyless: Issuer = {
    issuer: CLAIMS.iss,
    audience: ['orders', 'https://api'],
    algorithms: ['RS256', 'ES256'],
  };
  const hasSource = ['jwks', 'jwksFile', 'jwksUrl', 'secretFile', 'secretEnv'].some(
    (name) => name in changes,
  );
  return new TokenIssuer(
    'main',
    { ...keyless, ...(hasSource ? {} : { jwks: KEY_SET }), ...changes },
    materials,
  );
}

export function signed(claims: object = {}, header: object = {}, key: SigningKey = RSA): string {
  return makeJwt(key, { alg: key.algorithm, kid: 'rsa', ...header }, { ...CLAIMS, ...claims });
}
