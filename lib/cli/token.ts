/** `gateway token …`: the static tokens of the management API, in the state directory. They need no running gateway. */
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { ROLES, type Role } from '../auth/roles.ts';
import { hasExpired, type TokenEntry } from '../auth/token-entry.ts';
import { createToken, listTokens, revokeToken } from '../auth/token-file.ts';
import { formatTable } from './table.ts';

interface CommonOptions {
  readonly state: string;
  readonly json: boolean;
}

interface CreateOptions extends CommonOptions {
  readonly role: Role;
  readonly expiresIn?: number;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const LONGEST_LIFETIME_MS = 10 * 366 * 86_400_000;

/** Adds `token create`, `token list` and `token revoke` to the command line. */
export function addTokenCommands(program: Command): void {
  const token = program.command('token').description('create, list and revoke tokens for the management API');
  addCommonOptions(
    token
      .command('create')
      .description('create a token and print it, which happens only once; a running gateway takes it at once')
      .argument('<name>', 'what its changes are recorded under')
      .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).makeOptionMandatory())
      .addOption(
        new Option('--expires-in <time>', 'how long it is valid, such as 90d or 12h')
          .argParser(parseLifetime)
          .default(undefined, 'for ever'),
      ),
  ).action(reportErrors(create));
  addCommonOptions(token.command('list').description('show the tokens that there are')).action(
    reportErrors(list),
  );
  addCommonOptions(
    token
      .command('revoke')
      .description('take a token away; a running gateway refuses it within a second')
      .argument('<name>'),
  ).action(reportErrors(revoke));
}

function addCommonOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--state <dir>', 'state directory of the gateway')
        .env('GATEWAY_STATE')
        .default('./.gateway'),
    )
    .option('--json', 'for scripts', false);
}

/** Ends a command that fails with one line and exit code 1. Commander hands over the command as the last argument. */
function reportErrors<A extends unknown[]>(action: (...words: A) => Promise<void>) {
  return async (...words: [...A, Command]): Promise<void> => {
    try {
      await action(...(words as unknown as A));
    } catch (error) {
      (words.at(-1) as Command).error(`error: ${(error as Error).message}`);
    }
  };
}

async function create(name: string, { role, expiresIn, state, json }: CreateOptions): Promise<void> {
  const now = new Date();
  const expiresAt = expiresIn === undefined ? null : new Date(now.getTime() + expiresIn);
  const { token, entry } = await createToken(state, { name, role, now, expiresAt });
  if (json) {
    print({ ...describe(entry), token });
    return;
  }
  const validity = entry.expiresAt === null ? 'does not expire' : `expires at ${entry.expiresAt}`;
  process.stderr.write(
    `token "${name}", role ${role}, ${validity}, in ${resolve(state)}; keep it: it cannot be shown again\n`,
  );
  process.stdout.write(`${token}\n`);
}

async function list({ state, json }: CommonOptions): Promise<void> {
  const entries = await listTokens(state);
  if (json) {
    print(entries.map(describe));
  } else if (entries.length === 0) {
    process.stderr.write(`there are no tokens in ${resolve(state)}\n`);
  } else {
    process.stdout.write(formatTable(['NAME', 'ROLE', 'CREATED', 'EXPIRES'], entries.map(listRow)));
  }
}

async function revoke(name: string, { state, json }: CommonOptions): Promise<void> {
  await revokeToken(state, name);
  if (json) print({ name, revoked: true });
  else process.stderr.write(`token "${name}" is revoked\n`);
}

/** All but the hash, which is nobody's business. */
function describe({ name, role, createdAt, expiresAt }: TokenEntry): Omit<TokenEntry, 'sha256'> {
  return { name, role, createdAt, expiresAt };
}

function listRow(entry: TokenEntry): string[] {
  const expires = entry.expiresAt ?? 'never';
  const mark = hasExpired(entry, Date.now()) ? ' (expired)' : '';
  return [entry.name, entry.role, entry.createdAt, `${expires}${mark}`];
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Reads a number and a unit, as in `90d`. Returns milliseconds. */
function parseLifetime(text: string): number {
  const match = /^(\d{1,9})([smhdw])$/.exec(text);
  const lifetimeMs = Number(match?.[1]) * (UNIT_MS[match?.[2] ?? ''] ?? 0);
  if (match === null || lifetimeMs === 0 || lifetimeMs > LONGEST_LIFETIME_MS) {
    throw new InvalidArgumentError('give a number and s, m, h, d or w, such as 90d; at most 10 years.');
  }
  return lifetimeMs;
}
