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

export function addWriteOptions(command: Command): Command {
  return command
    .option('--dry-run', 'show what would change, change nothing')
    .addOption(
      new Option('--expect <revision>', 'only if the configuration is at this revision').argParser(
        parseCount,
      ),
    )
    .addOption(
      new Option('--wait <none|instance|all>', 'until whose workers serve the change')
        .choices(['none', 'instance', 'all'])
        .default('all'),
    )
    .addOption(
      new Option('--timeout-ms <n>', 'how long to wait for them').argParser(parseCount).default(5_000),
    )
    .option('--message <text>', 'why, for the history');
}

/** How a write is done, as its query. */
export function termsOf({
  wait,
  timeoutMs,
  dryRun,
}: WriteOptions): Record<string, string | number | boolean | undefined> {
  return { wait, timeoutMs, dryRun };
}

export function parseCount(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('give an integer of at least 0.');
}
