/**
 * The upstream engine for what undici's dispatch API cannot say: `Expect: 100-continue` and request
 * trailers. Both are rare, so each request has a connection of its own.
 */
import http from 'node:http';
import https from 'node:https';
import { ERRORS } from '../core/errors.ts';
import { headerPairs } from './header-pairs.ts';
import type { OriginAccess } from './origin-access.ts';
import { createOriginAgent } from './origin-agent.ts';
import {
  failureOf,
  type Upstream,
  type UpstreamExchange,
  type UpstreamHandler,
  type UpstreamRequest,
} from './upstream.ts';

/** How long an origin is given to ask for the body; then it gets it unasked (RFC 9110 §10.1.1). */
const CONTINUE_WAIT_MS = 1_000;

export class NodeHttpUpstream implements Upstream {
  readonly #origin: URL;
  readonly #agent: http.Agent;
  readonly #connectMs: number;
  readonly #active = new Set<NodeHttpExchange>();

  constructor(origin: URL, access: OriginAccess, connectMs: number, maxConnections: number) {
    this.#origin = origin;
    this.#connectMs = connectMs;
    this.#agent = createOriginAgent(access, maxConnections);
  }

  dispatch(request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange {
    const exchange = new NodeHttpExchange(request, handler, () => this.#active.delete(exchange));
    this.#active.add(exchange);
    exchange.start(this.#origin, this.#agent, this.#connectMs);
    return exchange;
  }

  /** Every connection ends with its exchange, so there is nothing to close beyond them. */
  async close(): Promise<void> {}

  async destroy(): Promise<void> {
    for (const exchange of this.#active) exchange.fail(new Error('the upstream was closed'));
    this.#agent.destroy();
  }
}

class NodeHttpExchange implements UpstreamExchange {
  readonly #request: UpstreamRequest;
  readonly #handler: UpstreamHandler;
  readonly #onOver: () => void;
  #outgoing: http.ClientRequest | null = null;
  #incoming: http.IncomingMessage | null = null;
  #connectTimer: NodeJS.Timeout | null = null;
  #continueTimer: NodeJS.Timeout | null = null;
  #sent = false;
  #bodyBegun = false;
  #over = false;

  constructor(request: UpstreamRequest, handler: UpstreamHandler, onOver: () => void) {
    this.#request = request;
    this.#handler = handler;
    this.#onOver = onOver;
  }

  start(origin: URL, agent: http.Agent, connectMs: number): void {
    const transport = origin.protocol === 'https:' ? https : http;
    try {
      this.#outgoing = transport.request({
        protocol: origin.protocol,
        hostname: origin.hostname.replace(/^\[|\]$/g, ''),
        port: origin.port === '' ? null : Number(origin.port),
        method: this.#request.method,
        path: this.#request.target,
        headers: this.#outgoingHeaders(),
        agent,
        setDefaultHeaders: false,
      });
    } catch (error) {
      // Later, as for every other failure: the caller has not got its exchange yet.
      queueMicrotask(() => this.fail(error as Error));
      return;
    }
    this.#listen(this.#outgoing, origin.protocol === 'https:', connectMs);
    // Node writes a head that is sent ahead of its body in the socket's own encoding: bytes must stay bytes.
    this.#outgoing.once('socket', (socket) => socket.setDefaultEncoding('latin1'));
    this.#outgoing.flushHeaders();
  }

  #outgoingHeaders(): string[] {
    const headers = ['host', this.#request.host, ...this.#request.headers, 'connection', 'close'];
    if (this.#request.expectContinue) headers.push('expect', '100-continue');
    if (this.#request.body !== null && !hasContentLength(headers))
      headers.push('transfer-encoding', 'chunked');
    return headers;
  }

  #listen(outgoing: http.ClientRequest, secure: boolean, connectMs: number): void {
    // From the socket on: before that it waits for a place among the agent's connections.
    outgoing.once('socket', (socket) => {
      if (this.#over) return;
      this.#connectTimer = setTimeout(() => this.#failToConnect(), connectMs);
      if (!socket.connecting && !secure) this.#onConnected();
      else socket.once(secure ? 'secureConnect' : 'connect', () => this.#onConnected());
    });
    outgoing.on('continue', () => this.#onContinue());
    outgoing.on('information', (info) => {
      if (!this.#over && info.statusCode > 101) this.#handler.onInformation(info.statusCode, info.rawHeaders);
    });
    outgoing.on('response', (incoming) => this.#onResponse(incoming));
    outgoing.on('upgrade', (incoming, socket) => {
      socket.destroy();
      this.#failUnasked(incoming);
    });
    outgoing.on('error', (error) => this.fail(error));
  }

  #failToConnect(): void {
    this.#end(() =>
      this.#handler.onFailure({
        error: ERRORS.upstreamConnectTimeout,
        condition: 'connect',
        detail: 'connect timeout',
      }),
    );
    this.#outgoing?.destroy();
  }

  #onConnected(): void {
    this.#clearConnectTimer();
    if (this.#over) return;
    this.#sent = true;
    this.#handler.onSent();
    // Not before: a body that was begun could not go to another destination.
    if (!this.#request.expectContinue) this.#sendBody();
    else this.#continueTimer = setTimeout(() => this.#onContinue(), CONTINUE_WAIT_MS);
  }

  /** The origin wants the body, or has not said in time whether it does. */
  #onContinue(): void {
    if (this.#over || this.#bodyBegun) return;
    this.#handler.onContinue();
    this.#sendBody();
  }

  #sendBody(): void {
    const outgoing = this.#outgoing;
    const body = this.#request.body;
    if (outgoing === null) return;
    this.#bodyBegun = true;
    if (body === null) {
      outgoing.end();
      return;
    }
    body.on('end', () => {
      const trailers = this.#request.trailers?.() ?? null;
      if (trailers !== null && !outgoing.destroyed) outgoing.addTrailers(headerPairs(trailers));
      outgoing.end();
    });
    body.on('error', (error) => outgoing.destroy(error));
    body.pipe(outgoing, { end: false });
  }

  #onResponse(incoming: http.IncomingMessage): void {
    if (this.#over) {
      incoming.destroy();
      return;
    }
    if ((incoming.statusCode ?? 0) < 200) {
      this.#failUnasked(incoming);
      return;
    }
    this.#incoming = incoming;
    incoming.on('data', (chunk: Buffer) => {
      if (!this.#over && !this.#handler.onData(chunk)) incoming.pause();
    });
    incoming.on('end', () => this.#end(() => this.#handler.onEnd(incoming.rawTrailers)));
    incoming.on('error', (error) => this.fail(error));
    incoming.on('aborted', () => this.fail(new Error('the origin broke off')));
    this.#handler.onHead(incoming.statusCode ?? 0, incoming.statusMessage ?? '', incoming.rawHeaders);
  }

  /** An interim response, 101 above all, where a final one belongs. */
  #failUnasked(incoming: http.IncomingMessage): void {
    const detail = `unasked ${incoming.statusCode}`;
    this.#end(() => this.#handler.onFailure({ error: ERRORS.upstreamProtocol, condition: null, detail }));
    this.#outgoing?.destroy();
  }

  resume(): void {
    this.#incoming?.resume();
  }

  abort(): void {
    this.#end(() => {});
    this.#outgoing?.destroy();
  }

  fail(error: Error): void {
    this.#end(() => this.#handler.onFailure(failureOf(error, this.#sent)));
    this.#outgoing?.destroy();
  }

  /** The one way out: whatever comes first ends the exchange, the rest is ignored. */
  #end(tell: () => void): void {
    if (this.#over) return;
    this.#over = true;
    this.#clearConnectTimer();
    this.#onOver();
    // The origin may answer without having read the body; what is left of it has no use any more.
    if (this.#incoming === null || !this.#incoming.complete) this.#request.body?.destroy();
    tell();
  }

  #clearConnectTimer(): void {
    if (this.#continueTimer !== null) clearTimeout(this.#continueTimer);
    this.#continueTimer = null;
    if (this.#connectTimer !== null) clearTimeout(this.#connectTimer);
    this.#connectTimer = null;
  }
}

function hasContentLength(headers: readonly string[]): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index]!.toLowerCase() === 'content-length') return true;
  }
  return false;
}
