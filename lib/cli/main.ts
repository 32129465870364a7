/** The command line. Each command does its work in a file of its own. */
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { publishedSchema } from '../core/config/json-schema.ts';
import { runCheck } from './check.ts';
import { runDemo } from './demo.ts';
import { addStartOptions, type StartOptions, settingsOf } from './settings.ts';
import { runGateway } from './start.ts';

const EXAMPLES = `
Examples:
  gateway demo                                     see it work: three origins, a sample configuration, one command
  gateway check gateway.yaml                       say everything that is wrong with a configuration
  gateway start --config gateway.yaml              serve it on 0.0.0.0:8080, one worker a core
  gateway start --config gateway.yaml --listen 127.0.0.1:3000 --workers 2 --access-log off

While it runs:
  save the configuration file                      the difference is applied to every worker; a bad save changes nothing
  kill -HUP <pid>                                  restarts the workers one by one, without losing a request
  kill -TERM <pid>                                 finishes what is under way, then exits 0
  curl http://127.0.0.1:9901/readyz                200 once every worker serves the current configuration
  curl http://127.0.0.1:9901/metrics               Prometheus metrics of all workers`;

/** The version of the package; package.json lies one level deeper above the built files than above the sources. */
function packageVersion(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      return (JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string })
        .version;
    } catch {
      // Try the other place.
    }
  }
  return 'unknown';
}

function createProgram(): Command {
  const program = new Command('gateway')
    .description('Fengling Gateway: an API gateway whose configuration changes never lose a request')
    .version(packageVersion(), '-v, --version')
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(gateway --help shows what there is)');
  addStartOptions(program.command('start').description('run the gateway')).action(
    async (options: StartOptions, command: Command) => {
      await runGateway(validSettings(options, command));
    },
  );
  program
    .command('check')
    .description('validate a configuration file; exit code 0 when it is valid, 1 when not')
    .argument('<file>', 'YAML or JSON')
    .option('--json', 'for scripts', false)
    .action(async (file: string, options: { json: boolean }) => {
      process.exitCode = await runCheck(file, options.json);
    });
  program
    .command('schema')
    .description('print the JSON Schema of the configuration, for editors')
    .action(() => {
      process.stdout.write(`${JSON.stringify(publishedSchema(), null, 2)}\n`);
    });
  addStartOptions(
    program
      .command('demo')
      .description('run the gateway with three small origins and a sample configuration'),
  ).action(async (options: StartOptions, command: Command) => {
    await runDemo(validSettings(options, command), command.getOptionValueSource('state') === 'default');
  });
  return program;
}

function validSettings(options: StartOptions, command: Command): ReturnType<typeof settingsOf> {
  try {
    return settingsOf(options);
  } catch (error) {
    if (error instanceof InvalidArgumentError) command.error(`error: ${error.message}`);
    throw error;
  }
}

/** Runs one command line, without the program's name. */
export async function main(words: readonly string[]): Promise<void> {
  await createProgram().parseAsync([...words], { from: 'user' });
}
