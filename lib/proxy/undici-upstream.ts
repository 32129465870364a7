/**
 * The upstream engine on undici's dispatch API: a bounded pool of keep-alive connections to one origin. It cannot say
 * `Expect: 100-continue` nor send trailers.
 */
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import type { buildConnector, Dispatcher, Pool } from 'undici';
import type { Lender } from './http1/read-memory.ts';
import type { OriginAccess } from './origin-access.ts';
import type { OriginTlsOptions } from './tls/origin-tls.ts';
import {
  type BodySink,
  type BodySource,
  failureOf,
  type Upstream,
  type UpstreamExchange,
  type UpstreamHandler,
  type UpstreamOptions,
  type UpstreamRequest,
} from './upstream.ts';

const require = createRequire(import.meta.url);

/** Loaded for clusters that ask for it alone: every worker would pay for it at its start. */
function loadUndici(): typeof import('undici') {
  return require('undici');
}

export class UndiciUpstream implements Upstream {
  readonly #origin: URL;
  readonly #access: OriginAccess;
  readonly #options: UpstreamOptions;
  /** Made for the first request: each takes 20 kB, and most destinations of a large table wait long for one. */
  #pool: Pool | null = null;
  /** Exchanges that undici has. It is never given more than connections, as nothing can leave its own queue. */
  #running = 0;
  readonly #waiting = new Set<UndiciExchange>();
  #closing = false;
  readonly #serverName: string | null;

  constructor(origin: URL, access: OriginAccess, options: UpstreamOptions) {
    this.#origin = origin;
    this.#access = access;
    this.#options = options;
    // Said explicitly, and never empty: undici would take it from the Host field, which may be the client's, and
    // connect anew whenever it differs. What is really asked for and verified the connector says.
    this.#serverName = access.secure ? access.serverName || access.host : null;
  }

  #createPool(): Pool {
    const { maxConnections, connectMs, idleMs } = this.#options;
    const connector = new OriginConnector(this.#access, connectMs);
    return new (loadUndici().Pool)(this.#origin.origin, {
      connections: maxConnections,
      pipelining: 1,
      connect: (target, callback) => void connector.connect(target, callback),
      keepAliveTimeout: idleMs,
      keepAliveMaxTimeout: idleMs,
      // The exchange sweeper watches these waits: one sweep instead of two timers a request.
      headersTimeout: 0,
      bodyTimeout: 0,
      allowH2: false,
    });
  }

  /** Whether one more request would have to wait, and may not. */
  get full(): boolean {
    return this.#running >= this.#options.maxConnections && this.#waiting.size >= this.#options.maxQueued;
  }

  dispatch(request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange {
    request.headers.push('host', request.host);
    const exchange = new UndiciExchange(this, request, handler);
    if (this.#running < this.#options.maxConnections) this.#start(exchange);
    else this.#waiting.add(exchange);
    return exchange;
  }

  #start(exchange: UndiciExchange): void {
    const { request } = exchange;
    this.#running += 1;
    exchange.isStarting = true;
    try {
      this.#pool ??= this.#createPool();
      this.#pool.dispatch(
        {
          path: request.target,
          method: request.method as Dispatcher.HttpMethod,
          headers: request.headers,
          body: request.body === null ? null : new BodyStream(request.body),
          servername: this.#serverName,
        } as Dispatcher.DispatchOptions,
        exchange,
      );
    } catch (error) {
      exchange.onResponseError(null, error as Error);
    }
    exchange.isStarting = false;
  }

  /** An exchange has nothing more to do with its connection, or gives up waiting for one. */
  release(exchange: UndiciExchange): void {
    if (this.#waiting.delete(exchange)) {
      this.#closeWhenIdle();
      return;
    }
    this.#running -= 1;
    const [next] = this.#waiting;
    if (next !== undefined) {
      this.#waiting.delete(next);
      this.#start(next);
    }
    this.#closeWhenIdle();
  }

  /** What waits here is still served; undici, once told to close, would take nothing more. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#closeWhenIdle();
  }

  #closeWhenIdle(): void {
    if (!this.#closing || this.#running > 0 || this.#waiting.size > 0) return;
    // A request that found its route before, and waited for its turn since, gets a pool of its own.
    void this.#pool?.close().catch(() => {});
    this.#pool = null;
  }

  async destroy(): Promise<void> {
    this.#closing = true;
    for (const exchange of [...this.#waiting])
      exchange.onResponseError(null, new Error('the upstream was closed'));
    await this.#pool?.destroy();
  }
}

/**
 * Connects as undici does, but so that a reset stays a failure: undici takes ECONNRESET for the end of a body
 * that ends with the connection, which is then not whole (RFC 9112 §8). Under another code it takes no part.
 */
class OriginConnector {
  readonly #access: OriginAccess;
  readonly #connectMs: number;
  /** Made anew with new TLS settings, as undici keeps sessions by it that were verified with the old ones. */
  #connect: buildConnector.connector | null = null;
  #tlsOptions: OriginTlsOptions | null = null;

  constructor(access: OriginAccess, connectMs: number) {
    this.#access = access;
    this.#connectMs = connectMs;
  }

  /** Never rejects: what goes wrong is told as undici expects it, and must not end the worker. */
  async connect(target: buildConnector.Options, callback: buildConnector.Callback): Promise<void> {
    try {
      const connect = await this.#prepare();
      connect({ ...target, servername: this.#access.serverName }, (...outcome) => {
        outcome[1]?.on('error', (error: NodeJS.ErrnoException) => {
          if (error.code === 'ECONNRESET') error.code = 'ERR_ORIGIN_RESET';
        });
        callback(...outcome);
      });
    } catch (error) {
      callback(error as Error, null);
    }
  }

  async #prepare(): Promise<buildConnector.connector> {
    this.#access.checkHost();
    const tlsOptions = this.#access.secure ? await this.#access.tlsOptions() : null;
    if (this.#connect !== null && tlsOptions === this.#tlsOptions) return this.#connect;
    const { lookup } = this.#access;
    this.#tlsOptions = tlsOptions;
    this.#connect = loadUndici().buildConnector({
      timeout: this.#connectMs,
      allowH2: false,
      lookup,
      ...tlsOptions,
    });
    return this.#connect;
  }
}

class UndiciExchange implements UpstreamExchange, Dispatcher.DispatchHandler {
  readonly request: UpstreamRequest;
  readonly #upstream: UndiciUpstream;
  readonly #handler: UpstreamHandler;
  /** True while undici is being given the request: what it reports then must wait for the caller. */
  isStarting = false;
  #controller: Dispatcher.DispatchController | null = null;
  #over = false;
  #tellsReadEnd = false;

  constructor(upstream: UndiciUpstream, request: UpstreamRequest, handler: UpstreamHandler) {
    this.#upstream = upstream;
    this.request = request;
    this.#handler = handler;
  }

  resume(): void {
    this.#controller?.resume();
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller?.abort(ABORTED);
    this.#upstream.release(this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Aborted while the connection was being made: undici has no way to leave before this point.
    if (this.#over) controller.abort(ABORTED);
    else this.#handler.onSent();
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusText?: string,
  ): void {
    if (this.#over) return;
    const rawHeaders = textsOf(controller.rawHeaders);
    if (status < 200) this.#handler.onInformation(status, rawHeaders);
    else this.#begin(status, reasonOf(statusText ?? ''), rawHeaders);
  }

  #begin(status: number, reason: string, rawHeaders: string[]): void {
    this.#handler.onHead(status, reason, rawHeaders);
    this.#tellReadEndLater();
  }

  /** undici does not say where what it has read ends; what came together it tells at once. */
  #tellReadEndLater(): void {
    if (this.#tellsReadEnd) return;
    this.#tellsReadEnd = true;
    process.nextTick(() => {
      this.#tellsReadEnd = false;
      if (!this.#over) this.#handler.onReadEnd();
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return;
    if (!this.#handler.onData(chunk, null)) controller.pause();
    this.#tellReadEndLater();
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    if (this.#over) return;
    this.#over = true;
    this.#upstream.release(this);
    this.#handler.onEnd(textsOf(controller.rawTrailers));
  }

  onResponseError(controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.isStarting) {
      queueMicrotask(() => this.onResponseError(controller, error));
      return;
    }
    if (this.#over) return;
    this.#over = true;
    this.#upstream.release(this);
    // undici does not tell whether the connection was used before: such a failure counts as any other.
    this.#handler.onFailure({ ...failureOf(error, this.#controller !== null), isStale: false });
  }
}

/** The body as undici takes it. It destroys the stream when the request fails, which detaches it from the body. */
class BodyStream extends Readable implements BodySink {
  readonly #source: BodySource;
  #isOpen = false;

  constructor(source: BodySource) {
    super();
    this.#source = source;
  }

  override _read(): void {
    if (this.#isOpen) {
      this.#source.pull(this);
      return;
    }
    this.#isOpen = true;
    // Not at once: of a body that is whole when undici looks at it, it would send the length, and no trailers.
    process.nextTick(() => {
      if (!this.destroyed) this.#source.open(this);
    });
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#source.detach(this);
    callback(error);
  }

  onBodyData(chunk: Buffer, lender: Lender | null): boolean {
    return this.push(lender === null ? chunk : Buffer.from(chunk));
  }

  onBodyEnd(): void {
    this.push(null);
  }
}

/** Made once: an Error with its stack costs more than the rest of an abort. */
const ABORTED = new Error('the exchange was given up');

/** undici hands header fields out as bytes; the wire's octets are kept by latin1. */
function textsOf(raw: unknown): string[] {
  const texts: string[] = [];
  if (!Array.isArray(raw)) return texts;
  for (const part of raw as (Buffer | string)[]) {
    texts.push(typeof part === 'string' ? part : part.toString('latin1'));
  }
  return texts;
}

/**
 * undici reads the reason phrase as UTF-8, whose octets are given back here. What is no UTF-8 is lost, and a
 * phrase that means nothing to anybody (RFC 9112 §4) is better empty than wrong.
 */
function reasonOf(statusText: string): string {
  if (/^[\t\x20-\x7e]*$/.test(statusText)) return statusText;
  return statusText.includes('\ufffd') ? '' : Buffer.from(statusText, 'utf8').toString('latin1');
}
