/** Composition root of a worker process: it is forked by the primary, given its configuration, then sockets. */
import type { Socket } from 'node:net';
import { Materials } from '../auth/materials.ts';
import { PasswordVerifier } from '../auth/password-verifier.ts';
import { hashString } from '../core/balancing/hash.ts';
import type { ExplainRequest } from '../core/explain/explanation.ts';
import { UnhealthyDestinations } from '../core/health/unhealthy-destinations.ts';
import { RouteStats, StatsRegistry } from '../core/metrics/route-stats.ts';
import { AddressSet } from '../core/policy/address-ranges.ts';
import { RATE_REPORT_INTERVAL_MS, type RateDemand } from '../core/policy/rate-demand.ts';
import {
  HEARTBEAT_INTERVAL_MS,
  type ToPrimary,
  type ToWorker,
  WORKER_SETTINGS_VARIABLE,
  type WorkerSettings,
} from '../ipc/protocol.ts';
import { createGuardedLookup } from '../net/guarded-lookup.ts';
import { AccessLog } from '../proxy/access-log.ts';
import { ExchangeSweeper } from '../proxy/exchange-sweeper.ts';
import { Listener } from '../proxy/listener.ts';
import { RateLimiters } from '../proxy/policies/rate-limiters.ts';
import { type PolicyServices, RoutePolicies } from '../proxy/policies/route-policies.ts';
import type { ProxyContext } from '../proxy/proxy-context.ts';
import { RequestIds } from '../proxy/request-id.ts';
import { TrustedProxies } from '../proxy/trusted-proxies.ts';
import { createAccessLines } from '../telemetry/access-lines.ts';
import { createLogger, type LoggerOptions } from '../telemetry/logger.ts';
import { ClosedConnections } from './closed-connections.ts';
import { ConfigurationReceiver } from './configuration-receiver.ts';
import { RequestExplainer } from './explain.ts';
import { LoadShedder } from './load-shedder.ts';
import { type RouteServices, RoutingTable } from './routing-table.ts';
import { WorkerMetrics } from './worker-metrics.ts';

const settings = JSON.parse(process.env[WORKER_SETTINGS_VARIABLE] ?? '{}') as WorkerSettings;
const loggerOptions: LoggerOptions = {
  level: settings.logLevel,
  pretty: settings.prettyLog,
  base: { pid: process.pid, instance: settings.instance, worker: settings.workerId },
};
const logger = createLogger(loggerOptions);
const accessLines = settings.accessLogRate > 0 ? createAccessLines(loggerOptions) : null;
const stats = new StatsRegistry();
const balancing = {
  random: Math.random,
  nowMs: () => performance.now(),
  // Workers of one instance follow each other, instances begin anywhere: no two start at the same destination.
  workerOffset: (hashString(settings.instance) % 65_536) + settings.workerId,
};
const materials = new Materials((name) => send({ type: 'refresh', name }));
const rateLimiters = new RateLimiters(1 / settings.workers);
const policyServices: PolicyServices = {
  // Of the table in use: it may have changed since the route was applied.
  trust: {
    issuer: (id) => context.routes.trust.issuer(id),
    get consumers() {
      return context.routes.trust.consumers;
    },
  },
  passwords: new PasswordVerifier(),
  rateLimiters,
};
const allowedAddresses = new AddressSet(settings.allowedAddresses);
const services: RouteServices = {
  balancing,
  workers: settings.workers,
  slot: settings.slot,
  materials,
  lookup: createGuardedLookup(allowedAddresses),
  allowedAddresses,
  compilePolicies: (id, route) => RoutePolicies.compile(id, route, policyServices),
};
const context: ProxyContext = {
  routes: new RoutingTable(services, stats, new UnhealthyDestinations()),
  revision: 0,
  draining: false,
  overloaded: false,
  limits: settings.limits,
  logger,
  accessLog: accessLines === null ? null : new AccessLog(accessLines, settings.accessLogRate),
  requestIds: new RequestIds(),
  trustedProxies: new TrustedProxies(settings.trustedProxies),
  sweeper: new ExchangeSweeper(),
  unroutedStats: new RouteStats('', '', stats),
};
const listener = new Listener(context);
const closedConnections = new ClosedConnections((addresses) => send({ type: 'closed', addresses }));
const metrics = new WorkerMetrics(stats, listener);
const explainer = new RequestExplainer(context, settings.workerId);
const receiver = new ConfigurationReceiver(
  (unhealthy) => new RoutingTable(services, stats, unhealthy),
  {
    serve(table, target) {
      context.routes = table;
      explainer.routes = table;
      context.revision = target.revision;
    },
  },
  send,
);

new LoadShedder(settings.limits.maxEventLoopLagMs, (overloaded, lagMs) => {
  context.overloaded = overloaded;
  const message = overloaded ? 'overloaded: new requests get 503' : 'not overloaded any more';
  logger.warn({ eventLoopLagMs: Math.round(lagMs) }, message);
});

/** Sockets that the primary sent, those included that are known not to have arrived. */
let receivedConnections = 0;

function send(message: ToPrimary): void {
  // The channel is gone only when the primary is, and then this process ends too.
  if (process.connected) process.send?.(message);
}

function sendDemands(demands: readonly RateDemand[]): void {
  if (demands.length > 0) send({ type: 'rateDemand', demands });
}

function receive(message: ToWorker, socket: Socket | undefined): void {
  switch (message.type) {
    case 'connection':
      receivedConnections += 1;
      send({ type: 'accepted' });
      takeConnection(socket, message.secure, message.address);
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
    case 'materials':
      materials.take(message.materials);
      materials.forget(message.gone);
      break;
    case 'refreshed':
      materials.settle(message.name, message.hasLooked);
      break;
    case 'rateSecret':
      rateLimiters.takeSecret(message.secret);
      break;
    case 'rateShares':
      sendDemands(rateLimiters.takeShares(message));
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

/** Without a socket it was closed on its way. */
function takeConnection(socket: Socket | undefined, secure: boolean, address: string): void {
  if (socket === undefined) closedConnections.add(address);
  else listener.accept(socket, secure, () => closedConnections.add(address));
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
setInterval(() => sendDemands(rateLimiters.takeDemands()), RATE_REPORT_INTERVAL_MS);
send({ type: 'started' });
