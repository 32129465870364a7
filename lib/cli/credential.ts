/** `gateway credential …`: what consumers come with, and what the configuration keeps of it. Needs no running gateway. */
import type { Command } from 'commander';
import { digestOfApiKey, formatKeyHash, generateApiKey } from '../auth/api-key.ts';
import { hashPassword } from '../auth/password-hash.ts';
import { USERNAME_PATTERN } from '../core/config/patterns.ts';
import { EXIT } from './exit-codes.ts';
import { printErrorLines, printJson } from './output.ts';
import { readPassword } from './password-input.ts';

interface KeyOptions {
  readonly json: boolean;
}

interface PasswordOptions extends KeyOptions {
  readonly username?: string;
}

const USERNAME = new RegExp(USERNAME_PATTERN, 'u');

const PASSWORD_HELP = `
The password comes on standard input, never on the command line, where anyone on the host could read it:
  read -rs password; printf %s "$password" | gateway credential password --username alice`;

/** Adds `credential api-key` and `credential password` to the command line. */
export function addCredentialCommands(program: Command): void {
  const credential = program
    .command('credential')
    .description('make API keys and hashes of passwords for consumers');
  credential
    .command('api-key')
    .description('print a new API key, which happens only once, and its hash for the configuration')
    .option('--json', 'for scripts', false)
    .action(printKey);
  credential
    .command('password')
    .description('read a password from standard input and print its hash for the configuration')
    .option('--username <name>', 'print it as an entry of `passwords`')
    .option('--json', 'for scripts', false)
    .addHelpText('after', PASSWORD_HELP)
    .action(async (options: PasswordOptions) => {
      process.exitCode = await printPassword(options);
    });
}

async function printKey({ json }: KeyOptions): Promise<void> {
  const key = generateApiKey();
  const hash = formatKeyHash(digestOfApiKey(key));
  if (json) {
    printJson({ key, hash });
    return;
  }
  printErrorLines([
    'the first line is the key: give it to the consumer, it cannot be shown again;',
    "the second belongs into the consumer's `apiKeys`",
  ]);
  const { formatYaml } = await import('./yaml-text.ts');
  process.stdout.write(`${key}\n${formatYaml([{ hash }])}`);
}

async function printPassword({ username, json }: PasswordOptions): Promise<number> {
  try {
    checkUsername(username);
    const hash = await hashPassword(await readPassword(process.stdin));
    const entry = username === undefined ? { hash } : { username, hash };
    if (json) {
      printJson(entry);
      return EXIT.ok;
    }
    const { formatYaml } = await import('./yaml-text.ts');
    process.stdout.write(formatYaml(username === undefined ? entry : [entry]));
    return EXIT.ok;
  } catch (error) {
    const detail = (error as Error).message;
    if (json) printJson({ detail });
    printErrorLines([`fengling-gateway: ${detail}`]);
    return EXIT.failed;
  }
}

function checkUsername(username: string | undefined): void {
  if (username === undefined || USERNAME.test(username)) return;
  throw new Error(
    `--username ${JSON.stringify(username)} cannot be a user name: use 1 to 256 characters, no colon and no controls`,
  );
}
