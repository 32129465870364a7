import type { Logger } from 'pino';
import type { RouteStats } from '../core/metrics/route-stats.ts';
import type { RequestFacts } from '../core/routing/request-facts.ts';
import type { ListenerLimits } from '../ipc/protocol.ts';
import type { AccessLog } from './access-log.ts';
import type { ExchangeSweeper } from './exchange-sweeper.ts';
import type { ProxiedRoute } from './proxied-route.ts';
import type { RequestIds } from './request-id.ts';
import type { TrustTable } from './trust-table.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

/** Finds the route of a request. The worker's routing table is one. */
export interface RouteFinder {
  match(facts: RequestFacts): ProxiedRoute | null;
  /** Issuers, consumers and certificates of the same configuration. */
  readonly trust: TrustTable;
}

/** What every request of a worker shares. One object, whose parts the worker may replace between two requests. */
export interface ProxyContext {
  routes: RouteFinder;
  /** The revision of the configuration that `routes` stands at. */
  revision: number;
  /** True once the worker is on its way out: every answer then closes its connection. */
  draining: boolean;
  /** True while the worker has more to do than it can: new requests get 503. */
  overloaded: boolean;
  readonly limits: ListenerLimits;
  readonly logger: Logger;
  readonly accessLog: AccessLog | null;
  readonly requestIds: RequestIds;
  readonly trustedProxies: TrustedProxies;
  readonly sweeper: ExchangeSweeper;
  /** Counts the requests that found no route. */
  readonly unroutedStats: RouteStats;
}
