/**
 * The command line. Each command does its work in a file of its own. What only one command needs and is large
 * (the gateway, the schema of the configuration) is loaded with that command: the others are quick.
 */
import { Command, InvalidArgumentError } from 'commander';
import { addCredentialCommands } from './credential.ts';
import { addImportCommand } from './import-yarp.ts';
import { watchOutput } from './output.ts';
import { packageVersion } from './package-version.ts';
import { addApplyCommand } from './remote/apply.ts';
import { addDiffCommand } from './remote/diff.ts';
import { addExplainCommand } from './remote/explain.ts';
import { addExportCommand } from './remote/export.ts';
import { addHistoryCommand } from './remote/history.ts';
import { addRestartCommand } from './remote/restart.ts';
import { addRollbackCommand } from './remote/rollback.ts';
import { addStatusCommand } from './remote/status.ts';
import { removeSecrets } from './secret-from-environment.ts';
import { addStartOptions, type StartOptions, settingsOf } from './settings.ts';
import { addTokenCommands } from './token.ts';

const EXAMPLES = `
Examples:
  gateway demo                                     see it work: three origins, a sample configuration, one command
  gateway check gateway.yaml                       say everything that is wrong with a configuration
  gateway start --config gateway.yaml              serve it on 0.0.0.0:8080, one worker a core
  gateway start                                    serve what is in ./.gateway; change it with apply or the API
  gateway start --redis redis://10.0.0.9:6379      serve what is in Redis, with as many instances as you like

A running gateway, at --admin-url (http://127.0.0.1:9901), with the token in GATEWAY_TOKEN or ./.gateway/admin.token:
  gateway apply gateway.yaml --wait all            make its configuration this file; waits until every worker serves it
  gateway status --fleet                           all instances, and who lags
  gateway explain GET http://api.example.com/a/b   which route, why, where to; sends nothing
  gateway history; gateway rollback 41             who changed what; make it what it was at revision 41

Exit codes: 0 done, 1 failed, 2 there are differences (diff, --dry-run, import), 3 another revision than
expected, 4 written but not confirmed by every worker in time, 5 no valid token.

Signals: HUP restarts the workers one by one, TERM finishes what is under way, then exits 0.`;

/** Each in a file of its own; the order is that of the help. */
const COMMANDS = [
  addStatusCommand,
  addApplyCommand,
  addDiffCommand,
  addExportCommand,
  addHistoryCommand,
  addRollbackCommand,
  addExplainCommand,
  addRestartCommand,
  addTokenCommands,
  addCredentialCommands,
  addImportCommand,
];

function createProgram(): Command {
  const program = new Command('gateway')
    .description('Fengling Gateway: an API gateway whose configuration changes never lose a request')
    .version(packageVersion(), '-v, --version')
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(gateway --help shows what there is)');
  addStartOptions(program.command('start').description('run the gateway')).action(
    async (options: StartOptions, command: Command) => {
      const settings = validSettings(options, command);
      const { runGateway } = await import('./start.ts');
      await runGateway(settings);
    },
  );
  program
    .command('check')
    .description('validate a configuration file; exit code 0 when it is valid, 1 when not')
    .argument('<file>', 'YAML or JSON')
    .option('--json', 'for scripts', false)
    .action(async (file: string, options: { json: boolean }) => {
      const { runCheck } = await import('./check.ts');
      process.exitCode = await runCheck(file, options.json);
    });
  program
    .command('schema')
    .description('print the JSON Schema of the configuration, for editors')
    .action(async () => {
      const { publishedSchema } = await import('../core/config/json-schema.ts');
      process.stdout.write(`${JSON.stringify(publishedSchema(), null, 2)}\n`);
    });
  addStartOptions(
    program
      .command('demo')
      .description('run the gateway with three small origins and a sample configuration'),
  ).action(async (options: StartOptions, command: Command) => {
    const settings = validSettings(options, command);
    const { runDemo } = await import('./demo.ts');
    await runDemo(settings, command.getOptionValueSource('state') === 'default');
  });
  for (const addCommand of COMMANDS) addCommand(program);
  return program;
}

function validSettings(options: StartOptions, command: Command): ReturnType<typeof settingsOf> {
  try {
    const settings = settingsOf(options);
    removeSecrets(process.env);
    return settings;
  } catch (error) {
    if (error instanceof InvalidArgumentError) command.error(`error: ${error.message}`);
    throw error;
  }
}

/** Runs one command line, without the program's name. */
export async function main(words: readonly string[]): Promise<void> {
  watchOutput();
  await createProgram().parseAsync([...words], { from: 'user' });
}
