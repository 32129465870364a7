/** Upgrade requests: admitted, routed and balanced like any other, then handed to a WebSocket session. */
import { hashKeyOf } from '../core/balancing/hash-key.ts';
import { ERRORS } from '../core/errors.ts';
import { type AdmittedRequest, admit, Refusal, refuseByRoute } from './admission.ts';
import type { ClientConnection } from './client-connection.ts';
import type { ClientRequest } from './client-request.ts';
import type { ProxiedDestination } from './destination.ts';
import { roundMs } from './exchange-record.ts';
import { clientAddressOf, headersFor, hostFor, requestIdOf, schemeOf, targetFor } from './forwarding.ts';
import { Passage } from './policies/passage.ts';
import { type DirectAnswer, type PolicyRefusal, refuse } from './policies/verdict.ts';
import { answerOnSocket, RETRY_SOON, refuseOnSocket } from './problem-response.ts';
import type { ProxiedRoute } from './proxied-route.ts';
import type { ProxyContext } from './proxy-context.ts';
import { needsScreening, screen } from './screening.ts';
import { WebSocketSession } from './websocket-session.ts';

/** An upgrade request on its way to its WebSocket. */
interface Upgrade {
  readonly connection: ClientConnection;
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
  accept(connection: ClientConnection, incoming: ClientRequest, head: Buffer): void {
    const context = this.#context;
    const request = admit(incoming, context.limits);
    if (request instanceof Refusal) {
      this.#refuse(connection, request, context.requestIds.next());
      return;
    }
    const requestId = requestIdOf(context, connection, request);
    if (context.overloaded) {
      this.#refuse(connection, refuse(ERRORS.overloaded, null, RETRY_SOON), requestId);
      return;
    }
    const route = context.routes.match(request);
    if (route === null) {
      this.#refuse(connection, refuse(ERRORS.noRoute), requestId);
      return;
    }
    const clientAddress = clientAddressOf(context, connection, request);
    const startedMs = performance.now();
    const upgrade = { connection, head, request, route, requestId, clientAddress, startedMs };
    void this.#screen({ ...upgrade, passage: this.#passageFor(upgrade) });
  }

  #passageFor({ connection, request, route, clientAddress }: Omit<Upgrade, 'passage'>): Passage | null {
    if (!needsScreening(this.#context.routes, route)) return null;
    return new Passage(request, clientAddress, schemeOf(connection, request), true);
  }

  async #screen(upgrade: Upgrade): Promise<void> {
    const { routes } = this.#context;
    const { route, request, passage, connection } = upgrade;
    const pending = passage === null ? null : screen(routes, route, passage, connection);
    const passed = pending instanceof Promise ? await pending : pending;
    const verdict = passed ?? refuseByRoute(route, request);
    // Meanwhile the client may have gone.
    if (!connection.socket.writable) this.#refuseRouted(upgrade, refuse(ERRORS.clientAborted));
    else if (verdict === null) this.#choose(upgrade);
    else if (verdict.kind === 'refusal') this.#refuseRouted(upgrade, verdict);
    else this.#redirect(upgrade, verdict);
  }

  #choose(upgrade: Upgrade): void {
    const { route, request, clientAddress } = upgrade;
    const refusal = this.#context.draining ? refuse(ERRORS.draining) : enterGates(route);
    if (refusal !== null) {
      this.#refuseRouted(upgrade, refusal);
      return;
    }
    const destination = pickDestination(route, request, clientAddress);
    if (destination !== null) {
      this.#open(upgrade, destination);
      return;
    }
    leaveGates(route);
    this.#refuseRouted(upgrade, refuse(ERRORS.noDestination));
  }

  #refuseRouted(upgrade: Upgrade, { error, headers }: PolicyRefusal): void {
    const { connection, route, requestId, passage, startedMs } = upgrade;
    const durationMs = performance.now() - startedMs;
    route.stats.begin();
    route.stats.end(error.status, durationMs);
    if (error === ERRORS.rateLimited) route.stats.countRateLimited();
    this.#log(upgrade, null, error.status, error.code, durationMs);
    const fields = passage === null ? headers : [...headers, ...passage.clientHeaders];
    refuseOnSocket(connection.socket, error, requestId, fields);
  }

  /** Refuses what has found no route. */
  #refuse(
    { socket, peerAddress }: ClientConnection,
    { error, headers }: PolicyRefusal,
    requestId: string,
  ): void {
    const stats = this.#context.unroutedStats;
    stats.begin();
    stats.end(error.status, 0);
    this.#context.accessLog?.writeRefusal(requestId, peerAddress, error);
    refuseOnSocket(socket, error, requestId, headers);
  }

  /** Browsers do not follow it, but other clients may. */
  #redirect(upgrade: Upgrade, answer: DirectAnswer): void {
    const { connection, route, requestId } = upgrade;
    route.stats.begin();
    route.stats.end(answer.status, 0);
    this.#log(upgrade, null, answer.status, null, 0);
    answerOnSocket(connection.socket, answer, requestId);
  }

  #open(upgrade: Upgrade, destination: ProxiedDestination): void {
    const { connection, head, request, route, requestId, passage, startedMs } = upgrade;
    const { cluster, stats } = route;
    const { identityHeaders } = this.#context.routes.trust;
    stats.begin();
    cluster.balancer.begin(destination);
    const session = new WebSocketSession(
      {
        socket: connection.socket,
        head,
        destination,
        target: targetFor(route, request, destination, passage),
        host: hostFor(route, request, destination),
        headers: headersFor(route, request, connection, requestId, identityHeaders, passage),
        responseHeaders: route.responseHeaders,
        withheldAnswerHeaders: passage?.withheldAnswerHeaders ?? null,
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
        const code = error?.code ?? null;
        if (detail !== null) this.#warn(upgrade, destination, code, detail);
        this.#log(upgrade, destination, status, code, durationMs);
      },
    );
    this.#sessions.add(session);
    session.start();
  }

  #log(
    { connection, request, route, requestId, clientAddress, passage }: Upgrade,
    destination: ProxiedDestination | null,
    status: number,
    code: string | null,
    durationMs: number,
  ): void {
    if (!this.#context.accessLog?.wants(status, code)) return;
    this.#context.accessLog.write({
      requestId,
      client: clientAddress,
      method: request.method,
      host: request.host,
      path: request.path,
      status,
      code,
      route: route.id,
      cluster: route.cluster.id,
      destination: destination?.id ?? null,
      consumer: passage?.identity?.consumer ?? null,
      attempts: destination === null ? 0 : 1,
      revision: this.#context.revision,
      durationMs: roundMs(durationMs),
      upstreamMs: null,
      requestBytes: connection.socket.bytesRead,
      responseBytes: connection.socket.bytesWritten,
    });
  }

  #warn(
    { route, requestId }: Upgrade,
    destination: ProxiedDestination,
    code: string | null,
    detail: string,
  ): void {
    const where = { requestId, route: route.id, cluster: route.cluster.id, destination: destination.id };
    this.#context.logger.warn({ ...where, code, detail }, 'origin failed');
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
  if (!route.gate.enterAtOnce(route.gateSettings)) return refuse(ERRORS.routeOverloaded, null, RETRY_SOON);
  if (route.cluster.gate.enterAtOnce(route.cluster.gateSettings)) return null;
  route.gate.leave();
  return refuse(ERRORS.clusterOverloaded, null, RETRY_SOON);
}

function leaveGates(route: ProxiedRoute): void {
  // First, so that whoever follows on the route finds a place in the cluster.
  route.cluster.gate.leave();
  route.gate.leave();
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
