/** The static tokens of an instance, in `tokens.json` of its state directory. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCodeOf, fileError } from '../store/file-error.ts';
import { openStateDirectory } from '../store/state-directory.ts';
import { removeAbandonedFiles, writeFileAtomically } from '../store/write-file-atomically.ts';
import { ChangingFile } from './changing-file.ts';
import { editExclusively } from './edit-lock.ts';
import type { Role } from './roles.ts';
import {
  decodeTokens,
  digestOf,
  encodeTokens,
  findByDigest,
  generateToken,
  hasExpired,
  isTokenName,
  type TokenEntry,
} from './token-entry.ts';

const FILE_NAME = 'tokens.json';
/** Each attempt to log in compares with every token, so there must be an end to them. */
const MAX_TOKENS = 1_000;
/** The actor of the token that the environment gives: no other may be recorded under it. */
export const ENVIRONMENT_ACTOR = 'environment';

export type FoundToken = { readonly kind: 'valid' | 'expired'; readonly entry: TokenEntry };

/**
 * The tokens as the gateway sees them: a token that is created or revoked while it runs counts within a
 * second. Where the file is damaged or unreadable, the tokens that were known go on working and no others
 * do (see `ChangingFile`). Where the file is gone, no token works: somebody who removes it means that, and
 * a start would find none either.
 */
export class TokenFile {
  readonly #file: ChangingFile<readonly TokenEntry[]>;

  private constructor(file: ChangingFile<readonly TokenEntry[]>) {
    this.#file = file;
  }

  /** @throws Error where the file is there but damaged or unreadable: that is never taken for no tokens */
  static async open(stateDirectory: string, onProblem: (message: string) => void): Promise<TokenFile> {
    const path = join(stateDirectory, FILE_NAME);
    return new TokenFile(await ChangingFile.open(path, parseTokens, onProblem));
  }

  /** The token's entry; null where there is none. Never throws. */
  async find(token: string, nowMs: number): Promise<FoundToken | null> {
    const digest = digestOf(token);
    const entry =
      findByDigest(await this.#file.current(nowMs), digest) ??
      findByDigest(await this.#file.latest(nowMs), digest);
    if (entry === null) return null;
    return { kind: hasExpired(entry, nowMs) ? 'expired' : 'valid', entry };
  }
}

export interface TokenOrder {
  readonly name: string;
  readonly role: Role;
  readonly now: Date;
  /** Null: the token never expires. */
  readonly expiresAt: Date | null;
}

export interface CreatedToken {
  /** The token itself, which cannot be had again. */
  readonly token: string;
  readonly entry: TokenEntry;
}

/**
 * Creates a token; makes the state directory where there is none. `keep` gets the token before it becomes
 * valid, for whoever must not lose it to a crash in between.
 * @throws Error where the name is taken or not acceptable, or the file cannot be read or written
 */
export async function createToken(
  stateDirectory: string,
  order: TokenOrder,
  keep: (token: string) => Promise<void> = async () => {},
): Promise<CreatedToken> {
  checkName(order.name);
  const directory = await openStateDirectory(stateDirectory);
  const token = generateToken();
  const entry = entryOf(order, token);
  await editTokens(directory, async (entries) => {
    checkRoom(entries, order.name);
    await keep(token);
    return [...entries, entry];
  });
  return { token, entry };
}

/** All tokens, oldest first; none where there is no file. @throws Error where it is damaged or unreadable */
export async function listTokens(stateDirectory: string): Promise<readonly TokenEntry[]> {
  return readTokens(join(stateDirectory, FILE_NAME));
}

/** @throws Error where there is no such token, or the file cannot be read or written */
export async function revokeToken(stateDirectory: string, name: string): Promise<void> {
  const refuse = (): never => {
    throw new Error(`there is no token "${name}" in ${stateDirectory}: \`token list\` shows what there is`);
  };
  if (!(await listTokens(stateDirectory)).some((entry) => entry.name === name)) refuse();
  await editTokens(stateDirectory, async (entries) => {
    const kept = entries.filter((entry) => entry.name !== name);
    return kept.length === entries.length ? refuse() : kept;
  });
}

function checkName(name: string): void {
  if (!isTokenName(name)) {
    throw new Error(
      `${JSON.stringify(name)} cannot be the name of a token: use 1 to 64 letters, digits, '.', '_' and '-', the first a letter or digit`,
    );
  }
  if (name === ENVIRONMENT_ACTOR) {
    throw new Error(`"${name}" stands for the token in GATEWAY_ADMIN_TOKEN: choose another name`);
  }
}

function checkRoom(entries: readonly TokenEntry[], name: string): void {
  const taken = entries.find((entry) => entry.name === name);
  if (taken !== undefined) {
    throw new Error(
      `there is a token "${name}" already, created at ${taken.createdAt}: revoke it first, or choose another name`,
    );
  }
  if (entries.length >= MAX_TOKENS) {
    throw new Error(`there are ${MAX_TOKENS} tokens already, which is the most: revoke some first`);
  }
}

function entryOf({ name, role, now, expiresAt }: TokenOrder, token: string): TokenEntry {
  return {
    name,
    role,
    sha256: digestOf(token).toString('hex'),
    createdAt: now.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
  };
}

async function editTokens(
  directory: string,
  edit: (entries: readonly TokenEntry[]) => Promise<readonly TokenEntry[]>,
): Promise<void> {
  const path = join(directory, FILE_NAME);
  await checkOwner(directory);
  await editExclusively(path, async (verify) => {
    await removeAbandonedFiles(path);
    const edited = encodeTokens(await edit(await readTokens(path)));
    await verify();
    await writeFileAtomically(path, edited);
  });
}

/** What root writes with mode 0600, a gateway that runs as somebody else could not read. */
async function checkOwner(directory: string): Promise<void> {
  const { uid } = await stat(directory);
  if (process.getuid?.() === 0 && uid !== 0) {
    throw new Error(`${directory} belongs to user ${uid}: run this command as that user`);
  }
}

async function readTokens(path: string): Promise<readonly TokenEntry[]> {
  let text: string | null = null;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errorCodeOf(error) !== 'ENOENT') throw fileError('read', path, error);
  }
  try {
    return parseTokens(text);
  } catch (error) {
    throw fileError('use', path, error);
  }
}

function parseTokens(text: string | null): readonly TokenEntry[] {
  if (text === null) return [];
  try {
    return decodeTokens(text);
  } catch (error) {
    throw new Error(`${(error as Error).message}; restore it, or move it away and create the tokens anew`, {
      cause: error,
    });
  }
}
