/** Upgrade requests: admitted, routed and balanced like any other, then handed to a WebSocket session. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { hashKeyOf } from '../core/balancing/hash-key.ts';
import { ERRORS, type ErrorDefinition } from '../core/errors.ts';
import { type AdmittedRequest, admit, Refusal, refuseByRoute } from './admission.ts';
import type { ClientConnection } from './client-connection.ts';
import type { ProxiedDestination } from './destination.ts';
import { roundMs } from './exchange-record.ts';
import { clientAddressOf, headersFor, hostFor, requestIdOf, targetFor } from './forwarding.ts';
import { refuseOnSocket } from './problem-response.ts';
import type { ProxiedRoute } from './proxied-route.ts';
import type { ProxyContext } from './proxy-context.ts';
import { plainAddress } from './trusted-proxies.ts';
import { WebSocketSession } from './websocket-session.ts';

/** The WebSockets of a worker, and the way to them. */
export class WebSockets {
  readonly #context: ProxyContext;
  readonly #sessions = new Set<WebSocketSession>();

  constructor(context: ProxyContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Takes an upgrade request that is a WebSocket's; `head` is what came after it. */
  accept(connection: ClientConnection, incoming: IncomingMessage, head: Buffer): void {
    const startedMs = performance.now();
    const context = this.#context;
    const request = admit(incoming);
    if (request instanceof Refusal) {
      this.#refuse(connection.socket, null, request.error, context.requestIds.next());
      return;
    }
    const requestId = requestIdOf(context, connection, request);
    const route = context.routes.match(request);
    const error = route === null ? ERRORS.noRoute : refusalOf(route, request, context.draining);
    if (route === null || error !== null) {
      this.#refuse(connection.socket, route, error ?? ERRORS.noRoute, requestId);
      return;
    }
    const clientAddress = clientAddressOf(context, connection, request);
    const destination = pickDestination(route, request, clientAddress);
    if (destination === null) {
      this.#refuse(connection.socket, route, ERRORS.noDestination, requestId);
      return;
    }
    this.#open(connection, incoming, head, request, route, destination, requestId, startedMs);
  }

  #refuse(socket: Socket, route: ProxiedRoute | null, error: ErrorDefinition, requestId: string): void {
    const stats = route?.stats ?? this.#context.unroutedStats;
    stats.begin();
    stats.end(error.status, 0);
    this.#context.accessLog?.writeRefusal(requestId, plainAddress(socket.remoteAddress), error);
    refuseOnSocket(socket, error, requestId);
  }

  #open(
    connection: ClientConnection,
    incoming: IncomingMessage,
    head: Buffer,
    request: AdmittedRequest,
    route: ProxiedRoute,
    destination: ProxiedDestination,
    requestId: string,
    startedMs: number,
  ): void {
    const { cluster, stats } = route;
    stats.begin();
    cluster.balancer.begin(destination);
    const session = new WebSocketSession(
      {
        incoming,
        socket: connection.socket,
        head,
        destination,
        target: targetFor(route, request, destination),
        host: hostFor(route, request, destination),
        headers: headersFor(route, request, connection, requestId),
        responseHeaders: route.responseHeaders,
        requestId,
        headersMs: cluster.headersMs,
        idleMs: cluster.idleMs,
      },
      this.#context.sweeper,
      (status, error, detail) => {
        this.#sessions.delete(session);
        cluster.balancer.end(destination, error?.side === 'origin' ? -1 : session.headLatencyMs);
        if (error !== null && error.side === 'origin') stats.countUpstreamError(error.code);
        const durationMs = performance.now() - startedMs;
        stats.end(status, durationMs);
        this.#log(connection, request, route, destination, requestId, status, error, detail, durationMs);
      },
    );
    this.#sessions.add(session);
    session.start();
  }

  #log(
    connection: ClientConnection,
    request: AdmittedRequest,
    route: ProxiedRoute,
    destination: ProxiedDestination,
    requestId: string,
    status: number,
    error: ErrorDefinition | null,
    detail: string | null,
    durationMs: number,
  ): void {
    const code = error?.code ?? null;
    const where = { requestId, route: route.id, cluster: route.cluster.id, destination: destination.id };
    if (detail !== null) this.#context.logger.warn({ ...where, code, detail }, 'origin failed');
    if (!this.#context.accessLog?.wants(status, code)) return;
    this.#context.accessLog.write({
      ...where,
      client: connection.peerAddress,
      method: request.method,
      host: request.host,
      path: request.path,
      status,
      code,
      attempts: 1,
      revision: this.#context.revision,
      durationMs: roundMs(durationMs),
      upstreamMs: null,
      requestBytes: connection.socket.bytesRead,
      responseBytes: connection.socket.bytesWritten,
    });
  }

  /** Says goodbye on every session. */
  leaveAll(): void {
    for (const session of this.#sessions) session.leave();
  }

  destroyAll(): void {
    for (const session of this.#sessions) session.destroy();
  }
}

function refusalOf(route: ProxiedRoute, request: AdmittedRequest, draining: boolean): ErrorDefinition | null {
  return draining ? ERRORS.draining : (refuseByRoute(route, request)?.error ?? null);
}

function pickDestination(
  route: ProxiedRoute,
  request: AdmittedRequest,
  clientAddress: string,
): ProxiedDestination | null {
  const { hashKey, balancer } = route.cluster;
  const hash = hashKey === null ? 0 : hashKeyOf(hashKey, request.rawHeaders, request.query, clientAddress);
  return balancer.pick(hash, null);
}
