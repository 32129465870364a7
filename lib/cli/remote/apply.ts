/** `gateway apply FILE`: makes the store equal to a file. */
import type { Command } from 'commander';
import type { ChangeReceipt } from '../../admin/control-plane.ts';
import { isPlainObject } from '../../core/config/plain-data.ts';
import { EXIT } from '../exit-codes.ts';
import { printJson } from '../output.ts';
import type { ApiClient } from './api-client.ts';
import { exitCodeOf, printComparison, printReceipt } from './change-text.ts';
import { addRemoteOptions, runRemote } from './remote-command.ts';
import { addWriteOptions, MAX_MESSAGE_LENGTH, termsOf, type WriteOptions } from './write-options.ts';

export function addApplyCommand(program: Command): void {
  const command = program
    .command('apply')
    .description('make the configuration of a running gateway equal to a file; shows the difference first')
    .argument('<file>', 'YAML or JSON; - for standard input');
  addWriteOptions(addRemoteOptions(command)).action((file: string, options: WriteOptions) =>
    runRemote(options, (client) => apply(client, file, options)),
  );
}

async function apply(client: ApiClient, file: string, options: WriteOptions): Promise<number> {
  const { json = false, dryRun = false, expect, message } = options;
  // With it comes the parser of YAML, of no use to the commands that read no file.
  const { readDocument } = await import('./read-document.ts');
  const document = await readDocument(file);
  const comparison = await write(client, document, expect, { dryRun: true });
  if (!json) printComparison(comparison);
  refuseEmpty(document, comparison);
  if (dryRun) {
    if (json) printJson(comparison);
    return comparison.difference.length === 0 ? EXIT.ok : EXIT.different;
  }
  // What was shown is what happens: another change meanwhile is a conflict. Where there is nothing to change the
  // workers may still be behind, and a store that has lost the configuration has to get it back.
  const receipt = await write(client, document, comparison.revision, {
    ...termsOf(options),
    message: message ?? `apply ${file}`.slice(0, MAX_MESSAGE_LENGTH),
  });
  if (json) printJson(receipt);
  else printReceipt(receipt, options.timeoutMs);
  return exitCodeOf(receipt);
}

async function write(
  client: ApiClient,
  document: unknown,
  expect: number | undefined,
  query: Readonly<Record<string, string | number | boolean | undefined>>,
): Promise<ChangeReceipt> {
  const { body } = await client.call('PUT', 'config', {
    body: document,
    query,
    ...(expect === undefined ? {} : { expect }),
  });
  return body as ChangeReceipt;
}

/** A file without content is more often a slip, such as a pipe from a command that failed, than the wish to remove all. */
function refuseEmpty(document: unknown, { difference }: ChangeReceipt): void {
  if (difference.length === 0 || !isPlainObject(document) || Object.keys(document).length > 0) return;
  throw new Error(
    'the document is empty, and would remove all there is: write "routes: {}" where that is meant',
  );
}
