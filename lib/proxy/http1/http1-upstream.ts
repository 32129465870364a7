/** The gateway's own upstream engine: a bounded pool of keep-alive connections to one origin, in HTTP/1.1. */
import type { OriginAccess } from '../origin-access.ts';
import type {
  Upstream,
  UpstreamExchange,
  UpstreamHandler,
  UpstreamOptions,
  UpstreamRequest,
} from '../upstream.ts';
import { OriginConnector } from './connector.ts';
import { type ExchangeQueue, Http1Exchange } from './http1-exchange.ts';
import { type ConnectionOwner, OriginConnection } from './origin-connection.ts';
import { buildRequestHead, framingOf } from './request-head.ts';

const REAP_INTERVAL_MS = 1_000;

class UpstreamClosed extends Error {
  constructor() {
    super('the upstream was closed');
  }
}

export class Http1Upstream implements Upstream, ExchangeQueue, ConnectionOwner {
  readonly #connector: OriginConnector;
  readonly #options: UpstreamOptions;
  /** All that stand or are being made. */
  readonly #connections = new Set<OriginConnection>();
  /** The free ones; the one used last is taken first, so that those not needed grow old. */
  readonly #free: OriginConnection[] = [];
  readonly #waiting = new Set<Http1Exchange>();
  #reaper: NodeJS.Timeout | null = null;
  #isClosing = false;
  #isDestroyed = false;

  constructor(access: OriginAccess, options: UpstreamOptions) {
    this.#connector = new OriginConnector(access, options.connectMs);
    this.#options = options;
  }

  /** Whether one more request would have to wait, and may not. */
  get full(): boolean {
    return (
      this.#free.length === 0 &&
      this.#connections.size >= this.#options.maxConnections &&
      this.#waiting.size >= this.#options.maxQueued
    );
  }

  dispatch(request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange {
    const framing = framingOf(request);
    let head: string;
    try {
      if (this.#isDestroyed) throw new UpstreamClosed();
      head = buildRequestHead(request, framing);
    } catch (error) {
      const exchange = new Http1Exchange(this, request, handler, '', framing);
      // Later: the caller has not got its exchange yet.
      queueMicrotask(() => exchange.onFailure(error as Error, false));
      return exchange;
    }
    const exchange = new Http1Exchange(this, request, handler, head, framing);
    const connection = request.freshConnection ? null : this.#takeFree();
    if (connection !== null) connection.send(exchange);
    else this.#connectOrWait(exchange);
    return exchange;
  }

  #takeFree(): OriginConnection | null {
    for (;;) {
      const connection = this.#free.pop();
      if (connection === undefined) return null;
      if (connection.reusableUntilMs > performance.now()) return connection;
      connection.close();
    }
  }

  #connectOrWait(exchange: Http1Exchange): void {
    const { maxConnections } = this.#options;
    if (this.#connections.size >= maxConnections) this.#free.shift()?.close();
    if (this.#connections.size >= maxConnections) this.#waiting.add(exchange);
    else this.#connect(exchange);
  }

  #connect(exchange: Http1Exchange): void {
    const connection = new OriginConnection(this, this.#options.idleMs);
    this.#connections.add(connection);
    connection.open(this.#connector, exchange);
  }

  leave(exchange: Http1Exchange): void {
    this.#waiting.delete(exchange);
  }

  onFree(connection: OriginConnection): void {
    const next = this.#takeWaiting();
    if (next !== null) {
      connection.send(next);
    } else if (this.#isClosing) {
      connection.close();
    } else {
      this.#free.push(connection);
      this.#reaper ??= setInterval(() => this.#reap(), REAP_INTERVAL_MS).unref();
    }
  }

  onClosed(connection: OriginConnection): void {
    this.#connections.delete(connection);
    const index = this.#free.lastIndexOf(connection);
    if (index !== -1) this.#free.splice(index, 1);
    const next = this.#takeWaiting();
    if (next !== null) this.#connect(next);
  }

  #takeWaiting(): Http1Exchange | null {
    for (const exchange of this.#waiting) {
      this.#waiting.delete(exchange);
      return exchange;
    }
    return null;
  }

  /** Closes what was free for too long. */
  #reap(): void {
    const nowMs = performance.now();
    for (const connection of [...this.#free]) {
      if (connection.reusableUntilMs <= nowMs) connection.close();
    }
    if (this.#free.length > 0) return;
    if (this.#reaper !== null) clearInterval(this.#reaper);
    this.#reaper = null;
  }

  /** What is under way or waits is still served. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const connection of [...this.#free]) connection.close();
  }

  async destroy(): Promise<void> {
    this.#isClosing = true;
    this.#isDestroyed = true;
    const closed = new UpstreamClosed();
    for (const exchange of [...this.#waiting]) {
      this.#waiting.delete(exchange);
      exchange.onFailure(closed, false);
    }
    for (const connection of [...this.#connections]) connection.onError(closed);
  }
}
