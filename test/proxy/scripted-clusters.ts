/** A gateway with one worker and many clusters of scripted origins: one cluster a test, so that tests share nothing. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster, Route } from '../../lib/core/config/model.ts';
import { holdDeadPort } from '../helpers/dead-port.ts';
import { type GatewayProcess, type LogLine, startGateway } from '../helpers/gateway-process.ts';
import {
  type ClientOptions,
  connect,
  type RawClient,
  type ReadOptions,
  request,
} from '../helpers/raw-client.ts';
import type { RawResponse } from '../helpers/response-reader.ts';
import { type ScriptedOrigin, startOrigin } from '../helpers/scripted-origin.ts';
import type { TestOwner } from '../helpers/test-owner.ts';

/** A cluster and the route `/<id>/…` to it. */
export interface ClusterPlan extends Omit<Cluster, 'destinations'> {
  /** Scripted origins; 1 unless given. They hang until a test gives them a handler. */
  readonly origins?: number;
  /** Destinations on whose port nobody listens, before the origins; none unless given. */
  readonly dead?: number;
  /** Destinations with URLs of the test's own, before the origins. */
  readonly urls?: readonly string[];
  /** Added to the route. */
  readonly route?: Partial<Route>;
}

const SETTLE_LIMIT_MS = 15_000;
/** Between two looks: what is waited for has to get on, too, in this process as in others. */
const LOOK_INTERVAL_MS = 10;

export class ScriptedClusters {
  readonly gateway: GatewayProcess;
  readonly #origins: ReadonlyMap<string, readonly ScriptedOrigin[]>;

  constructor(gateway: GatewayProcess, origins: ReadonlyMap<string, readonly ScriptedOrigin[]>) {
    this.gateway = gateway;
    this.#origins = origins;
  }

  get port(): number {
    return this.gateway.port;
  }

  origin(cluster: string, index = 0): ScriptedOrigin {
    const origin = this.#origins.get(cluster)?.[index];
    if (origin === undefined) throw new Error(`no origin ${index} in ${cluster}`);
    return origin;
  }

  connect(owner: TestOwner, options: ClientOptions = {}): Promise<RawClient> {
    return connect(this.port, { owner, ...options });
  }

  /** Sends one request on a connection of its own and reads the response up to its end, good or bad. */
  request(text: string | Buffer, options: ClientOptions & ReadOptions = {}): Promise<RawResponse> {
    return request(this.port, text, options);
  }

  /** The line of the access log for the request that got `response`. */
  logged(response: RawResponse): Promise<LogLine> {
    const requestId = response.header('x-request-id');
    return this.gateway.waitForLog((line) => line.msg === 'request' && line.requestId === requestId);
  }

  /** A sample of `/metrics` for the route of a cluster; 0 where there is none. */
  async count(
    metric: string,
    cluster: string,
    labels: Readonly<Record<string, string>> = {},
  ): Promise<number> {
    const all = Object.entries({ cluster, route: cluster, ...labels }).map(
      ([name, value]) => `${name}="${value}"`,
    );
    return (await this.gateway.metrics()).get(`gateway_${metric}{${all.sort().join(',')}}`) ?? 0;
  }

  async residentBytes(): Promise<number> {
    return (
      (await this.gateway.metrics()).get('gateway_worker_resident_memory_bytes{worker="1"}') ?? Number.NaN
    );
  }

  /** Waits until no request of the cluster is under way any more. @throws Error where that never comes */
  waitUntilIdle(cluster: string): Promise<void> {
    return this.waitUntil(
      async () => (await this.count('requests_in_flight', cluster)) === 0,
      `requests of ${cluster} are still in flight`,
    );
  }

  /** Asks again and again. @throws Error after fifteen seconds */
  async waitUntil(holds: () => Promise<boolean>, problem: string): Promise<void> {
    const deadlineMs = performance.now() + SETTLE_LIMIT_MS;
    while (!(await holds())) {
      if (performance.now() > deadlineMs) throw new Error(`${problem}: ${this.gateway.describe()}`);
      await delay(LOOK_INTERVAL_MS);
    }
  }

  /** What the gateway logged about its worker that must never come of a request: empty unless something is wrong. */
  workerTroubles(): LogLine[] {
    const troubles = ['worker died', 'worker hangs', 'worker failed', 'worker rejected the configuration'];
    return this.gateway.logs.filter(({ msg = '' }) => troubles.includes(msg));
  }
}

/** The configuration document of the clusters and their routes. */
function describeClusters(
  plans: Readonly<Record<string, ClusterPlan>>,
  urls: ReadonlyMap<string, readonly string[]>,
): { clusters: Record<string, Cluster>; routes: Record<string, Route> } {
  const clusters: Record<string, Cluster> = {};
  const routes: Record<string, Route> = {};
  for (const [id, { origins: _, dead: __, urls: ___, route, ...settings }] of Object.entries(plans)) {
    const destinations = (urls.get(id) ?? []).map((url, index) => [`${id}-${index}`, { url }] as const);
    clusters[id] = {
      loadBalancing: { policy: 'roundRobin' },
      ...settings,
      destinations: Object.fromEntries(destinations),
    };
    routes[id] = { cluster: id, ...route, match: { path: `/${id}/{**rest}`, ...route?.match } };
  }
  return { clusters, routes };
}

/** Starts the origins and a gateway in front of them; all of it goes with the test. */
export async function startScriptedClusters(
  owner: TestOwner,
  plans: Readonly<Record<string, ClusterPlan>>,
  flags: readonly string[] = [],
): Promise<ScriptedClusters> {
  const origins = new Map<string, readonly ScriptedOrigin[]>();
  const urls = new Map<string, readonly string[]>();
  for (const [id, plan] of Object.entries(plans)) {
    const started = await Promise.all(
      Array.from({ length: plan.origins ?? 1 }, () => startOrigin(() => {}, { owner })),
    );
    const dead = await Promise.all(Array.from({ length: plan.dead ?? 0 }, () => holdDeadPort(owner)));
    origins.set(id, started);
    urls.set(id, [
      ...(plan.urls ?? []),
      ...dead.map((port) => `http://127.0.0.1:${port}`),
      ...started.map(({ url }) => url),
    ]);
  }
  const gateway = await startGateway(owner, { config: describeClusters(plans, urls), flags });
  return new ScriptedClusters(gateway, origins);
}
