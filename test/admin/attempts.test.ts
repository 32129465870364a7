/** Who guesses tokens has to wait, and nobody else. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { jwkOf, makeJwt, makeKey } from '../auth/jwt-maker.ts';
import { formatRequest, request } from '../helpers/raw-client.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';
import { startAdmin } from './started-admin.ts';

const guess = (port: number, localAddress: string, authorization?: string) =>
  request(
    port,
    formatRequest(
      'GET',
      '/api/gateway/status',
      authorization === undefined ? {} : { Authorization: authorization },
    ),
    { localAddress },
  );

async function failTenTimes(t: Test, port: number, localAddress: string): Promise<void> {
  for (let attempt = 1; attempt <= 10; attempt += 1) {
    const { status } = await guess(port, localAddress, attempt % 2 === 0 ? 'Bearer no' : 'Basic bm86');
    t.equal(status, 401);
  }
}

t.test('who guesses tokens has to wait; who has one never does, from the same address either', async (t) => {
  const other = await startAdmin(t);
  await failTenTimes(t, other.port, '127.0.0.2');
  const limited = await guess(other.port, '127.0.0.2', 'Bearer no');
  t.same([limited.status, JSON.parse(limited.text).code], [429, 'GW_ERR_TOO_MANY_ATTEMPTS']);
  t.ok(Number(limited.header('retry-after')) >= 1);
  t.equal(
    (await guess(other.port, '127.0.0.3', 'Bearer no')).status,
    401,
    'others have attempts of their own',
  );
  t.equal((await guess(other.port, '127.0.0.2')).status, 401, 'without a token nothing is guessed');
  for (const role of ['reader', 'admin'] as const) {
    t.equal((await guess(other.port, '127.0.0.2', `Bearer ${other.tokens[role]}`)).status, 200, role);
  }
});

t.test('a JWT is not even verified for an address that has guessed too often', async (t) => {
  const key = makeKey('ES256');
  const keysFile = join(await createTemporaryDirectory(t), 'jwks.json');
  await writeFile(keysFile, JSON.stringify({ keys: [jwkOf(key.publicKey)] }));
  const jwt = { issuer: 'i', audience: 'a', keysFile, roleClaim: 'roles', clockToleranceSec: 0 };
  const other = await startAdmin(t, { jwt });
  const claims = { iss: 'i', aud: 'a', sub: 'alice', exp: 10_000_000_000, roles: 'reader' };
  const bearer = `Bearer ${makeJwt(key, { alg: 'ES256' }, claims)}`;
  t.equal((await guess(other.port, '127.0.0.2', bearer)).status, 200);
  await failTenTimes(t, other.port, '127.0.0.2');
  const limited = await guess(other.port, '127.0.0.2', bearer);
  t.equal(limited.status, 429);
  t.ok(Number(limited.header('retry-after')) >= 1);
  t.equal((await guess(other.port, '127.0.0.3', bearer)).status, 200);
  t.equal((await guess(other.port, '127.0.0.2', `Bearer ${other.tokens.reader}`)).status, 200);
});

t.test('a request without a token is no attempt', async (t) => {
  const admin = await startAdmin(t);
  for (let count = 0; count < 30; count += 1) await admin.call('GET', 'status', { as: null });
  t.equal((await admin.call('GET', 'status')).status, 200);
});
