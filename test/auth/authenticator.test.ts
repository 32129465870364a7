import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Authenticator } from '../../lib/auth/authenticator.ts';
import { openAuthenticator } from '../../lib/auth/open-authenticator.ts';
import { createToken } from '../../lib/auth/token-file.ts';
import { jwkOf, makeJwt, makeKey } from './jwt-maker.ts';

const NOW = new Date('2030-01-01T00:00:00.000Z');
const NOW_MS = NOW.getTime();
const ENVIRONMENT_TOKEN = 'environment-token/0123456789+~==';
const key = makeKey('ES256');
const claims = { iss: 'i', aud: 'a', sub: 'alice', exp: NOW_MS / 1_000 + 60, roles: 'reader' };
const jwt = (changes: object = {}) => makeJwt(key, { alg: 'ES256' }, { ...claims, ...changes });

interface World {
  readonly authenticator: Authenticator;
  readonly token: string;
  readonly expired: string;
}

async function open(t: Test): Promise<World> {
  const directory = t.testdir();
  const keysFile = join(directory, 'jwks.json');
  writeFileSync(keysFile, JSON.stringify({ keys: [jwkOf(key.publicKey)] }));
  const create = (name: string, expiresAt: Date | null) =>
    createToken(directory, { name, role: 'operator', now: NOW, expiresAt });
  const { token } = await create('ci', null);
  const { token: expired } = await create('old', NOW);
  const { authenticator } = await openAuthenticator(
    {
      environmentToken: ENVIRONMENT_TOKEN,
      jwt: { issuer: 'i', audience: 'a', keysFile, roleClaim: 'roles', clockToleranceSec: 0 },
    },
    directory,
    { error: (_fields, message) => t.fail(message) },
  );
  return { authenticator, token, expired };
}

t.test('each source of tokens tells who it is and what they may do', async (t) => {
  const { authenticator, token } = await open(t);
  const authenticate = (header: string) => authenticator.authenticate(header, NOW_MS);
  t.same(await authenticate(`Bearer ${token}`), { kind: 'ok', actor: 'ci', role: 'operator' });
  t.same(await authenticate(`Bearer ${ENVIRONMENT_TOKEN}`), {
    kind: 'ok',
    actor: 'environment',
    role: 'admin',
  });
  t.same(await authenticate(`Bearer ${jwt()}`), { kind: 'ok', actor: 'jwt:alice', role: 'reader' });
});

t.test('what does not let in says why, and never what the token was', async (t) => {
  const { authenticator, expired } = await open(t);
  const authenticate = async (header: string | undefined) => {
    const result = await authenticator.authenticate(header, NOW_MS);
    t.notOk(JSON.stringify(result).includes(header?.slice(7) || 'nothing'));
    return result;
  };
  t.same(await authenticate(undefined), { kind: 'missing' });
  t.same(await authenticate(''), { kind: 'missing' });
  t.match(await authenticate(`Bearer ${expired}`), {
    kind: 'expired',
    reason: /the token "old" expired at 2030/,
  });
  t.match(await authenticate(`Bearer fgw_${'x'.repeat(43)}`), {
    kind: 'invalid',
    reason: /unknown or was revoked/,
  });
  t.match(await authenticate(`Bearer ${ENVIRONMENT_TOKEN.slice(1)}`), { kind: 'invalid' });
  t.match(await authenticate(`Bearer ${jwt({ exp: NOW_MS / 1_000 })}`), { kind: 'expired' });
  t.match(await authenticate(`Bearer ${jwt({ roles: [] })}`), { kind: 'forbidden', actor: 'jwt:alice' });
});

t.test('the Authorization field is read as RFC 6750 writes it', async (t) => {
  const { authenticator, token } = await open(t);
  const kindOf = async (header: string) => (await authenticator.authenticate(header, NOW_MS)).kind;
  for (const header of [`Bearer ${token}`, `bearer ${token}`, `BEARER   ${token}`]) {
    t.equal(await kindOf(header), 'ok', header);
  }
  for (const header of [
    'Bearer',
    'Bearer ',
    token,
    `Bearer${token}`,
    `Bearer\t${token}`,
    ` Bearer ${token}`,
    `Bearer ${token} `,
    `Bearer ${token}, Bearer ${token}`,
    `Bearer "${token}"`,
    `Bearer ${token}\n`,
    `Bearer =${token}`,
    `Basic ${token}`,
    `Token ${token}`,
    `Bearer ${'x'.repeat(8_193)}`,
    'x'.repeat(100_000),
  ]) {
    t.equal(await kindOf(header), 'invalid', header.slice(0, 60));
  }
});

t.test('only for a JWT it is asked whether it may be verified', async (t) => {
  const { authenticator, token, expired } = await open(t);
  let asked = 0;
  const authenticate = async (header: string | undefined) => {
    const result = await authenticator.authenticate(header, NOW_MS, () => {
      asked += 1;
      return false;
    });
    return result.kind;
  };
  t.equal(await authenticate(undefined), 'missing');
  t.equal(await authenticate('Basic bm86'), 'invalid');
  t.equal(await authenticate(`Bearer ${token}`), 'ok');
  t.equal(await authenticate(`Bearer ${ENVIRONMENT_TOKEN}`), 'ok');
  t.equal(await authenticate(`Bearer ${expired}`), 'expired');
  t.equal(await authenticate(`Bearer fgw_${'x'.repeat(43)}`), 'invalid');
  t.equal(asked, 0);
  t.equal(await authenticate(`Bearer ${jwt()}`), 'unverified');
  t.equal(asked, 1);
});
