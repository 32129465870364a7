import { readFileSync, statSync } from 'node:fs';
import { fileError } from '../store/file-error.ts';

const MAX_FILE_BYTES = 1_048_576;

/**
 * Reads a setting that nobody else may see: from the variable `name`, or from the file that the variable
 * `name`_FILE names, without the line feeds at its end.
 * @returns null where neither is set; a variable that is empty is one that is not set
 * @throws RangeError where both are set, or the file is empty; Error where it cannot be read
 */
export function readSecret(environment: NodeJS.ProcessEnv, name: string): string | null {
  const value = environment[name] || null;
  const fromFile = readNamedFile(environment, `${name}_FILE`);
  if (value !== null && fromFile !== null) {
    throw new RangeError(`${name} and ${name}_FILE are both set: unset one of them`);
  }
  return value ?? fromFile;
}

/** The variables that hold secrets themselves; those that name a file of one tell nothing. */
const SECRET_VARIABLES = [
  'GATEWAY_TOKEN',
  'GATEWAY_ADMIN_TOKEN',
  'GATEWAY_REDIS_URL',
  'GATEWAY_REDIS_PASSWORD',
  'GATEWAY_REDIS_SENTINEL_PASSWORD',
] as const;

/** Takes them out of the environment once they are read: workers inherit it, and have no use for them. */
export function removeSecrets(environment: NodeJS.ProcessEnv): void {
  for (const name of SECRET_VARIABLES) delete environment[name];
}

/**
 * Reads the file that a variable names, as `readSecret` does.
 * @returns null where the variable is not set
 */
export function readNamedFile(environment: NodeJS.ProcessEnv, variable: string): string | null {
  const path = environment[variable] || null;
  if (path === null) return null;
  const content = readText(path, variable).replace(/[\r\n]+$/, '');
  if (content === '') throw new RangeError(`${variable}: ${path} is empty`);
  return content;
}

function readText(path: string, variable: string): string {
  try {
    const { size } = statSync(path);
    if (size > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`${variable}: ${fileError('read', path, error).message}`, { cause: error });
  }
}
