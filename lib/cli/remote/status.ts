import type { Command } from 'commander';
import type { FleetMember, InstanceStatus } from '../../admin/control-plane.ts';
import { formatProblem } from '../../core/config/problem.ts';
import { EXIT } from '../exit-codes.ts';
import { counted, printJson, printLines } from '../output.ts';
import { formatTable } from '../table.ts';
import { addRemoteOptions, type RemoteOptions, runRemote } from './remote-command.ts';

interface StatusOptions extends RemoteOptions {
  readonly fleet?: boolean;
}

/** `gateway status`: this instance, or with `--fleet` all that share its store. */
export function addStatusCommand(program: Command): void {
  const command = program
    .command('status')
    .description('how a running gateway is: store, revision, workers')
    .option('--fleet', 'all instances that share its store, and who lags');
  addRemoteOptions(command).action((options: StatusOptions) =>
    runRemote(options, async (client) => {
      const { body } = await client.call('GET', options.fleet === true ? 'instances' : 'status');
      if (options.json === true) printJson(body);
      else if (options.fleet === true) printFleet((body as { instances: FleetMember[] }).instances);
      else printInstance(body as InstanceStatus);
      return EXIT.ok;
    }),
  );
}

function printInstance(status: InstanceStatus): void {
  const { configuration, store, workers } = status;
  const { refused } = configuration;
  const lines = [
    `${status.instance}, version ${status.version}, ${status.ready ? 'ready' : 'not ready'}, listens on ${listensOn(status)}`,
    `store     ${store.kind} (${store.source}), ${store.reachable ? 'reachable' : 'not reachable'}${store.problem === null ? '' : `: ${store.problem}`}`,
    `revision  ${configuration.revision}, ${counted(configuration.routes, 'route')}, ${counted(configuration.clusters, 'cluster')}, fingerprint ${configuration.fingerprint}`,
    `traffic   ${status.requestsPerSecond} requests a second`,
  ];
  if (configuration.degraded !== null) lines.push(`degraded  ${configuration.degraded}`);
  if (refused !== null) lines.push(`refused   revision ${refused.revision ?? '?'} at ${refused.at}`);
  for (const problem of refused?.problems ?? []) lines.push(`          ${formatProblem(problem)}`);
  // A gateway of an older version says nothing of them.
  for (const { name, problem, since } of status.materials ?? []) {
    lines.push(`material  ${name}: ${problem} (since ${since})`);
  }
  printLines([...lines, '']);
  process.stdout.write(
    formatTable(
      ['WORKER', 'PID', 'STATE', 'REVISION', 'FINGERPRINT'],
      workers.map((worker) => [
        String(worker.worker),
        String(worker.pid),
        worker.state,
        String(worker.revision ?? '-'),
        worker.fingerprint ?? '-',
      ]),
    ),
  );
}

function listensOn({ listen, listenTls }: InstanceStatus): string {
  if (listen === '') return '(nothing yet)';
  return listenTls === undefined ? listen : `${listen} and, with TLS, ${listenTls}`;
}

function printFleet(instances: readonly FleetMember[]): void {
  process.stdout.write(
    formatTable(
      ['INSTANCE', 'VERSION', 'LISTEN', 'READY', 'REVISION', 'LAGS', 'WORKERS', 'REQUESTS/S', 'STORE'],
      instances.map(({ instance, version, listen, ready, configuration, lags, workers, ...rest }) => [
        instance,
        version,
        listen,
        ready ? 'yes' : 'no',
        String(configuration.revision),
        lags ? 'yes' : 'no',
        String(workers.filter(({ state }) => state === 'serving').length),
        String(rest.requestsPerSecond),
        rest.store.problem ?? 'ok',
      ]),
    ),
  );
}
