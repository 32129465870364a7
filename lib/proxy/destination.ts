import { DestinationState } from '../core/balancing/destination-state.ts';
import type {
  Cluster,
  Destination,
  HttpEngine,
  OriginTls as OriginTlsSettings,
} from '../core/config/model.ts';
import { DEFAULT_HTTP_ENGINE, DEFAULT_POOL, DEFAULT_TIMEOUTS } from '../core/config/model.ts';
import { Http1Upstream } from './http1/http1-upstream.ts';
import { OriginAccess, type OriginServices } from './origin-access.ts';
import type { OriginTls } from './tls/origin-tls.ts';
import { UndiciUpstream } from './undici-upstream.ts';
import type { Upstream, UpstreamOptions, UpstreamRequest } from './upstream.ts';

/** What is under way at a destination that was removed may take this long, then it is cut off. */
const REMOVAL_DRAIN_LIMIT_MS = 300_000;

/** The settings of a cluster that a destination's connections are made with. */
export interface ConnectionSettings extends UpstreamOptions {
  readonly engine: HttpEngine;
  /** Null where the cluster says nothing of TLS. */
  readonly tls: OriginTlsSettings | null;
}

export function connectionSettingsOf(cluster: Cluster): ConnectionSettings {
  return {
    connectMs: cluster.timeouts?.connectMs ?? DEFAULT_TIMEOUTS.connectMs,
    maxConnections: cluster.pool?.maxConnections ?? DEFAULT_POOL.maxConnections,
    maxQueued: cluster.pool?.maxQueued ?? DEFAULT_POOL.maxQueued,
    idleMs: cluster.pool?.idleMs ?? DEFAULT_POOL.idleMs,
    engine: cluster.http?.engine ?? DEFAULT_HTTP_ENGINE,
    tls: cluster.tls ?? null,
  };
}

/** One server of a cluster as one worker sees it: its balancing state and its connections. */
export class ProxiedDestination extends DestinationState {
  readonly url: URL;
  /** The Host field that the origin is addressed with. */
  readonly authority: string;
  /** Goes before every path; empty or without a trailing slash. */
  readonly basePath: string;
  readonly settings: ConnectionSettings;
  readonly access: OriginAccess;
  readonly #upstream: Upstream;
  /** Beside undici, once it is needed. */
  #builtin: Http1Upstream | null = null;
  #retired = false;

  /** @param tls how connections are secured: that of the cluster */
  constructor(
    id: string,
    destination: Destination,
    settings: ConnectionSettings,
    tls: OriginTls,
    services: OriginServices,
  ) {
    super(id, destination.weight ?? 1);
    this.url = new URL(destination.url);
    this.authority = this.url.host;
    this.basePath = this.url.pathname.replace(/\/+$/, '');
    this.settings = settings;
    this.access = new OriginAccess(this.url, tls, services);
    this.#upstream =
      settings.engine === 'undici'
        ? new UndiciUpstream(this.url, this.access, settings)
        : new Http1Upstream(this.access, settings);
  }

  /** Whether one more request would make the queue longer than it may be. */
  get overloaded(): boolean {
    return this.#upstream.full;
  }

  /** The engine for a request: the cluster's, but for the two things that undici cannot say. */
  upstreamFor(request: UpstreamRequest): Upstream {
    if (!request.expectContinue && request.trailers === null) return this.#upstream;
    if (this.#upstream instanceof Http1Upstream) return this.#upstream;
    this.#builtin ??= new Http1Upstream(this.access, this.settings);
    return this.#builtin;
  }

  /** Takes no new requests; lets those under way finish, within a limit. */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    setTimeout(() => this.destroy(), REMOVAL_DRAIN_LIMIT_MS).unref();
    void this.#upstream.close();
    void this.#builtin?.close();
  }

  destroy(): void {
    void this.#upstream.destroy().catch(ignore);
    void this.#builtin?.destroy().catch(ignore);
  }
}

/** Closing what is closed already is no failure. */
function ignore(): void {}
