/** The token that commands send to the management API. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { canBeBearerToken } from '../../auth/bearer-token.ts';
import { errorCodeOf } from '../../store/file-error.ts';
import { readSecret } from '../secret-from-environment.ts';

/** The file that the first start leaves in the state directory. */
const FIRST_TOKEN_FILE = 'admin.token';

/** What was given as a token cannot be one. The message is one line that holds nothing of it. */
export class UnusableTokenError extends Error {}

export interface ApiToken {
  /** Null where there is none: what is wrong then is for the gateway to say, if it runs at all. */
  readonly token: string | null;
  /** For people: where it comes from, or how to give one. */
  readonly origin: string;
}

/**
 * Finds the token in GATEWAY_TOKEN, in the file that GATEWAY_TOKEN_FILE names or, on the machine of a gateway,
 * in the file that its first start left in GATEWAY_STATE.
 * @throws UnusableTokenError
 */
export function findToken(environment: NodeJS.ProcessEnv): ApiToken {
  const found = findInEnvironment(environment) ?? readFirstToken(environment.GATEWAY_STATE || './.gateway');
  if (found.token === null || canBeBearerToken(found.token)) return found;
  throw new UnusableTokenError(
    `what ${found.origin} holds cannot be a token: it has characters that none has`,
  );
}

function findInEnvironment(environment: NodeJS.ProcessEnv): ApiToken | null {
  try {
    const token = readSecret(environment, 'GATEWAY_TOKEN');
    if (token === null) return null;
    return { token, origin: environment.GATEWAY_TOKEN ? 'GATEWAY_TOKEN' : 'the file of GATEWAY_TOKEN_FILE' };
  } catch (error) {
    throw new UnusableTokenError((error as Error).message, { cause: error });
  }
}

function readFirstToken(stateDirectory: string): ApiToken {
  const path = join(stateDirectory, FIRST_TOKEN_FILE);
  try {
    return { token: readFileSync(path, 'utf8').trim(), origin: path };
  } catch (error) {
    const reason = `${path}: ${errorCodeOf(error) ?? 'unreadable'}`;
    return {
      token: null,
      origin: `set GATEWAY_TOKEN or GATEWAY_TOKEN_FILE, or GATEWAY_STATE to the gateway's state directory (${reason})`,
    };
  }
}
