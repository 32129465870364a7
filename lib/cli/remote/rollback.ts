import type { Command } from 'commander';
import type { ChangeReceipt } from '../../admin/control-plane.ts';
import { EXIT } from '../exit-codes.ts';
import { printJson } from '../output.ts';
import type { ApiClient } from './api-client.ts';
import { exitCodeOf, printComparison, printReceipt } from './change-text.ts';
import { addRemoteOptions, runRemote } from './remote-command.ts';
import { addWriteOptions, countFrom, termsOf, type WriteOptions } from './write-options.ts';

/** `gateway rollback REVISION`: the way back, as a change of its own. */
export function addRollbackCommand(program: Command): void {
  const command = program
    .command('rollback')
    .description('make the configuration what it was at a revision, as a new revision')
    .argument('<revision>', 'see history', countFrom(0));
  addWriteOptions(addRemoteOptions(command)).action((revision: number, options: WriteOptions) =>
    runRemote(options, (client) => rollBack(client, revision, options)),
  );
}

async function rollBack(client: ApiClient, revision: number, options: WriteOptions): Promise<number> {
  const { json = false, dryRun = false, expect, message, timeoutMs } = options;
  const comparison = await write(client, { revision }, expect, { dryRun: true });
  if (!json) printComparison(comparison);
  if (dryRun) {
    if (json) printJson(comparison);
    return comparison.difference.length === 0 ? EXIT.ok : EXIT.different;
  }
  // What was shown is what happens: another change meanwhile is a conflict.
  const order = { revision, message: message ?? `rollback to ${revision}` };
  const receipt = await write(client, order, comparison.revision, termsOf(options));
  if (json) printJson(receipt);
  else printReceipt(receipt, timeoutMs);
  return exitCodeOf(receipt);
}

async function write(
  client: ApiClient,
  body: { readonly revision: number; readonly message?: string },
  expect: number | undefined,
  query: Readonly<Record<string, string | number | boolean | undefined>>,
): Promise<ChangeReceipt> {
  const answer = await client.call('POST', 'rollback', {
    body,
    query,
    ...(expect === undefined ? {} : { expect }),
  });
  return answer.body as ChangeReceipt;
}
