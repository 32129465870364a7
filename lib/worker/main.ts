/** Composition root of a worker process: it is forked by the primary, given its configuration, then sockets. */
import type { Socket } from 'node:net';
import { hashString } from '../core/balancing/hash.ts';
import type { ExplainRequest } from '../core/explain/explanation.ts';
import { RouteStats, StatsRegistry } from '../core/metrics/route-stats.ts';
import {
  HEARTBEAT_INTERVAL_MS,
  type ToPrimary,
  type ToWorker,
  WORKER_SETTINGS_VARIABLE,
  type WorkerSettings,
} from '../ipc/protocol.ts';
import { AccessLog } from '../proxy/access-log.ts';
import { ExchangeSweeper } from '../proxy/exchange-sweeper.ts';
import { Listener } from '../proxy/listener.ts';
import type { ProxyContext } from '../proxy/proxy-context.ts';
import { RequestIds } from '../proxy/request-id.ts';
import { TrustedProxies } from '../proxy/trusted-proxies.ts';
import { createLogger } from '../telemetry/logger.ts';
import { ConfigurationReceiver } from './configuration-receiver.ts';
import { RequestExplainer } from './explain.ts';
import { RoutingTable } from './routing-table.ts';
import { WorkerMetrics } from './worker-metrics.ts';

const settings = JSON.parse(process.env[WORKER_SETTINGS_VARIABLE] ?? '{}') as WorkerSettings;
const logger = createLogger({
  level: settings.logLevel,
  pretty: settings.prettyLog,
  base: { pid: process.pid, instance: settings.instance, worker: settings.workerId },
});
const stats = new StatsRegistry();
const balancerEnvironment = {
  random: Math.random,
  nowMs: () => performance.now(),
  // Workers of one instance follow each other, instances begin anywhere: no two start at the same destination.
  workerOffset: (hashString(settings.instance) % 65_536) + settings.workerId,
};
const context: ProxyContext = {
  routes: { match: () => null },
  revision: 0,
  draining: false,
  logger,
  accessLog: settings.accessLogRate > 0 ? new AccessLog(logger, settings.accessLogRate) : null,
  requestIds: new RequestIds(),
  trustedProxies: new TrustedProxies(settings.trustedProxies),
  sweeper: new ExchangeSweeper(),
  unroutedStats: new RouteStats('', '', stats),
};
const listener = new Listener(context);
const metrics = new WorkerMetrics(stats, listener);
const explainer = new RequestExplainer(context, settings.workerId);
const receiver = new ConfigurationReceiver(
  (unhealthy) => new RoutingTable(balancerEnvironment, stats, unhealthy),
  {
    serve(table, target) {
      context.routes = table;
      explainer.routes = table;
      context.revision = target.revision;
    },
  },
  send,
);

/** Sockets that the primary sent, those included that are known not to have arrived. */
let receivedConnections = 0;

function send(message: ToPrimary): void {
  // The channel is gone only when the primary is, and then this process ends too.
  if (process.connected) process.send?.(message);
}

function receive(message: ToWorker, socket: Socket | undefined): void {
  switch (message.type) {
    case 'connection':
      receivedConnections += 1;
      send({ type: 'accepted' });
      if (socket !== undefined) listener.accept(socket);
      break;
    case 'probe':
      if (receivedConnections < message.connections) send({ type: 'missed' });
      receivedConnections = message.connections;
      break;
    case 'collect':
      send({ type: 'sample', collection: message.collection, ...metrics.takeSample(context.revision) });
      break;
    case 'explain':
      receiver.runInOrder(() => void explain(message.question, message.request));
      break;
    case 'drain':
      void drain(message.limitMs);
      break;
    case 'leave':
      process.exit(0);
      break;
    default:
      receiver.receive(message);
  }
}

async function explain(question: number, request: ExplainRequest): Promise<void> {
  send({ type: 'explained', question, explanation: await explainer.explain(request) });
}

async function drain(limitMs: number): Promise<void> {
  const cutOff = await listener.drain(limitMs);
  send({ type: 'sample', collection: 0, ...metrics.takeSample(context.revision) });
  send({ type: 'drained', cutOff });
}

process.on('message', (message, socket) => receive(message as ToWorker, socket as Socket | undefined));
// Without its primary a worker has nobody to take connections and configuration from.
process.on('disconnect', () => process.exit(0));
// Signals of the terminal go to the whole group; when to leave is the primary's decision.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('uncaughtException', (error) => {
  logger.fatal({ err: error }, 'worker failed');
  process.exit(70);
});
setInterval(() => send({ type: 'heartbeat' }), HEARTBEAT_INTERVAL_MS);
send({ type: 'started' });
