import { type Command, InvalidArgumentError, Option } from 'commander';
import type { RemoteOptions } from './remote-command.ts';

/** What commands that write take. */
export interface WriteOptions extends RemoteOptions {
  readonly dryRun?: boolean;
  readonly expect?: number;
  readonly wait: string;
  readonly timeoutMs: number;
  readonly message?: string;
}

/** As the management API has it. */
export const MAX_MESSAGE_LENGTH = 1_000;
const MAX_TIMEOUT_MS = 60_000;

export function addWriteOptions(command: Command): Command {
  return command
    .option('--dry-run', 'show what would change, change nothing; exit code 2 where something would')
    .addOption(
      new Option('--expect <revision>', 'only if the configuration is at this revision').argParser(
        countFrom(0),
      ),
    )
    .addOption(
      new Option('--wait <none|instance|all>', 'until whose workers serve the change')
        .choices(['none', 'instance', 'all'])
        .default('all'),
    )
    .addOption(
      new Option('--timeout-ms <n>', 'how long to wait for them, at most 60000')
        .argParser(countFrom(0, MAX_TIMEOUT_MS))
        .default(5_000),
    )
    .addOption(new Option('--message <text>', 'why, for the history').argParser(parseMessage));
}

/** How a write is done, as its query. */
export function termsOf({ wait, timeoutMs }: WriteOptions): Record<string, string | number> {
  return { wait, timeoutMs };
}

/** @returns what reads an integer of these bounds from the command line */
export function countFrom(minimum: number, maximum = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= minimum && value <= maximum) return value;
    const bounds =
      maximum === Number.MAX_SAFE_INTEGER ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
    throw new InvalidArgumentError(`give an integer ${bounds}.`);
  };
}

function parseMessage(text: string): string {
  if (text.length <= MAX_MESSAGE_LENGTH) return text;
  throw new InvalidArgumentError(`give at most ${MAX_MESSAGE_LENGTH} characters.`);
}
