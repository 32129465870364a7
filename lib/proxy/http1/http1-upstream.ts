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
  /**
   * Those whose answer has just come, and those of the turn of the event loop before. Many an origin closes a connection
   * with its answer and does not say so; two turns later that has been seen, and no request goes out into nothing.
   */
  #resting: OriginConnection[] = [];
  #rested: OriginConnection[] = [];
  #isTurnAwaited = false;
  readonly #waiting: Http1Exchange[] = [];
  #reaper: NodeJS.Timeout | null = null;
  #isClosing = false;
  #isDestroyed = false;

  constructor(access: OriginAccess, options: UpstreamOptions) {
    this.#connector = new OriginConnector(access, options.connectMs);
    this.#options = options;
  }

  /** Whether one more request would have to wait, and may not. */
  get full(): boolean {
    // Those at rest will be free in a moment.
    return (
      this.#free.length + this.#resting.length + this.#rested.length === 0 &&
      this.#connections.size >= this.#options.maxConnections &&
      this.#waiting.length >= this.#options.maxQueued
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
    if (this.#connections.size >= maxConnections) this.#waiting.push(exchange);
    else this.#connect(exchange);
  }

  #connect(exchange: Http1Exchange): void {
    const connection = new OriginConnection(this, this.#options.idleMs);
    this.#connections.add(connection);
    connection.open(this.#connector, exchange);
  }

  leave(exchange: Http1Exchange): void {
    const index = this.#waiting.indexOf(exchange);
    if (index !== -1) this.#waiting.splice(index, 1);
  }

  onFree(connection: OriginConnection): void {
    this.#resting.push(connection);
    if (!this.#isTurnAwaited) setImmediate(this.#onTurn);
    this.#isTurnAwaited = true;
  }

  readonly #onTurn = (): void => {
    const rested = this.#rested;
    this.#rested = this.#resting;
    this.#resting = [];
    for (const connection of rested) {
      if (!connection.isClosed) this.#release(connection);
    }
    this.#isTurnAwaited = this.#rested.length > 0 || this.#resting.length > 0;
    if (this.#isTurnAwaited) setImmediate(this.#onTurn);
  };

  #release(connection: OriginConnection): void {
    const first = this.#waiting[0];
    if (first?.needsFreshConnection) {
      // A new one for it takes the place of this one.
      connection.close();
    } else if (first !== undefined) {
      this.#waiting.shift();
      connection.send(first);
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
    const next = this.#waiting.shift();
    if (next !== undefined) this.#connect(next);
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
    for (const exchange of this.#waiting.splice(0)) exchange.onFailure(closed, false);
    for (const connection of [...this.#connections]) connection.onError(closed);
  }
}
