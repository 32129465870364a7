import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { authenticationSettingsFrom } from '../../lib/cli/authentication-settings.ts';

const JWT = {
  GATEWAY_ADMIN_JWT_ISSUER: 'https://idp.example.com/',
  GATEWAY_ADMIN_JWT_AUDIENCE: 'admin',
  GATEWAY_ADMIN_JWT_KEYS_FILE: '/etc/jwks.json',
};

t.test('nothing set: nothing but the tokens of the state directory', async (t) => {
  t.same(authenticationSettingsFrom({}), { environmentToken: null, jwt: null });
  t.same(authenticationSettingsFrom({ GATEWAY_ADMIN_TOKEN: '', GATEWAY_ADMIN_JWT_ISSUER: '' }), {
    environmentToken: null,
    jwt: null,
  });
});

t.test('the token comes from the environment or from a file', async (t) => {
  const file = join(t.testdir(), 'token');
  writeFileSync(file, 'from-file\n');
  t.match(authenticationSettingsFrom({ GATEWAY_ADMIN_TOKEN: 'given' }), { environmentToken: 'given' });
  t.match(authenticationSettingsFrom({ GATEWAY_ADMIN_TOKEN_FILE: file }), { environmentToken: 'from-file' });
});

t.test('JWTs need issuer, audience and keys; the rest has defaults', async (t) => {
  t.same(authenticationSettingsFrom(JWT).jwt, {
    issuer: 'https://idp.example.com/',
    audience: 'admin',
    keysFile: '/etc/jwks.json',
    roleClaim: 'roles',
    clockToleranceSec: 30,
  });
  const custom = { ...JWT, GATEWAY_ADMIN_JWT_ROLE_CLAIM: 'groups' };
  t.match(authenticationSettingsFrom(custom).jwt, { roleClaim: 'groups' });
  for (const name of Object.keys(JWT)) {
    const alone = { [name]: 'x' };
    t.throws(
      () => authenticationSettingsFrom(alone),
      { name: 'RangeError', message: /belong together/ },
      name,
    );
  }
});

t.test(
  'a claim for the role, and nothing else about JWTs, is an error: nobody would be let in',
  async (t) => {
    t.throws(() => authenticationSettingsFrom({ GATEWAY_ADMIN_JWT_ROLE_CLAIM: 'groups' }), {
      name: 'RangeError',
      message: /GATEWAY_ADMIN_JWT_ROLE_CLAIM .* GATEWAY_ADMIN_JWT_ISSUER/,
    });
    t.match(authenticationSettingsFrom({ GATEWAY_ADMIN_JWT_ROLE_CLAIM: '' }), { jwt: null });
  },
);
