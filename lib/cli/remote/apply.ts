/** `gateway apply FILE` and `gateway diff FILE`: makes the store equal to a file, or says how they differ. */
import type { Command } from 'commander';
import type { ChangeReceipt } from '../../admin/control-plane.ts';
import { formatProblem } from '../../core/config/problem.ts';
import { ConfigFileStore } from '../../store/config-file-store.ts';
import { EXIT } from '../exit-codes.ts';
import type { ApiClient } from './api-client.ts';
import { formatDifference, printReceipt } from './change-text.ts';
import { addRemoteOptions, printJson, type RemoteOptions, runRemote } from './remote-command.ts';
import { addWriteOptions, termsOf, type WriteOptions } from './write-options.ts';

export function addApplyCommand(program: Command): void {
  const command = program
    .command('apply')
    .description('make the configuration of a running gateway equal to a file; shows the difference first')
    .argument('<file>', 'YAML or JSON');
  addWriteOptions(addRemoteOptions(command)).action((file: string, options: WriteOptions) =>
    runRemote(options, (client) => apply(client, file, options)),
  );
}

export function addDiffCommand(program: Command): void {
  const command = program
    .command('diff')
    .description('what apply would change; exit code 0 for nothing, 2 for something')
    .argument('<file>', 'YAML or JSON');
  addRemoteOptions(command).action((file: string, options: RemoteOptions) =>
    runRemote(options, async (client) => {
      const receipt = await compare(client, await readFile(file), undefined);
      if (options.json === true) printJson(receipt);
      else printComparison(receipt);
      return receipt.difference.length === 0 ? EXIT.ok : EXIT.different;
    }),
  );
}

async function apply(client: ApiClient, file: string, options: WriteOptions): Promise<number> {
  const document = await readFile(file);
  const comparison = await compare(client, document, options.expect);
  if (options.json !== true) printComparison(comparison);
  if (options.dryRun === true || comparison.difference.length === 0) {
    if (options.json === true) printJson(comparison);
    return options.dryRun === true && comparison.difference.length > 0 ? EXIT.different : EXIT.ok;
  }
  // What was shown is what happens: another change meanwhile is a conflict.
  const { body } = await client.call('PUT', 'config', {
    body: document,
    expect: comparison.revision,
    query: { ...termsOf(options), message: options.message ?? `apply ${file}` },
  });
  const receipt = body as ChangeReceipt;
  if (options.json !== true) return printReceipt(receipt);
  printJson(receipt);
  return receipt.complete ? EXIT.ok : EXIT.unconfirmed;
}

async function readFile(file: string): Promise<unknown> {
  return (await new ConfigFileStore(file).read()).document;
}

async function compare(
  client: ApiClient,
  document: unknown,
  expect: number | undefined,
): Promise<ChangeReceipt> {
  const { body } = await client.call('PUT', 'config', {
    body: document,
    query: { dryRun: true },
    ...(expect === undefined ? {} : { expect }),
  });
  return body as ChangeReceipt;
}

function printComparison({ difference, warnings, revision }: ChangeReceipt): void {
  process.stdout.write(formatDifference(difference));
  for (const warning of warnings) process.stdout.write(`warning  ${formatProblem(warning)}\n`);
  const count = difference.length === 0 ? 'no difference' : `${difference.length} differ`;
  process.stdout.write(`${count} from revision ${revision}\n`);
}
