/**
 * The worker's HTTP server. It does not listen itself: the primary accepts connections and hands them over
 * (see docs/architecture.md), so it is given sockets.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { ERRORS, type ErrorDefinition } from '../core/errors.ts';
import { ClientConnection } from './client-connection.ts';
import { Exchange, type Expectation } from './exchange.ts';
import { clientErrorOf, createHttpServer, type GatewayServer, type UpgradingSocket } from './http-server.ts';
import { refuseOnSocket } from './problem-response.ts';
import type { ProxyContext } from './proxy-context.ts';
import type { GatewayResponse } from './server-response.ts';
import { TlsListener } from './tls/tls-listener.ts';
import { plainAddress } from './trusted-proxies.ts';
import { WebSockets } from './upgrade.ts';
import { isWebSocketUpgrade } from './websocket-session.ts';

/** While draining, idle connections wait this long for the request that may be on its way. */
const IDLE_GRACE_MS = 2_000;
const DRAIN_CHECK_INTERVAL_MS = 50;
const IDLE_CHECK_INTERVAL_MS = 1_000;
/** A connection is kept this much longer than its client was told, whose next request may be on its way. */
const KEEP_ALIVE_MARGIN_MS = 1_000;

interface GatewaySocket extends UpgradingSocket {
  client?: ClientConnection;
}

export class Listener {
  readonly #context: ProxyContext;
  readonly #server: GatewayServer;
  readonly #webSockets: WebSockets;
  readonly #sockets = new Set<GatewaySocket>();
  readonly #tls: TlsListener;
  readonly #idleTimer: NodeJS.Timeout;

  constructor(context: ProxyContext) {
    this.#context = context;
    this.#tls = new TlsListener({
      certificates: () => context.routes.trust.certificates,
      logger: context.logger,
      onSecure: (socket) => this.#serve(socket),
      onPlainHttp: (socket) => this.#refuse(socket, ERRORS.tlsExpected),
    });
    this.#webSockets = new WebSockets(context);
    this.#server = createHttpServer(context.limits);
    this.#listen();
    // Node starts its watch over slow heads and idle connections on this event, which a server that is given
    // its sockets never fires by itself.
    this.#server.emit('listening');
    this.#idleTimer = setInterval(() => this.#closeUnused(), IDLE_CHECK_INTERVAL_MS).unref();
  }

  #listen(): void {
    const server = this.#server;
    server.on('request', (incoming, response) => this.#onRequest(incoming, response, 'none'));
    server.on('checkContinue', (incoming, response) => this.#onRequest(incoming, response, 'continue'));
    server.on('checkExpectation', (incoming, response) => this.#onRequest(incoming, response, 'unknown'));
    server.on('upgrade', (incoming, socket, head) =>
      this.#onUpgrade(incoming, socket as GatewaySocket, head),
    );
    server.on('connect', (_incoming, socket) => this.#onConnect(socket as GatewaySocket));
    server.on('clientError', (error, socket) => this.#onClientError(error, socket as GatewaySocket));
  }

  /** Those whose handshake is under way included. */
  get connectionCount(): number {
    return this.#sockets.size + this.#tls.size;
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
    socket.once('close', onClosed);
    if (secure) this.#tls.accept(socket);
    else this.#serve(socket);
  }

  #serve(socket: GatewaySocket): void {
    // A peer that has reset its connection has no address any more, and what it sent before would still be read:
    // a request of nobody, which no rule about addresses holds for.
    if (socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    this.#connectionOf(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    this.#server.emit('connection', socket);
  }

  #connectionOf(socket: GatewaySocket): ClientConnection {
    socket.client ??= new ClientConnection(socket, this.#context.trustedProxies);
    return socket.client;
  }

  #onRequest(incoming: IncomingMessage, response: GatewayResponse, expectation: Expectation): void {
    const connection = this.#connectionOf(incoming.socket);
    if ((incoming.socket as GatewaySocket).refusedUpgrade) response.shouldKeepAlive = false;
    response.keepAliveMs = this.#context.limits.keepAliveTimeoutMs;
    connection.run(new Exchange(this.#context, connection, incoming, response, expectation));
  }

  #onUpgrade(incoming: IncomingMessage, socket: GatewaySocket, head: Buffer): void {
    const connection = this.#connectionOf(socket);
    socket.on('error', ignore);
    if (connection.busy) {
      // An upgrade pipelined behind a request: its answer could overtake the request's.
      socket.destroy();
      return;
    }
    // Older Node versions come here for every upgrade, with the parser already gone.
    if (isWebSocketUpgrade(incoming)) this.#webSockets.accept(connection, incoming, head);
    else this.#refuse(socket, ERRORS.upgradeNotImplemented);
  }

  /** No tunnels: a CONNECT gets 405, unless that answer would overtake another. */
  #onConnect(socket: GatewaySocket): void {
    if (socket.client?.busy) socket.destroy();
    else this.#refuse(socket, ERRORS.methodNotAllowed);
  }

  /** Bytes that are not HTTP, too slow or too large. Nothing of them has gone to an origin, or it is cut off now. */
  #onClientError(error: NodeJS.ErrnoException, socket: GatewaySocket): void {
    // Surplus behind a request that said `Connection: close`, or behind an answer that did: that answer still stands.
    const isSurplus = error.code === 'HPE_CLOSED_CONNECTION' && socket.client?.busy;
    if (isSurplus) socket.client?.closeWhenServed();
    if (isSurplus || (socket.writableEnded && error.code !== 'ECONNRESET')) return;
    if (error.code === 'ECONNRESET') socket.destroy();
    else if (socket.client?.busy) socket.client.breakRequest();
    else this.#refuse(socket, clientErrorOf(error.code));
  }

  #refuse(socket: GatewaySocket, error: ErrorDefinition): void {
    if (socket.client?.busy) {
      // This answer could overtake that of the request before.
      socket.destroy();
      return;
    }
    const stats = this.#context.unroutedStats;
    stats.begin();
    stats.end(error.status, 0);
    const requestId = this.#context.requestIds.next();
    this.#context.accessLog?.writeRefusal(requestId, plainAddress(socket.remoteAddress), error);
    socket.on('error', ignore);
    refuseOnSocket(socket, error, requestId);
  }

  /** Closes what has waited for another request for too long; for the first one Node waits. */
  #closeUnused(): void {
    const { keepAliveTimeoutMs, headersTimeoutMs } = this.#context.limits;
    if (keepAliveTimeoutMs === 0) return;
    const nowMs = performance.now();
    const limitMs = keepAliveTimeoutMs + KEEP_ALIVE_MARGIN_MS;
    for (const { client } of this.#sockets) {
      if (client?.isUnused(nowMs, headersTimeoutMs, limitMs)) client.socket.destroy();
    }
  }

  /** Closes what has been idle for the whole grace, counted for each connection from its own last answer. */
  #closeIdle(graceMs: number): void {
    this.#tls.closeSlow(graceMs);
    const { headersTimeoutMs } = this.#context.limits;
    const nowMs = performance.now();
    for (const socket of this.#sockets) {
      if (socket.client !== undefined && socket.client.idleMs(nowMs, headersTimeoutMs) >= graceMs)
        socket.destroy();
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
    clearInterval(this.#idleTimer);
    this.#tls.closeSlow(0);
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    return left;
  }
}

function ignore(): void {}
