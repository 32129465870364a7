/** Secrets of every kind that a configuration names, or a client brings. */
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOfApiKey, formatKeyHash } from '../../lib/auth/api-key.ts';
import { hashPassword } from '../../lib/auth/password-hash.ts';
import { jwkOf, makeHmacJwt, makeJwt, makeKey } from '../auth/jwt-maker.ts';
import { createCertificate, type TestCertificate } from '../helpers/certificate.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import type { TestOwner } from '../helpers/test-owner.ts';
import type { Canaries } from './canaries.ts';

/** The least that is allowed: it is not the cost that is tested. */
const CHEAP = { logN: 14, blockSize: 8, parallelism: 1 };

type JsonWebKey = Record<string, unknown>;

export interface GuardedSecrets {
  /** Of the listener, of the origin, and of the gateway as a client of the origin. */
  readonly listener: TestCertificate;
  readonly origin: TestCertificate;
  readonly client: TestCertificate;
  /** A secret in a file, and a JWK Set that holds a private key where it should not. */
  readonly secretFile: string;
  readonly privateSetFile: string;
  readonly privateKey: JsonWebKey;
  readonly publicKey: JsonWebKey;
  readonly apiKey: string;
  readonly apiKeyHash: string;
  readonly password: string;
  readonly passwordHash: string;
  readonly tokens: Readonly<
    Record<'variable' | 'file' | 'key' | 'expired' | 'forged' | 'misplaced' | 'short', string>
  >;
  /** Wherever a client puts something wrong. */
  readonly guess: string;
  readonly cookie: string;
  /** Wherever somebody puts a secret into the configuration that does not belong there. */
  readonly misplaced: string;
  /** Variables that the configuration names. */
  readonly environment: Readonly<Record<'JWT_SECRET' | 'SHORT_SECRET' | 'ORIGIN_KEY', string>>;
}

export async function createSecrets(owner: TestOwner, canaries: Canaries): Promise<GuardedSecrets> {
  const directory = await createTemporaryDirectory(owner);
  const [listener, origin, client] = [
    await createCertificate(owner),
    await createCertificate(owner),
    await createCertificate(owner),
  ];
  canaries.watchPem('key of the listener', listener.key);
  canaries.watchPem('key for origins', client.key);
  const inFile = canaries.make('secret in a file');
  const inVariable = canaries.make('secret in a variable');
  const secretFile = join(directory, 'secret');
  await writeFile(secretFile, inFile);
  const privateKey = makePrivateKey(canaries);
  const privateSetFile = join(directory, 'private.json');
  await writeFile(privateSetFile, JSON.stringify({ keys: [privateKey] }));
  const signer = makeKey('EdDSA');
  const apiKey = canaries.make('API key');
  const password = canaries.make('password');
  const short = canaries.make('short secret').slice(0, 24);
  return {
    ...{ listener, origin, client, secretFile, privateSetFile, privateKey, apiKey, password },
    publicKey: jwkOf(signer.publicKey, { kid: 'k' }) as JsonWebKey,
    apiKeyHash: formatKeyHash(digestOfApiKey(apiKey)),
    passwordHash: await hashPassword(password, CHEAP),
    tokens: makeTokens(canaries, signer, inVariable, inFile),
    guess: canaries.make('wrong credential'),
    cookie: canaries.make('cookie'),
    misplaced: canaries.make('secret in the configuration'),
    environment: {
      JWT_SECRET: inVariable,
      SHORT_SECRET: canaries.watch('short secret', short),
      ORIGIN_KEY: client.key,
    },
  };
}

function makePrivateKey(canaries: Canaries): JsonWebKey {
  const key = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  canaries.watch('private part of a JWK', String(key.d));
  return { ...key, kid: 'p' };
}

function makeTokens(
  canaries: Canaries,
  signer: ReturnType<typeof makeKey>,
  inVariable: string,
  inFile: string,
): GuardedSecrets['tokens'] {
  const exp = Math.floor(Date.now() / 1_000) + 3_600;
  const claims = { iss: 'variable', aud: 'a', sub: 'bob', exp };
  const header = { alg: 'HS256' };
  const tokens = {
    variable: makeHmacJwt(inVariable, header, claims),
    file: makeHmacJwt(inFile, header, { ...claims, iss: 'file' }),
    key: makeJwt(signer, { alg: 'EdDSA', kid: 'k' }, { ...claims, iss: 'key' }),
    expired: makeHmacJwt(inVariable, header, { ...claims, exp: 1 }),
    forged: makeHmacJwt('another secret', header, claims),
    misplaced: makeJwt(signer, { alg: 'EdDSA', kid: 'p' }, { ...claims, iss: 'misplaced' }),
    short: makeHmacJwt('another secret', header, { ...claims, iss: 'short' }),
  };
  for (const [name, token] of Object.entries(tokens)) canaries.watchToken(`token: ${name}`, token);
  return tokens;
}
