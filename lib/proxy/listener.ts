/**
 * The connections of a worker's clients. It does not listen itself: the primary accepts connections and hands them over
 * (see docs/architecture.md), so it is given sockets.
 */
import type { Socket } from 'node:net';
import { ERRORS, type ErrorDefinition } from '../core/errors.ts';
import { isWebSocketUpgrade } from './admission.ts';
import { ClientConnection, type RequestTaker } from './client-connection.ts';
import type { ClientRequest } from './client-request.ts';
import { Exchange } from './exchange.ts';
import { refuseOnSocket } from './problem-response.ts';
import type { ProxyContext } from './proxy-context.ts';
import { TlsListener } from './tls/tls-listener.ts';
import { plainAddress } from './trusted-proxies.ts';
import { WebSockets } from './upgrade.ts';

/** While draining, idle connections wait this long for the request that may be on its way. */
const IDLE_GRACE_MS = 2_000;
const DRAIN_CHECK_INTERVAL_MS = 50;
const WATCH_INTERVAL_MS = 1_000;
/** A connection is kept this much longer than its client was told, whose next request may be on its way. */
const KEEP_ALIVE_MARGIN_MS = 1_000;

export class Listener implements RequestTaker {
  readonly #context: ProxyContext;
  readonly #webSockets: WebSockets;
  readonly #connections = new Set<ClientConnection>();
  readonly #tls: TlsListener;
  readonly #watchTimer: NodeJS.Timeout;

  constructor(context: ProxyContext) {
    this.#context = context;
    this.#tls = new TlsListener({
      certificates: () => context.routes.trust.certificates,
      logger: context.logger,
      onSecure: (socket) => this.#serve(socket, ignore),
      onPlainHttp: (socket) => this.#refuse(socket, plainAddress(socket.remoteAddress), ERRORS.tlsExpected),
    });
    this.#webSockets = new WebSockets(context);
    this.#watchTimer = setInterval(() => this.#watch(), WATCH_INTERVAL_MS).unref();
  }

  /** Those whose handshake is under way included. */
  get connectionCount(): number {
    return this.#connections.size + this.#tls.size;
  }

  get webSocketCount(): number {
    return this.#webSockets.size;
  }

  /** How many TLS handshakes ended in which way since this was asked last. */
  takeHandshakes(): ReturnType<TlsListener['takeResults']> {
    return this.#tls.takeResults();
  }

  /**
   * Serves a connection that the primary has accepted; with `secure`, TLS begins on it. `onClosed` is called when
   * it is gone.
   */
  accept(socket: Socket, secure: boolean, onClosed: () => void = ignore): void {
    if (!secure) {
      this.#serve(socket, onClosed);
      return;
    }
    socket.once('close', onClosed);
    this.#tls.accept(socket);
  }

  #serve(socket: Socket, onClosed: () => void): void {
    // A peer that has reset its connection has no address any more, and what it sent before would still be read:
    // a request of nobody, which no rule about addresses holds for.
    if (socket.remoteAddress === undefined) {
      socket.once('close', onClosed);
      socket.destroy();
      return;
    }
    const connection = new ClientConnection(socket, this.#context.trustedProxies, this.#context.limits, this);
    this.#connections.add(connection);
    connection.socket.once('close', () => {
      this.#connections.delete(connection);
      onClosed();
    });
  }

  // ---- what comes over a connection ----

  onRequest(connection: ClientConnection, request: ClientRequest): void {
    new Exchange(this.#context, connection, request).start();
  }

  takesOver(request: ClientRequest): boolean {
    // What is no WebSocket is served as if it had not asked for an upgrade (RFC 9110 §7.8).
    return isWebSocketUpgrade(request);
  }

  onUpgrade(connection: ClientConnection, request: ClientRequest, surplus: Buffer): void {
    this.#webSockets.accept(connection, request, surplus);
  }

  onUnreadable({ socket, peerAddress }: ClientConnection, error: ErrorDefinition): void {
    this.#refuse(socket, peerAddress, error);
  }

  /** Answers bytes that are no request, too slow or too large. */
  #refuse(socket: Socket, peerAddress: string, error: ErrorDefinition): void {
    const stats = this.#context.unroutedStats;
    stats.begin();
    stats.end(error.status, 0);
    const requestId = this.#context.requestIds.next();
    this.#context.accessLog?.writeRefusal(requestId, peerAddress, error);
    socket.on('error', ignore);
    refuseOnSocket(socket, error, requestId);
  }

  // ---- time ----

  /** Ends what has waited too long for a request, or for the rest of a head. */
  #watch(): void {
    const { keepAliveTimeoutMs, headersTimeoutMs } = this.#context.limits;
    const nowMs = performance.now();
    const unusedMs =
      keepAliveTimeoutMs === 0 ? Number.POSITIVE_INFINITY : keepAliveTimeoutMs + KEEP_ALIVE_MARGIN_MS;
    for (const connection of this.#connections) {
      if (connection.isHeadTooSlow(nowMs, headersTimeoutMs)) connection.giveUpHead();
      else if (connection.isUnused(nowMs, headersTimeoutMs, unusedMs) || connection.isOverdue(nowMs))
        connection.socket.destroy();
    }
  }

  /** Closes what has been idle for the whole grace, counted for each connection from its own last answer. */
  #closeIdle(graceMs: number): void {
    this.#tls.closeSlow(graceMs);
    const { headersTimeoutMs } = this.#context.limits;
    const nowMs = performance.now();
    for (const connection of this.#connections) {
      if (connection.idleMs(nowMs, headersTimeoutMs) >= graceMs) connection.socket.destroy();
    }
  }

  /**
   * Lets what is under way finish: answers close their connections, WebSockets get a close frame, idle
   * connections go after a grace. Resolves when nothing is left, or after `limitMs`, with what was cut off.
   */
  async drain(limitMs: number): Promise<number> {
    this.#context.draining = true;
    this.#webSockets.leaveAll();
    const startedMs = performance.now();
    const graceMs = Math.min(IDLE_GRACE_MS, limitMs / 2);
    while (this.connectionCount > 0 && performance.now() - startedMs < limitMs) {
      await new Promise((resolve) => setTimeout(resolve, DRAIN_CHECK_INTERVAL_MS));
      if (performance.now() - startedMs >= graceMs) this.#closeIdle(graceMs);
    }
    const left = this.connectionCount;
    clearInterval(this.#watchTimer);
    this.#tls.closeSlow(0);
    for (const { socket } of this.#connections) socket.destroy();
    return left;
  }
}

function ignore(): void {}
