import type { Command } from 'commander';
import { EXIT } from '../exit-codes.ts';
import { printJson } from '../output.ts';
import { addRemoteOptions, type RemoteOptions, runRemote } from './remote-command.ts';

/** `gateway export`: the configuration as a document that `apply` and `start --config` take. */
export function addExportCommand(program: Command): void {
  const command = program
    .command('export')
    .description('print the configuration of a running gateway, as YAML or with --json as JSON');
  addRemoteOptions(command).action((options: RemoteOptions) =>
    runRemote(options, async (client) => {
      const { body } = await client.call('GET', 'config');
      if (options.json === true) {
        printJson(body);
        return EXIT.ok;
      }
      const { formatYaml } = await import('../yaml-text.ts');
      process.stdout.write(formatYaml(body));
      return EXIT.ok;
    }),
  );
}
