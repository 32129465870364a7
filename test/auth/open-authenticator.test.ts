import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type AuthenticationSettings, openAuthenticator } from '../../lib/auth/open-authenticator.ts';
import { createToken, listTokens, revokeToken } from '../../lib/auth/token-file.ts';
import { jwkOf, makeKey } from './jwt-maker.ts';

const NOTHING: AuthenticationSettings = { environmentToken: null, jwt: null };
const ENVIRONMENT_TOKEN = 'environment-token-0123456789';

function open(directory: string, settings: Partial<AuthenticationSettings> = {}) {
  const logged: unknown[] = [];
  const log = { error: (...words: unknown[]) => logged.push(words) };
  return openAuthenticator({ ...NOTHING, ...settings }, directory, log).then((opened) => ({
    ...opened,
    logged,
  }));
}

const readToken = (path: string | null) => readFileSync(path ?? '', 'utf8');

t.test('the first start creates a token that works, readable by the owner alone', async (t) => {
  const directory = t.testdir();
  const { authenticator, createdTokenFile, logged } = await open(directory);
  t.equal(createdTokenFile, join(directory, 'admin.token'));
  t.equal(statSync(createdTokenFile ?? '').mode & 0o777, 0o600);
  const token = readToken(createdTokenFile);
  t.match(token, /^fgw_[A-Za-z0-9_-]{43}\n$/);
  const result = await authenticator.authenticate(`Bearer ${token.trim()}`, Date.now());
  t.same(result, { kind: 'ok', actor: 'admin', role: 'admin' });
  t.same(logged, []);
  const again = await open(directory);
  t.equal(again.createdTokenFile, null);
  t.equal(readToken(createdTokenFile), token);
  t.same(readdirSync(directory).sort(), ['admin.token', 'tokens.json']);
});

t.test('a start that died before the token was stored is made good by the next one', async (t) => {
  const directory = t.testdir({ 'admin.token': 'fgw_lost\n' });
  const { authenticator, createdTokenFile } = await open(directory);
  const token = readToken(createdTokenFile).trim();
  t.not(token, 'fgw_lost');
  t.match(await authenticator.authenticate(`Bearer ${token}`, Date.now()), { kind: 'ok' });
});

t.test('no token is created where somebody can get in another way', async (t) => {
  const keys = { keys: [jwkOf(makeKey('EdDSA').publicKey)] };
  const directory = t.testdir({ 'jwks.json': JSON.stringify(keys), state: {} });
  const keysFile = join(directory, 'jwks.json');
  const jwt = { issuer: 'i', audience: 'a', keysFile, roleClaim: 'roles', clockToleranceSec: 30 };
  for (const settings of [{ environmentToken: ENVIRONMENT_TOKEN }, { jwt }]) {
    t.equal((await open(join(directory, 'state'), settings)).createdTokenFile, null);
    t.same(readdirSync(join(directory, 'state')), []);
  }
});

t.test('after all tokens were revoked, one is created only where nothing else is left', async (t) => {
  const directory = t.testdir();
  await createToken(directory, { name: 'a', role: 'reader', now: new Date(), expiresAt: null });
  t.equal(
    (await open(directory)).createdTokenFile,
    null,
    'a token of another role is a choice that somebody made',
  );
  await revokeToken(directory, 'a');
  t.equal((await open(directory, { environmentToken: ENVIRONMENT_TOKEN })).createdTokenFile, null);
  t.ok((await open(directory)).createdTokenFile);
  t.match(await listTokens(directory), [{ name: 'admin', role: 'admin', expiresAt: null }]);
});

t.test('a damaged file of tokens stops the start', async (t) => {
  const directory = t.testdir({ 'tokens.json': '{"format":"fengling-gateway/tokens/1"}' });
  await t.rejects(open(directory), /cannot use .*tokens\.json: .*restore it/);
  t.notOk(existsSync(join(directory, 'admin.token')));
});

t.test('what breaks later is logged, without any token', async (t) => {
  const directory = t.testdir();
  const { authenticator, logged, createdTokenFile } = await open(directory);
  writeFileSync(join(directory, 'tokens.json'), 'x');
  const token = readToken(createdTokenFile).trim();
  t.match(await authenticator.authenticate(`Bearer ${token}`, Date.now() + 1_000), { kind: 'ok' });
  t.match(logged, [
    [{ problem: /tokens\.json/ }, /the tokens cannot be read: those that were known stay valid/],
  ]);
  t.notOk(JSON.stringify(logged).includes(token));
});

t.test('a token of the environment that is weak or cannot be sent is refused', async (t) => {
  const directory = t.testdir();
  await t.rejects(open(directory, { environmentToken: 'x'.repeat(23) }), /has 23 characters, it needs 24/);
  for (const environmentToken of [
    'a token with spaces in it, so long',
    `${'x'.repeat(24)}\n`,
    'x'.repeat(8_193),
    'ü'.repeat(24),
  ]) {
    const error = await open(directory, { environmentToken }).catch((reason: Error) => reason);
    t.match((error as Error).message, 'cannot be sent as a Bearer token');
    t.notOk((error as Error).message.includes(environmentToken));
  }
});
