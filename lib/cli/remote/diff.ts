import type { Command } from 'commander';
import { EXIT } from '../exit-codes.ts';
import { printJson } from '../output.ts';
import { printComparison } from './change-text.ts';
import { addRemoteOptions, type RemoteOptions, runRemote } from './remote-command.ts';

/** `gateway diff FILE`: says how a file differs from what a gateway serves. */
export function addDiffCommand(program: Command): void {
  const command = program
    .command('diff')
    .description('what apply would change; exit code 0 for nothing, 2 for something; a reader may ask')
    .argument('<file>', 'YAML or JSON; - for standard input');
  addRemoteOptions(command).action((file: string, options: RemoteOptions) =>
    runRemote(options, async (client) => {
      // With it comes the schema, which is large and of no use to the other commands.
      const { compareFile } = await import('./compare-file.ts');
      const comparison = await compareFile(client, file);
      if (options.json === true) printJson(comparison);
      else printComparison(comparison);
      return comparison.difference.length === 0 ? EXIT.ok : EXIT.different;
    }),
  );
}
