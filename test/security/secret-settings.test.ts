/** Every secret among the settings may come from a file, and is taken out of the environment. */
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { authenticationSettingsFrom } from '../../lib/cli/authentication-settings.ts';
import { redisSettingsFrom, redisUrlFrom } from '../../lib/cli/redis-settings.ts';
import { findToken } from '../../lib/cli/remote/api-token.ts';
import { removeSecrets } from '../../lib/cli/secret-from-environment.ts';
import { createTemporaryDirectory } from '../helpers/temporary-directory.ts';

const SOURCES = fileURLToPath(new URL('../../lib', import.meta.url));
const SENTINELS = 'redis+sentinel://localhost:26379/main';

type Environment = Readonly<Record<string, string>>;

/** What the gateway makes of an environment: how each secret is read. */
const READERS: Readonly<Record<string, (environment: Environment) => unknown>> = {
  GATEWAY_TOKEN: (environment) => findToken(environment).token,
  GATEWAY_ADMIN_TOKEN: (environment) => authenticationSettingsFrom(environment).environmentToken,
  GATEWAY_REDIS_URL: (environment) => redisUrlFrom(undefined, environment)?.url,
  GATEWAY_REDIS_PASSWORD: (environment) => redisSettingsFrom(SENTINELS, false, environment),
  GATEWAY_REDIS_SENTINEL_PASSWORD: (environment) => redisSettingsFrom(SENTINELS, false, environment),
};

async function fileOf(t: Test, text: string): Promise<string> {
  const path = join(await createTemporaryDirectory(t), 'secret');
  await writeFile(path, text);
  return path;
}

/** They name files of keys, which are read by whoever needs them. */
const FILE_VARIABLES: ReadonlySet<string> = new Set(['GATEWAY_ADMIN_KEY', 'GATEWAY_ADMIN_TLS_KEY']);

/** The names of all variables in the sources that sound like secrets. */
function listSecretVariables(): string[] {
  const names = new Set<string>();
  for (const entry of readdirSync(SOURCES, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const text = readFileSync(join(entry.parentPath, entry.name), 'utf8');
    for (const [name] of text.matchAll(/\bGATEWAY_[A-Z_]+\b/g)) names.add(name);
  }
  const secret = /TOKEN|PASSWORD|PASSPHRASE|SECRET|CREDENTIAL|PRIVATE|REDIS_URL|KEY$/;
  return [...names]
    .filter((name) => secret.test(name) && !name.endsWith('_FILE') && !FILE_VARIABLES.has(name))
    .sort();
}

t.test('the sources know no secret among the settings that is not tested here', async (t) => {
  t.same(listSecretVariables(), Object.keys(READERS).sort());
});

for (const [name, read] of Object.entries(READERS)) {
  t.test(`${name} may come from the file that ${name}_FILE names`, async (t) => {
    const secret =
      name === 'GATEWAY_REDIS_URL' ? 'redis://user:from-a-file@localhost' : 'from-a-file-from-a-file';
    const found = read({ [`${name}_FILE`]: await fileOf(t, `${secret}\n`) });
    t.same(found, read({ [name]: secret }));
    t.match(JSON.stringify(found), secret);
    t.throws(() => read({ [name]: secret, [`${name}_FILE`]: '/none' }), 'not both');
  });

  t.test(`${name} is taken out of the environment, which workers inherit`, async (t) => {
    const environment: NodeJS.ProcessEnv = {
      [name]: 'secret',
      [`${name}_FILE`]: '/file',
      JWT_SECRET: 'kept',
    };
    removeSecrets(environment);
    t.same(environment, { [`${name}_FILE`]: '/file', JWT_SECRET: 'kept' });
  });
}
