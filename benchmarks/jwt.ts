/**
 * What it costs the processor to verify a JWT: by algorithm, the first time and when it is known.
 * Run: node benchmarks/jwt.ts
 */
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { Materials } from '../lib/auth/materials.ts';
import { TokenIssuer } from '../lib/auth/token-issuer.ts';
import type { Issuer, JwtAlgorithm } from '../lib/core/config/model.ts';

const NOW_MS = Date.now();
const ROUND_COUNT = 7;
/** So many tokens are verified for the first time in a round; the cache holds them all. */
const TOKENS_PER_ROUND = 500;
const KNOWN_PER_ROUND = 100_000;
const SECRET = 'x'.repeat(64);

interface Subject {
  readonly algorithm: JwtAlgorithm;
  readonly name: string;
  readonly keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject } | null;
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const largeRsa = generateKeyPairSync('rsa', { modulusLength: 4_096 });
const curve = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });

const SUBJECTS: readonly Subject[] = [
  { algorithm: 'HS256', name: 'HS256', keys: null },
  { algorithm: 'RS256', name: 'RS256, 2,048 bits', keys: rsa },
  { algorithm: 'RS256', name: 'RS256, 4,096 bits', keys: largeRsa },
  { algorithm: 'PS256', name: 'PS256, 2,048 bits', keys: rsa },
  { algorithm: 'ES256', name: 'ES256', keys: curve('P-256') },
  { algorithm: 'ES384', name: 'ES384', keys: curve('P-384') },
  { algorithm: 'ES512', name: 'ES512', keys: curve('P-521') },
  { algorithm: 'EdDSA', name: 'EdDSA, Ed25519', keys: generateKeyPairSync('ed25519') },
];

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** Claims as identity providers write them, about 400 bytes. */
function makeToken(subject: Subject, index: number): string {
  const seconds = Math.floor(NOW_MS / 1_000);
  const claims = {
    iss: 'https://idp.example.com/',
    aud: ['orders', 'https://api.example.com'],
    sub: `auth0|5f7c8ec7c33c6c004bbafe8${index}`,
    iat: seconds,
    nbf: seconds,
    exp: seconds + 3_600,
    azp: 'my_client_id',
    scope: 'openid profile email orders.read orders.write',
    realm_access: { roles: ['offline_access', 'uma_authorization', 'user'] },
    email: `user-${index}@example.com`,
    jti: `2f5a1c1e-7a7d-4f0c-9a0e-${index}`,
  };
  const input = `${encode({ alg: subject.algorithm, typ: 'JWT', kid: 'key' })}.${encode(claims)}`;
  return `${input}.${signText(subject, input).toString('base64url')}`;
}

function signText({ algorithm, keys }: Subject, text: string): Buffer {
  if (keys === null) return createHmac('sha256', SECRET).update(text).digest();
  const { privateKey: key } = keys;
  const [data, digest] = [Buffer.from(text), `sha${algorithm.slice(2)}`];
  if (algorithm === 'EdDSA') return sign(null, data, key);
  if (algorithm.startsWith('ES')) return sign(digest, data, { key, dsaEncoding: 'ieee-p1363' });
  return sign(digest, data, algorithm.startsWith('PS') ? { key, padding: 6, saltLength: -1 } : key);
}

function makeIssuer({ algorithm, keys }: Subject): TokenIssuer {
  const materials = new Materials(() => {});
  materials.take([{ name: 'env:SECRET', value: SECRET }]);
  const source: Partial<Issuer> =
    keys === null
      ? { secretEnv: 'SECRET' }
      : { jwks: { keys: [{ ...keys.publicKey.export({ format: 'jwk' }), kid: 'key' }] } };
  const audience = ['https://api.example.com'];
  return new TokenIssuer(
    'main',
    { issuer: 'https://idp.example.com/', audience, algorithms: [algorithm], ...source },
    materials,
  );
}

function verifyAll(issuer: TokenIssuer, tokens: readonly string[], count: number): void {
  for (let index = 0; index < count; index += 1) {
    const verdict = issuer.verify(tokens[index % tokens.length] as string, NOW_MS);
    if (verdict instanceof Promise || verdict.kind !== 'valid') throw new Error('a token was not verified');
  }
}

/** Microseconds of processor time for one of `count` verifications. */
function measureUs(issuer: TokenIssuer, tokens: readonly string[], count: number): number {
  const before = process.cpuUsage();
  verifyAll(issuer, tokens, count);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[sorted.length >>> 1] ?? Number.NaN;
}

function measureRow(subject: Subject): Record<string, string | number> {
  const tokens = Array.from({ length: TOKENS_PER_ROUND }, (_, index) => makeToken(subject, index));
  const [first, known]: [number[], number[]] = [[], []];
  for (let round = 0; round <= ROUND_COUNT; round += 1) {
    const issuer = makeIssuer(subject);
    verifyAll(issuer, [makeToken(subject, TOKENS_PER_ROUND)], 1);
    first.push(measureUs(issuer, tokens, tokens.length));
    known.push(measureUs(issuer, tokens, KNOWN_PER_ROUND));
  }
  return {
    algorithm: subject.name,
    characters: tokens[0]?.length ?? 0,
    'µs the first time': Number(median(first.slice(1)).toFixed(1)),
    'µs when known': Number(median(known.slice(1)).toFixed(2)),
  };
}

console.table(SUBJECTS.map(measureRow));
