/** `gateway history` and `gateway rollback REVISION`. */
import { type Command, Option } from 'commander';
import type { ChangeReceipt, HistoryEntry } from '../../admin/control-plane.ts';
import { EXIT } from '../exit-codes.ts';
import { formatTable } from '../table.ts';
import { formatDifference, printReceipt } from './change-text.ts';
import { addRemoteOptions, printJson, type RemoteOptions, runRemote } from './remote-command.ts';
import { addWriteOptions, parseCount, termsOf, type WriteOptions } from './write-options.ts';

interface HistoryOptions extends RemoteOptions {
  readonly limit: number;
  readonly before?: number;
  readonly difference?: boolean;
}

export function addHistoryCommand(program: Command): void {
  const command = program
    .command('history')
    .description('who changed what, and when; the newest first')
    .addOption(new Option('--limit <n>', 'so many changes').argParser(parseCount).default(20))
    .addOption(new Option('--before <revision>', 'only older ones').argParser(parseCount))
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

export function addRollbackCommand(program: Command): void {
  const command = program
    .command('rollback')
    .description('make the configuration what it was at a revision, as a new revision')
    .argument('<revision>', 'see history', parseCount);
  addWriteOptions(addRemoteOptions(command)).action((revision: number, options: WriteOptions) =>
    runRemote(options, async (client) => {
      const { body } = await client.call('POST', 'rollback', {
        body: { revision, message: options.message ?? `rollback to ${revision}` },
        query: termsOf(options),
        ...(options.expect === undefined ? {} : { expect: options.expect }),
      });
      const receipt = body as ChangeReceipt;
      if (options.json === true) printJson(receipt);
      else process.stdout.write(formatDifference(receipt.difference));
      if (options.dryRun === true) return receipt.difference.length === 0 ? EXIT.ok : EXIT.different;
      if (options.json !== true) return printReceipt(receipt);
      return receipt.complete ? EXIT.ok : EXIT.unconfirmed;
    }),
  );
}

function printHistory(changes: readonly HistoryEntry[], withDifference: boolean): void {
  if (!withDifference) {
    const rows = changes.map((change) => [
      String(change.revision),
      change.at,
      change.actor,
      String(change.difference.length),
      change.message,
    ]);
    process.stdout.write(formatTable(['REVISION', 'AT', 'ACTOR', 'ENTRIES', 'MESSAGE'], rows));
    return;
  }
  for (const { revision, at, actor, message, difference } of changes) {
    process.stdout.write(
      `revision ${revision}, ${at}, ${actor}: ${message}\n${formatDifference(difference)}\n`,
    );
  }
}
