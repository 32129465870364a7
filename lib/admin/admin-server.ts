/** The admin listener: probes and metrics for everybody, the management API for those with a token. */
import { randomUUID } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Logger } from 'pino';
import type { Authenticator } from '../auth/authenticator.ts';
import { ERRORS } from '../core/errors.ts';
import { AccessGate } from './access-gate.ts';
import { type AdminTls, adminContextOptions } from './admin-tls.ts';
import { createApi } from './api.ts';
import type { ApiScope } from './api-scope.ts';
import { AuditLog } from './audit-log.ts';
import { ConnectionLimit } from './connection-limit.ts';
import type { ControlPlane } from './control-plane.ts';
import { DEFAULT_STREAM_TIMING, EventStreams, type StreamTiming } from './event-streams.ts';
import { HandshakeLimit } from './handshake-limit.ts';
import type { ProbeSource } from './probe-routes.ts';
import { sendProblem } from './problem-document.ts';
import { limitRest } from './unread-body.ts';
import { refuseUnreadable } from './unreadable-request.ts';

/** Also until the first byte of a connection: nobody has shown a token by then. With TLS also of the handshake. */
const HEADERS_TIMEOUT_MS = 5_000;
/** A document of 64 MiB has to get here in this time. */
const REQUEST_TIMEOUT_MS = 60_000;
/** Longer than any write may wait for workers; meant for clients that do not read their answer. */
const SILENCE_TIMEOUT_MS = 90_000;
const MAX_CONNECTIONS = 512;
/** So long what is under way may take to end, when the listener closes. */
const CLOSE_GRACE_MS = 1_000;

const HTTP_OPTIONS: http.ServerOptions = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  connectionsCheckingInterval: 1_000,
};

/** What the client wants to hear before it sends its body. */
type Expectation = 'none' | 'continue' | 'unknown';

export interface AdminServerOptions {
  readonly controlPlane: ControlPlane;
  readonly probes: ProbeSource;
  readonly authenticator: Authenticator;
  readonly logger: Logger;
  readonly version: string;
  readonly streamTiming?: StreamTiming;
  /** Null: plain HTTP. */
  readonly tls: AdminTls | null;
}

export class AdminServer {
  readonly #options: AdminServerOptions;
  readonly #gate: AccessGate;
  readonly #audit: AuditLog;
  readonly #streams: EventStreams;
  readonly #connections = new ConnectionLimit();
  readonly #handshakes = new HandshakeLimit();
  /** Connections whose last answer is on its way (RFC 9112 §9.6): what else comes on them is not looked at. */
  readonly #closing = new WeakSet<Socket>();
  /** All connections that there are, those included whose handshake is under way. */
  readonly #sockets = new Set<Socket>();
  readonly #server: http.Server;
  #api: ApiScope | null = null;

  constructor(options: AdminServerOptions) {
    const { authenticator, controlPlane, logger, streamTiming = DEFAULT_STREAM_TIMING } = options;
    this.#options = options;
    this.#audit = new AuditLog(logger);
    const demandsCertificate = options.tls !== null && options.tls.clientCa !== null;
    this.#gate = new AccessGate(authenticator, this.#audit, demandsCertificate);
    this.#streams = new EventStreams(controlPlane, logger, streamTiming);
    this.#server = this.#createServer();
  }

  /** @returns where it listens, as host:port. @throws the system's error, e.g. EADDRINUSE */
  async listen(host: string, port: number): Promise<string> {
    const { controlPlane, probes, logger, version } = this.#options;
    const parts = { gate: this.#gate, audit: this.#audit, streams: this.#streams };
    this.#api = await createApi({ ...parts, controlPlane, probes, logger, version });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => resolve());
    });
    const { address, port: chosen, family } = this.#server.address() as AddressInfo;
    return family === 'IPv6' ? `[${address}]:${chosen}` : `${address}:${chosen}`;
  }

  /** Ends event streams at once, gives what is under way a moment, and closes. */
  async close(): Promise<void> {
    this.#streams.close();
    const limit = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, CLOSE_GRACE_MS);
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeIdleConnections();
    });
    clearTimeout(limit);
    await this.#api?.close();
  }

  /** New connections are made with this; those that stand live on. @throws Error where it cannot be used */
  renewTls(tls: AdminTls): void {
    if (this.#server instanceof https.Server) this.#server.setSecureContext(adminContextOptions(tls));
  }

  #createServer(): http.Server {
    const { tls } = this.#options;
    const server = tls === null ? http.createServer(HTTP_OPTIONS) : createSecureServer(tls);
    server.on('request', (request, response) => this.#receive(request, response, 'none'));
    server.on('checkContinue', (request, response) => this.#receive(request, response, 'continue'));
    server.on('checkExpectation', (request, response) => this.#receive(request, response, 'unknown'));
    // With TLS before the handshake: who is one too many does not get that far.
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      if (!this.#connections.admit(socket) || !this.#mayShakeHands(socket)) socket.destroy();
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.setTimeout(SILENCE_TIMEOUT_MS);
    server.on('clientError', (error, socket) => refuseUnreadable(error, socket, randomUUID()));
    return server;
  }

  #mayShakeHands({ remoteAddress = '' }: Socket): boolean {
    return this.#options.tls === null || this.#handshakes.admit(remoteAddress, performance.now());
  }

  #receive(request: IncomingMessage, response: ServerResponse, expectation: Expectation): void {
    this.#answer(request, response, expectation).catch((error: unknown) => this.#fail(response, error));
  }

  /** The gate comes before the router: before paths, methods, bodies and whatever else there is to get wrong. */
  async #answer(request: IncomingMessage, response: ServerResponse, expectation: Expectation): Promise<void> {
    const { socket } = request;
    if (this.#closing.has(socket)) return;
    const isAdmitted = await this.#gate.admit(request, response);
    if (!isAdmitted) this.#closing.add(socket);
    if (this.#closing.has(socket)) return;
    const { identity, requestId } = this.#gate.admissionOf(request);
    response.once('finish', () => limitRest(request, identity !== null));
    if (expectation === 'unknown') {
      sendProblem(response, { definition: ERRORS.expectationFailed, detail: null, members: {} }, requestId);
      return;
    }
    if (expectation === 'continue') response.writeContinue();
    this.#api?.routing(request, response);
  }

  #fail(response: ServerResponse, error: unknown): void {
    const requestId = String(response.getHeader('x-request-id') ?? '');
    this.#options.logger.error({ err: error, requestId }, 'the management API failed');
    if (response.headersSent) response.destroy();
    else sendProblem(response, { definition: ERRORS.internal, detail: null, members: {} }, requestId);
  }
}

function createSecureServer(tls: AdminTls): https.Server {
  return https.createServer({
    ...HTTP_OPTIONS,
    ...adminContextOptions(tls),
    handshakeTimeout: HEADERS_TIMEOUT_MS,
    requestCert: tls.clientCa !== null,
    // Probes have none: it is demanded where a token is, see `AccessGate`.
    rejectUnauthorized: false,
  });
}
