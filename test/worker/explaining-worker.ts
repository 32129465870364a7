/** A worker within the test: the real listener and routing table, and beside them what explains requests. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { Cluster, Route } from '../../lib/core/config/model.ts';
import type { ExplainRequest, Explanation } from '../../lib/core/explain/explanation.ts';
import { UnhealthyDestinations } from '../../lib/core/health/unhealthy-destinations.ts';
import { RouteStats, StatsRegistry } from '../../lib/core/metrics/route-stats.ts';
import { DEFAULT_LISTENER_LIMITS } from '../../lib/ipc/protocol.ts';
import { ExchangeSweeper } from '../../lib/proxy/exchange-sweeper.ts';
import { Listener } from '../../lib/proxy/listener.ts';
import type { ProxyContext } from '../../lib/proxy/proxy-context.ts';
import { RequestIds } from '../../lib/proxy/request-id.ts';
import { TrustedProxies } from '../../lib/proxy/trusted-proxies.ts';
import { createLogger } from '../../lib/telemetry/logger.ts';
import { RequestExplainer } from '../../lib/worker/explain.ts';
import { RoutingTable } from '../../lib/worker/routing-table.ts';
import { type ScriptedOrigin, startOrigin } from '../helpers/scripted-origin.ts';
import type { TestOwner } from '../helpers/test-owner.ts';
import { routeServices } from './route-services.ts';

const services = { ...routeServices, balancing: { ...routeServices.balancing, workerOffset: 1 } };

export const TRUSTED_ADDRESS = '127.0.0.2';
export const WORKER_ID = 7;
export const REVISION = 42;

export class ExplainingWorker {
  readonly context: ProxyContext;
  readonly table: RoutingTable;
  readonly stats = new StatsRegistry();
  readonly listener: Listener;
  readonly explainer: RequestExplainer;
  port = 0;

  constructor() {
    this.table = new RoutingTable(services, this.stats, new UnhealthyDestinations());
    this.context = {
      routes: this.table,
      revision: REVISION,
      draining: false,
      overloaded: false,
      limits: DEFAULT_LISTENER_LIMITS,
      logger: createLogger({ level: 'silent', pretty: false, base: {} }),
      accessLog: null,
      requestIds: new RequestIds(),
      trustedProxies: new TrustedProxies([TRUSTED_ADDRESS]),
      sweeper: new ExchangeSweeper(),
      unroutedStats: new RouteStats('', '', this.stats),
    };
    this.listener = new Listener(this.context);
    this.explainer = new RequestExplainer(this.context, WORKER_ID);
    this.explainer.routes = this.table;
  }

  configure(clusters: Readonly<Record<string, Cluster>>, routes: Readonly<Record<string, Route>>): void {
    for (const [id, value] of Object.entries(clusters)) {
      this.table.apply([{ op: 'put', kind: 'cluster', id, value }]);
    }
    for (const [id, value] of Object.entries(routes)) {
      this.table.apply([{ op: 'put', kind: 'route', id, value }]);
    }
  }

  explain(request: Partial<ExplainRequest>): Promise<Explanation> {
    return this.explainer.explain({ method: 'GET', url: 'http://localhost/', headers: [], ...request });
  }

  async listen(owner: TestOwner): Promise<void> {
    const server = createServer((socket) => this.listener.accept(socket, false));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
    owner.teardown(async () => {
      server.close();
      await this.listener.drain(10);
      this.table.destroy();
    });
  }
}

/** Starts a worker in front of origins that answer everything; `configure` says how, given their URLs. */
export async function startExplainingWorker(
  owner: TestOwner,
  originCount: number,
): Promise<{ readonly worker: ExplainingWorker; readonly origins: readonly ScriptedOrigin[] }> {
  const origins: ScriptedOrigin[] = [];
  for (let count = 0; count < originCount; count += 1) {
    origins.push(await startOrigin((_, connection) => connection.answer({ body: 'ok' }), { owner }));
  }
  const worker = new ExplainingWorker();
  await worker.listen(owner);
  return { worker, origins };
}
