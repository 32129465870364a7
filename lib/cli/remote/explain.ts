import { isIP } from 'node:net';
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import type { Explanation } from '../../core/explain/explanation.ts';
import { EXIT } from '../exit-codes.ts';
import { printJson, printLines } from '../output.ts';
import { formatTable } from '../table.ts';
import { addRemoteOptions, type RemoteOptions, runRemote } from './remote-command.ts';

type HeaderPair = readonly [name: string, value: string];

interface ExplainOptions extends RemoteOptions {
  readonly header: readonly HeaderPair[];
  readonly client?: string;
}

/** `gateway explain METHOD URL`: what would become of a request, which is not sent. */
export function addExplainCommand(program: Command): void {
  const command = program
    .command('explain')
    .description('what would become of a request: route, why that one, what is sent where; sends nothing')
    .argument('<method>', 'such as GET')
    .argument('<url>', 'such as http://api.example.com/orders?x=1, or a path with -H "host: …"')
    .addOption(
      new Option('-H, --header <field>', '"name: value"; may be given again')
        .argParser(collectHeader)
        .default([], 'none'),
    )
    .addOption(
      new Option('--client <address>', 'IP address of the client')
        .argParser(parseAddress)
        .default(undefined, '127.0.0.1'),
    );
  addRemoteOptions(command).action((method: string, url: string, options: ExplainOptions) =>
    runRemote(options, async (client) => {
      const { body } = await client.call('POST', 'explain', {
        body: {
          method,
          url,
          headers: options.header,
          ...(options.client === undefined ? {} : { clientAddress: options.client }),
        },
      });
      if (options.json === true) printJson(body);
      else printExplanation(body as Explanation);
      return EXIT.ok;
    }),
  );
}

function collectHeader(text: string, before: readonly HeaderPair[]): readonly HeaderPair[] {
  const colon = text.indexOf(':');
  if (colon <= 0) throw new InvalidArgumentError('give "name: value".');
  return [...before, [text.slice(0, colon).trim(), text.slice(colon + 1).trim()]];
}

function parseAddress(text: string): string {
  if (isIP(text) > 0) return text;
  throw new InvalidArgumentError('give an IP address.');
}

function printExplanation(explanation: Explanation): void {
  const { request, refused, candidates, policies, upstream, destinations, pick } = explanation;
  print(`revision     ${explanation.revision} (worker ${explanation.worker})`);
  if (request !== undefined) {
    const query = request.query === '' ? '' : `?${request.query}`;
    print(`request      ${request.method} ${request.host} ${request.path}${query}`);
  }
  if (refused !== undefined) print(`answer       ${refused.status} ${refused.code}: ${refused.reason}`);
  if (explanation.route !== undefined) print(`route        ${explanation.route} → ${explanation.cluster}`);
  if (upstream !== undefined) print(`sends        ${upstream.method} ${upstream.target}`);
  for (const [name, value] of upstream?.headers ?? []) print(`             ${name}: ${value}`);
  if (pick !== undefined) print(`picks        ${pick.destination} ${pick.url} (${pick.reason})`);
  printTable(
    ['CANDIDATE', 'ORDER', 'WON', 'WHY'],
    candidates.map(({ route, order, won, reason }) => [route, String(order), won ? 'yes' : 'no', reason]),
  );
  if (explanation.candidatesCut) print('… and more');
  printTable(
    ['POLICY', 'EFFECT'],
    policies.map(({ policy, effect }) => [policy, effect]),
  );
  printTable(
    ['DESTINATION', 'URL', 'WEIGHT', 'HEALTHY', 'USED', 'ACTIVE'],
    destinations.map((one) => [
      one.destination,
      one.url,
      String(one.weight),
      one.healthy ? 'yes' : 'no',
      one.usable ? 'yes' : 'no',
      String(one.active),
    ]),
  );
}

function printTable(headers: readonly string[], rows: readonly (readonly string[])[]): void {
  if (rows.length > 0) process.stdout.write(`\n${formatTable(headers, rows)}`);
}

function print(line: string): void {
  printLines([line]);
}
