import { join } from 'node:path';
import { writeFileAtomically } from '../store/write-file-atomically.ts';
import { Authenticator } from './authenticator.ts';
import { canBeBearerToken } from './bearer-token.ts';
import type { JwtSettings, JwtVerifier } from './jwt-verifier.ts';
import { digestOf } from './token-entry.ts';
import { createToken, listTokens, TokenFile } from './token-file.ts';

export interface AuthenticationSettings {
  /** Of the role admin; at least 24 characters. Null where the environment gives none. */
  readonly environmentToken: string | null;
  readonly jwt: JwtSettings | null;
}

export interface OpenedAuthenticator {
  readonly authenticator: Authenticator;
  /** Where the token is that this start created, as there was none; null where it created none. To be logged. */
  readonly createdTokenFile: string | null;
}

/** What is needed of a logger. */
export interface ProblemLog {
  error(fields: { readonly file: string; readonly problem: string }, message: string): void;
}

const FIRST_TOKEN_NAME = 'admin';
const FIRST_TOKEN_FILE = 'admin.token';
const MIN_ENVIRONMENT_TOKEN_CHARACTERS = 24;

/**
 * Opens the sources of tokens for the management API: the tokens of the state directory, the one that the
 * environment gives, and JWTs. Where none of them could let anybody in, creates a token of the role admin
 * and writes it to `admin.token` in the state directory, readable by its owner alone. It is never logged.
 * @throws Error where a setting cannot be used, or a file is damaged, unreadable or cannot be written
 */
export async function openAuthenticator(
  settings: AuthenticationSettings,
  stateDirectory: string,
  log: ProblemLog,
): Promise<OpenedAuthenticator> {
  const { environmentToken } = settings;
  if (environmentToken !== null) checkEnvironmentToken(environmentToken);
  const jwt = settings.jwt === null ? null : await openJwtVerifier(settings.jwt, log);
  const isOpenToNobody =
    environmentToken === null && jwt === null && (await listTokens(stateDirectory)).length === 0;
  const createdTokenFile = isOpenToNobody ? await createFirstToken(stateDirectory) : null;
  const tokens = await openTokenFile(stateDirectory, log);
  const environmentDigest = environmentToken === null ? null : digestOf(environmentToken);
  return { authenticator: new Authenticator({ tokens, environmentDigest, jwt }), createdTokenFile };
}

function checkEnvironmentToken(token: string): void {
  if (token.length < MIN_ENVIRONMENT_TOKEN_CHARACTERS) {
    throw new Error(
      `the token in GATEWAY_ADMIN_TOKEN has ${token.length} characters, it needs ${MIN_ENVIRONMENT_TOKEN_CHARACTERS}: ` +
        'take one from `openssl rand -base64 32`',
    );
  }
  if (!canBeBearerToken(token)) {
    throw new Error(
      'the token in GATEWAY_ADMIN_TOKEN cannot be sent as a Bearer token: ' +
        "use letters, digits, '-', '.', '_', '~', '+' and '/', at most 8192 of them",
    );
  }
}

async function openJwtVerifier(settings: JwtSettings, log: ProblemLog): Promise<JwtVerifier> {
  // Only for those who have keys for JWTs: the library that verifies them is large.
  const { JwtVerifier } = await import('./jwt-verifier.ts');
  return JwtVerifier.open(settings, (problem) => {
    const message =
      'the keys for JWTs cannot be read: those that were known stay in use, new ones are not seen';
    log.error({ file: settings.keysFile, problem }, message);
  });
}

function openTokenFile(stateDirectory: string, log: ProblemLog): Promise<TokenFile> {
  return TokenFile.open(stateDirectory, (problem) => {
    const message = 'the tokens cannot be read: those that were known stay valid, changes are not seen';
    log.error({ file: stateDirectory, problem }, message);
  });
}

/** The file is written first: after a crash in between, the next start finds no token and does it again. */
async function createFirstToken(stateDirectory: string): Promise<string> {
  const path = join(stateDirectory, FIRST_TOKEN_FILE);
  const order = { name: FIRST_TOKEN_NAME, role: 'admin', now: new Date(), expiresAt: null } as const;
  await createToken(stateDirectory, order, (token) => writeFileAtomically(path, `${token}\n`));
  return path;
}
