import { parseRedisUrl, type RedisSecrets, type RedisSettings } from '../store/redis/redis-url.ts';
import { readNamedFile, readSecret } from './secret-from-environment.ts';

export interface RedisUrl {
  readonly url: string;
  /** Whether it was given by the flag `--redis`, which everybody on the host can read. */
  readonly fromFlag: boolean;
}

/**
 * Finds the URL of the store: `flagValue`, or GATEWAY_REDIS_URL, or in the file that GATEWAY_REDIS_URL_FILE
 * names.
 * @returns null where no Redis store is set
 * @throws RangeError or Error where the settings contradict each other or the file cannot be read
 */
export function redisUrlFrom(flagValue: string | undefined, environment: NodeJS.ProcessEnv): RedisUrl | null {
  if (flagValue !== undefined && flagValue !== '') return { url: flagValue, fromFlag: true };
  const url = readSecret(environment, 'GATEWAY_REDIS_URL');
  return url === null ? null : { url, fromFlag: false };
}

/**
 * Settings of the store at `url`, with the secrets of `environment`: GATEWAY_REDIS_USERNAME, _PASSWORD,
 * _SENTINEL_USERNAME, _SENTINEL_PASSWORD, _CA_FILE, _CERT_FILE, _KEY_FILE and _PREFIX.
 * @throws RangeError or Error with one line that holds no secret
 */
export function redisSettingsFrom(
  url: string,
  fromFlag: boolean,
  environment: NodeJS.ProcessEnv,
): RedisSettings {
  // Before the URL is checked as a whole: what is wrong with the rest of it can wait.
  if (fromFlag && hasPassword(url)) {
    throw new RangeError(
      '--redis: leave the password out of the URL: anyone can see a flag with ps; set GATEWAY_REDIS_PASSWORD or GATEWAY_REDIS_PASSWORD_FILE',
    );
  }
  const secrets = readRedisSecrets(environment);
  try {
    return parseRedisUrl(url, secrets);
  } catch (error) {
    if (error instanceof RangeError) throw new RangeError(`Redis settings: ${error.message}`);
    throw error;
  }
}

/** Before the last @ everything may be meant as user and password, also what a parser would take apart otherwise. */
function hasPassword(url: string): boolean {
  return /^[^:/@]*:(?:\/\/)?[^:]*:.+@/s.test(url);
}

function readRedisSecrets(environment: NodeJS.ProcessEnv): RedisSecrets {
  return {
    username: environment.GATEWAY_REDIS_USERNAME || null,
    password: readSecret(environment, 'GATEWAY_REDIS_PASSWORD'),
    sentinelUsername: environment.GATEWAY_REDIS_SENTINEL_USERNAME || null,
    sentinelPassword: readSecret(environment, 'GATEWAY_REDIS_SENTINEL_PASSWORD'),
    ca: readNamedFile(environment, 'GATEWAY_REDIS_CA_FILE'),
    cert: readNamedFile(environment, 'GATEWAY_REDIS_CERT_FILE'),
    key: readNamedFile(environment, 'GATEWAY_REDIS_KEY_FILE'),
    prefix: environment.GATEWAY_REDIS_PREFIX || null,
  };
}
