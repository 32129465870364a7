import type { Command } from 'commander';
import { EXIT } from '../exit-codes.ts';
import { printJson, printLines } from '../output.ts';
import { addRemoteOptions, type RemoteOptions, runRemote } from './remote-command.ts';

/** `gateway restart`: a rolling restart of the workers. */
export function addRestartCommand(program: Command): void {
  const command = program
    .command('restart')
    .description('replace the workers of a running gateway one by one, without losing a request');
  addRemoteOptions(command).action((options: RemoteOptions) =>
    runRemote(options, async (client) => {
      const { body } = await client.call('POST', 'workers/restart');
      if (options.json === true) printJson(body);
      else printLines(['the workers are being restarted; `gateway status` shows how far it is']);
      return EXIT.ok;
    }),
  );
}
