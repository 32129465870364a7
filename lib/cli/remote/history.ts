import { type Command, Option } from 'commander';
import type { HistoryEntry } from '../../admin/control-plane.ts';
import { EXIT } from '../exit-codes.ts';
import { printJson, printLines } from '../output.ts';
import { formatTable } from '../table.ts';
import { formatDifference } from './change-text.ts';
import { addRemoteOptions, type RemoteOptions, runRemote } from './remote-command.ts';
import { countFrom } from './write-options.ts';

interface HistoryOptions extends RemoteOptions {
  readonly limit: number;
  readonly before?: number;
  readonly difference?: boolean;
}

/** `gateway history`: the changes that were made. */
export function addHistoryCommand(program: Command): void {
  const command = program
    .command('history')
    .description('who changed what, and when; the newest first')
    .addOption(
      new Option('--limit <n>', 'so many changes, at most 500').argParser(countFrom(1, 500)).default(20),
    )
    .addOption(new Option('--before <revision>', 'only older ones').argParser(countFrom(0)))
    .option('--difference', 'show what each change did');
  addRemoteOptions(command).action((options: HistoryOptions) =>
    runRemote(options, async (client) => {
      const { limit, before } = options;
      const { body } = await client.call('GET', 'history', { query: { limit, before } });
      if (options.json === true) printJson(body);
      else printHistory((body as { entries: HistoryEntry[] }).entries, options.difference === true);
      return EXIT.ok;
    }),
  );
}

function printHistory(changes: readonly HistoryEntry[], withDifference: boolean): void {
  if (!withDifference) {
    const rows = changes.map((change) => [
      String(change.revision),
      change.at,
      change.actor,
      String(change.operations),
      change.message,
    ]);
    process.stdout.write(formatTable(['REVISION', 'AT', 'ACTOR', 'ENTRIES', 'MESSAGE'], rows));
    return;
  }
  for (const { revision, at, actor, message, difference } of changes) {
    printLines([`revision ${revision}, ${at}, ${actor}: ${message}`, ...formatDifference(difference), '']);
  }
}
