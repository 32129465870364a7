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
/**
 * Many an origin closes a connection with its answer and does not say so. That has come after this; what must not be
 * sent twice does not go out before it would have been seen.
 */
const REST_MS = 2;

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
  readonly #waiting: Http1Exchange[] = [];
  #reaper: NodeJS.Timeout | null = null;
  #restTimer: NodeJS.Timeout | null = null;
  /** Whether there ever was a request that must not be sent twice. */
  #hasSeenUnrepeatable = false;
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
    // Nobody overtakes those that wait.
    const connection = this.#waiting.length === 0 ? this.#takeFree(request) : null;
    if (connection !== null) connection.send(exchange);
    else this.#connectOrWait(exchange);
    return exchange;
  }

  #takeFree({ freshConnection, mayRepeat }: UpstreamRequest): OriginConnection | null {
    const nowMs = performance.now();
    if (!mayRepeat && !this.#hasSeenUnrepeatable) {
      this.#hasSeenUnrepeatable = true;
      this.#beginRest();
    }
    for (let index = this.#free.length - 1; index >= 0 && !freshConnection; index -= 1) {
      const connection = this.#free[index]!;
      if (!mayRepeat && !connection.isRested) continue;
      this.#free.splice(index, 1);
      if (connection.reusableUntilMs > nowMs) return connection;
      connection.close();
    }
    return null;
  }

  #connectOrWait(exchange: Http1Exchange): void {
    if (this.#connections.size < this.#options.maxConnections) {
      this.#connect(exchange);
      return;
    }
    this.#waiting.push(exchange);
    this.#serveWaiting();
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
    this.#free.push(connection);
    if (this.#hasSeenUnrepeatable) this.#beginRest();
    this.#serveWaiting();
    if (this.#free.length === 0) return;
    if (this.#isClosing && this.#waiting.length === 0) this.#closeFree();
    else this.#reaper ??= setInterval(() => this.#reap(), REAP_INTERVAL_MS).unref();
  }

  /** Gives what is free to those that wait, in their order. */
  #serveWaiting(): void {
    while (this.#waiting.length > 0 && this.#free.length > 0) {
      const first = this.#waiting[0]!;
      const connection = this.#takeFree(first.request);
      if (this.#waiting[0] !== first) {
        // A connection that was too old has been closed, and a new one is made for it in its place.
        if (connection !== null) this.#free.push(connection);
      } else if (connection !== null) {
        this.#waiting.shift();
        connection.send(first);
      } else if (first.request.freshConnection) {
        this.#free.shift()?.close();
      } else if (this.#free.length > 0) {
        // What rests is given out when it has.
        return;
      }
    }
  }

  /** Lets what is free rest; what becomes free meanwhile follows. */
  #beginRest(): void {
    this.#restTimer ??= setTimeout(() => {
      const restedMs = performance.now() - REST_MS;
      // Not yet: where the process stood still, what has come meanwhile is still to be read.
      setImmediate(() => this.#endRest(restedMs));
    }, REST_MS).unref();
  }

  /** @param restedMs what has been free since then, or longer, has rested */
  #endRest(restedMs: number): void {
    this.#restTimer = null;
    let areMore = false;
    for (const connection of this.#free) {
      connection.isRested ||= connection.freeSinceMs <= restedMs;
      areMore ||= !connection.isRested;
    }
    if (areMore) this.#beginRest();
    this.#serveWaiting();
    if (this.#isClosing && this.#waiting.length === 0) this.#closeFree();
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
    if (this.#waiting.length === 0) this.#closeFree();
  }

  #closeFree(): void {
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
