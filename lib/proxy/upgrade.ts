/** Upgrade requests: admitted, routed and balanced like any other, then handed to a WebSocket session. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { hashKeyOf } from '../core/balancing/hash-key.ts';
import { ERRORS, type ErrorDefinition } from '../core/errors.ts';
import { type AdmittedRequest, admit, Refusal, refuseByRoute } from './admission.ts';
import type { ClientConnection } from './client-connection.ts';
import type { ProxiedDestination } from './destination.ts';
import { roundMs } from './exchange-record.ts';
import { clientAddressOf, headersFor, hostFor, requestIdOf, schemeOf, targetFor } from './forwarding.ts';
import { Passage } from './policies/passage.ts';
import { type DirectAnswer, type PolicyRefusal, refuse } from './policies/verdict.ts';
import { answerOnSocket, refuseOnSocket } from './problem-response.ts';
import type { ProxiedRoute } from './proxied-route.ts';
import type { ProxyContext } from './proxy-context.ts';
import { needsScreening, screen } from './screening.ts';
import { plainAddress } from './trusted-proxies.ts';
import { WebSocketSession } from './websocket-session.ts';

/** An upgrade request on its way to its WebSocket. */
interface Upgrade {
  readonly connection: ClientConnection;
  readonly incoming: IncomingMessage;
  /** What came after it. */
  readonly head: Buffer;
  readonly request: AdmittedRequest;
  readonly route: ProxiedRoute;
  readonly requestId: string;
  readonly clientAddress: string;
  readonly startedMs: number;
  /** Null where no policy looks at it. */
  readonly passage: Passage | null;
}

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
    const context = this.#context;
    const request = admit(incoming, context.limits);
    if (request instanceof Refusal) {
      this.#refuse(connection.socket, null, request, context.requestIds.next());
      return;
    }
    const requestId = requestIdOf(context, connection, request);
    const route = context.routes.match(request);
    if (route === null) {
      this.#refuse(connection.socket, null, refuse(ERRORS.noRoute), requestId);
      return;
    }
    const clientAddress = clientAddressOf(context, connection, request);
    const startedMs = performance.now();
    const upgrade = { connection, incoming, head, request, route, requestId, clientAddress, startedMs };
    void this.#screen({ ...upgrade, passage: this.#passageFor(upgrade) });
  }

  #passageFor({ connection, request, route, clientAddress }: Omit<Upgrade, 'passage'>): Passage | null {
    if (!needsScreening(this.#context.routes, route)) return null;
    return new Passage(request, clientAddress, schemeOf(connection, request), true);
  }

  async #screen(upgrade: Upgrade): Promise<void> {
    const { routes } = this.#context;
    const { route, request, passage, connection } = upgrade;
    const pending =
      refuseByRoute(route, request) ?? (passage === null ? null : screen(routes, route, passage, connection));
    const verdict = pending instanceof Promise ? await pending : pending;
    // Meanwhile the client may have gone.
    if (!connection.socket.writable) this.#refuse(connection.socket, route, refuse(ERRORS.clientAborted), '');
    else if (verdict === null) this.#choose(upgrade);
    else if (verdict.kind === 'refusal') this.#refuse(connection.socket, route, verdict, upgrade.requestId);
    else this.#redirect(upgrade, verdict);
  }

  #choose(upgrade: Upgrade): void {
    const { connection, route, request, clientAddress, requestId } = upgrade;
    const refusal = this.#context.draining ? refuse(ERRORS.draining) : enterGates(route);
    if (refusal !== null) {
      this.#refuse(connection.socket, route, refusal, requestId);
      return;
    }
    const destination = pickDestination(route, request, clientAddress);
    if (destination !== null) {
      this.#open(upgrade, destination);
      return;
    }
    leaveGates(route);
    this.#refuse(connection.socket, route, refuse(ERRORS.noDestination), requestId);
  }

  #refuse(socket: Socket, route: ProxiedRoute | null, refusal: PolicyRefusal, requestId: string): void {
    const { error, headers } = refusal;
    const stats = route?.stats ?? this.#context.unroutedStats;
    stats.begin();
    stats.end(error.status, 0);
    if (error === ERRORS.rateLimited) stats.countRateLimited();
    this.#context.accessLog?.writeRefusal(requestId, plainAddress(socket.remoteAddress), error);
    refuseOnSocket(socket, error, requestId, headers);
  }

  /** Browsers do not follow it, but other clients may. */
  #redirect({ connection, route, requestId }: Upgrade, answer: DirectAnswer): void {
    route.stats.begin();
    route.stats.end(answer.status, 0);
    answerOnSocket(connection.socket, answer, requestId);
  }

  #open(upgrade: Upgrade, destination: ProxiedDestination): void {
    const { connection, incoming, head, request, route, requestId, passage, startedMs } = upgrade;
    const { cluster, stats } = route;
    const { identityHeaders } = this.#context.routes.trust;
    stats.begin();
    cluster.balancer.begin(destination);
    const session = new WebSocketSession(
      {
        incoming,
        socket: connection.socket,
        head,
        destination,
        target: targetFor(route, request, destination, passage),
        host: hostFor(route, request, destination),
        headers: headersFor(route, request, connection, requestId, identityHeaders, passage),
        responseHeaders: route.responseHeaders,
        clientHeaders: passage?.clientHeaders ?? [],
        requestId,
        headersMs: cluster.headersMs,
        idleMs: cluster.idleMs,
      },
      this.#context.sweeper,
      (status, error, detail) => {
        this.#sessions.delete(session);
        cluster.balancer.end(destination, error?.side === 'origin' ? -1 : session.headLatencyMs);
        leaveGates(route);
        if (error !== null && error.side === 'origin') stats.countUpstreamError(error.code);
        const durationMs = performance.now() - startedMs;
        stats.end(status, durationMs);
        this.#log(upgrade, destination, status, error, detail, durationMs);
      },
    );
    this.#sessions.add(session);
    session.start();
  }

  #log(
    { connection, request, route, requestId, passage }: Upgrade,
    destination: ProxiedDestination,
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
      consumer: passage?.identity?.consumer ?? null,
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

/** A WebSocket counts as long as it stands, and does not wait for its turn. */
function enterGates(route: ProxiedRoute): PolicyRefusal | null {
  if (!route.gate.enterAtOnce(route.gateSettings)) return refuse(ERRORS.routeOverloaded);
  if (route.cluster.gate.enterAtOnce(route.cluster.gateSettings)) return null;
  route.gate.leave();
  return refuse(ERRORS.clusterOverloaded);
}

function leaveGates(route: ProxiedRoute): void {
  route.gate.leave();
  route.cluster.gate.leave();
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
