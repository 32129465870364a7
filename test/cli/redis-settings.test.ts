/** Where the Redis store is, and its secrets: from the flag, the environment and files. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { redisSettingsFrom, redisUrlFrom } from '../../lib/cli/redis-settings.ts';
import { readSecret } from '../../lib/cli/secret-from-environment.ts';
import { createCertificate } from '../helpers/certificate.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';

const directory = await createTemporaryDirectory(t);

async function fileOf(content: string): Promise<string> {
  const path = join(directory, `secret-${Math.random()}`);
  await writeFile(path, content);
  return path;
}

t.test('a secret comes from its variable or from the file that it names', async (t) => {
  const path = await fileOf('from file\r\n\n');
  t.equal(readSecret({}, 'NAME'), null);
  t.equal(readSecret({ NAME: '', NAME_FILE: '' }, 'NAME'), null, 'empty is not set');
  t.equal(readSecret({ NAME: ' value\n' }, 'NAME'), ' value\n');
  t.equal(readSecret({ NAME_FILE: path }, 'NAME'), 'from file');
  t.equal(readSecret({ NAME_FILE: await fileOf(' a \nb ') }, 'NAME'), ' a \nb ', 'only the end is trimmed');
  t.throws(() => readSecret({ NAME: 'a', NAME_FILE: path }, 'NAME'), {
    message: 'NAME and NAME_FILE are both set: unset one of them',
  });
});

t.test('a file of a secret that cannot be used is named, with its variable', async (t) => {
  const missing = join(directory, 'missing');
  const cases: [path: string, hint: string][] = [
    [missing, `NAME_FILE: cannot read ${missing}: no such file or directory (ENOENT)`],
    [directory, `NAME_FILE: cannot read ${directory}: illegal operation on a directory (EISDIR)`],
  ];
  for (const [path, message] of cases) t.throws(() => readSecret({ NAME_FILE: path }, 'NAME'), { message });
  t.throws(() => readSecret({ NAME_FILE: '/dev/null' }, 'NAME'), { message: /\/dev\/null is empty/ });
  const empty = await fileOf('\n');
  t.throws(() => readSecret({ NAME_FILE: empty }, 'NAME'), { message: `NAME_FILE: ${empty} is empty` });
  const large = await fileOf('a'.repeat(1_048_577));
  t.throws(() => readSecret({ NAME_FILE: large }, 'NAME'), { message: /larger than 1048576 bytes/ });
});

t.test('the flag goes before the environment', async (t) => {
  const GATEWAY_REDIS_URL = 'redis://from-environment';
  t.equal(redisUrlFrom(undefined, {}), null);
  t.equal(redisUrlFrom('', { GATEWAY_REDIS_URL: '' }), null);
  t.same(redisUrlFrom('redis://from-flag', { GATEWAY_REDIS_URL }), {
    url: 'redis://from-flag',
    fromFlag: true,
  });
  t.same(redisUrlFrom(undefined, { GATEWAY_REDIS_URL }), { url: GATEWAY_REDIS_URL, fromFlag: false });
  const GATEWAY_REDIS_URL_FILE = await fileOf('redis://from-file\n');
  t.same(redisUrlFrom(undefined, { GATEWAY_REDIS_URL_FILE }), { url: 'redis://from-file', fromFlag: false });
  t.throws(() => redisUrlFrom(undefined, { GATEWAY_REDIS_URL, GATEWAY_REDIS_URL_FILE }), /both set/);
});

t.test('a password in a flag is refused, in the environment it is not', async (t) => {
  for (const url of [
    'redis://u:geheim@h',
    'redis://:geheim@h',
    'redis+cluster://:g@geheim@h',
    'x://:geheim/@',
    'redis://a@b:geheim@h:1',
    'redis:u:geheim@h',
    'redis://h1:1,u:geheim@h2',
  ]) {
    const failure = t.throws(() => redisSettingsFrom(url, true, {}), RangeError) as unknown as Error;
    t.match(failure.message, /--redis: .* ps; set GATEWAY_REDIS_PASSWORD/, url);
    t.notMatch(failure.message, /geheim/);
  }
  t.equal(redisSettingsFrom('redis://u:geheim@h', false, {}).password, 'geheim');
  const environment = { GATEWAY_REDIS_PASSWORD: 'geheim' };
  t.match(redisSettingsFrom('redis://u@h', true, environment), { username: 'u', password: 'geheim' });
});

t.test('each variable has its place in the settings', async (t) => {
  const { ca, cert, key, caFile, certFile, keyFile } = await createCertificate(t);
  const settings = redisSettingsFrom('rediss+sentinel://a,b/m', true, {
    GATEWAY_REDIS_USERNAME: 'user',
    GATEWAY_REDIS_PASSWORD_FILE: await fileOf('password\n'),
    GATEWAY_REDIS_SENTINEL_USERNAME: 'sentinel user',
    GATEWAY_REDIS_SENTINEL_PASSWORD_FILE: await fileOf('sentinel password\n'),
    GATEWAY_REDIS_CA_FILE: caFile,
    GATEWAY_REDIS_CERT_FILE: certFile,
    GATEWAY_REDIS_KEY_FILE: keyFile,
    GATEWAY_REDIS_PREFIX: '{test}:',
  });
  t.match(settings, {
    username: 'user',
    password: 'password',
    sentinelUsername: 'sentinel user',
    sentinelPassword: 'sentinel password',
    tls: { ca: ca.trimEnd(), cert: cert.trimEnd(), key: key.trimEnd(), serverName: null },
    prefix: '{test}:',
    description: 'rediss+sentinel://a:26379,b:26379/m/0',
  });
});

t.test('settings that cannot work together say that they are those of Redis', async (t) => {
  const failure = { message: /^Redis settings: the prefix / };
  t.throws(() => redisSettingsFrom('redis://h', true, { GATEWAY_REDIS_PREFIX: 'no tag' }), failure);
  t.throws(() => redisSettingsFrom('redis://h', true, { GATEWAY_REDIS_CA_FILE: '/none' }), {
    message: 'GATEWAY_REDIS_CA_FILE: cannot read /none: no such file or directory (ENOENT)',
  });
});
