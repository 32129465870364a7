/**
 * One request from a client, from its head to the last byte of the answer:
 *
 *   1. admit: canonical target, host, framing            → 400, 405, 414, 431, 501, 505
 *   2. find the route                                     → 404
 *   3. the route's limits                                 → 413
 *   4. pick a destination                                 → 503
 *   5. forward, both ways with backpressure; a failure before the response's head may go back to 4
 *                                                         → 502, 503, 504
 *   6. record: metrics, access log
 *
 * After the response's head is out, the only honest way to report a failure is to reset the connection.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { hashKeyOf } from '../core/balancing/hash-key.ts';
import { ERRORS, type ErrorDefinition } from '../core/errors.ts';
import { cleanTrailers } from '../core/http/request-headers.ts';
import { buildResponseHead } from '../core/http/response-headers.ts';
import { type AdmittedRequest, admit, Refusal } from './admission.ts';
import type { ClientConnection, ConnectionTask } from './client-connection.ts';
import type { ProxiedDestination } from './destination.ts';
import type { Sweepable } from './exchange-sweeper.ts';
import { clientAddressOf, headersFor, hostFor, requestIdOf, targetFor } from './forwarding.ts';
import { PROBLEM_TYPE, problemBody } from './problem-response.ts';
import type { ProxiedRoute } from './proxied-route.ts';
import type { ProxyContext } from './proxy-context.ts';
import { REPLAY_LIMIT_BYTES, RequestBody, type RequestBodyOwner } from './request-body.ts';
import type { UpstreamExchange, UpstreamFailure, UpstreamHandler, UpstreamRequest } from './upstream.ts';

/** Where an exchange stands; each phase has a time limit of its own. */
const CONNECTING = 0;
const AWAITING_HEAD = 1;
const STREAMING = 2;
/** The answer is written; the client may still be sending, and would miss it if the connection closed now. */
const LINGERING = 3;
const OVER = 4;
type Phase = 0 | 1 | 2 | 3 | 4;

const LINGER_MS = 2_000;
const LINGER_BYTES = 1_048_576;
/** Interim responses that are passed on; an origin that sends more is not believed. */
const MAX_EARLY_HINTS = 8;

/** A response that knows its exchange, so that its event handlers need no closure. */
interface ExchangeResponse extends ServerResponse {
  exchange?: Exchange;
}

function onResponseDrain(this: ExchangeResponse): void {
  this.exchange?.onClientDrained();
}

function onResponseClose(this: ExchangeResponse): void {
  this.exchange?.onResponseClosed();
}

export class Exchange implements ConnectionTask, UpstreamHandler, RequestBodyOwner, Sweepable {
  readonly #context: ProxyContext;
  readonly #connection: ClientConnection;
  readonly #incoming: IncomingMessage;
  readonly #response: ExchangeResponse;
  readonly #expectsContinue: boolean;
  readonly #startedMs = performance.now();

  #request: AdmittedRequest | null = null;
  #requestId = '';
  #clientAddress = '';
  #route: ProxiedRoute | null = null;
  #destination: ProxiedDestination | null = null;
  #tried: ProxiedDestination[] | null = null;
  #attempts = 0;
  #hash = 0;
  #body: RequestBody | null = null;
  #upstream: UpstreamExchange | null = null;
  #lastFailure: UpstreamFailure | null = null;

  #phase: Phase = CONNECTING;
  #phaseStartedMs = this.#startedMs;
  #attemptStartedMs = 0;
  #lastActivityMs = this.#startedMs;
  #headAtMs = -1;
  #continued = false;
  #earlyHints = 0;
  #contentLength = -1;
  #responseBytes = 0;
  #lingerFromBytes = 0;
  #paused = false;
  #drainBound = false;
  #error: ErrorDefinition | null = null;
  #failureDetail: string | null = null;

  constructor(
    context: ProxyContext,
    connection: ClientConnection,
    incoming: IncomingMessage,
    response: ServerResponse,
    expectsContinue: boolean,
  ) {
    this.#context = context;
    this.#connection = connection;
    this.#incoming = incoming;
    this.#response = response;
    this.#expectsContinue = expectsContinue;
  }

  start(): void {
    this.#response.exchange = this;
    this.#response.on('close', onResponseClose);
    this.#context.sweeper.add(this);
    const admitted = admit(this.#incoming);
    if (admitted instanceof Refusal) {
      this.#requestId = this.#context.requestIds.next();
      this.#context.unroutedStats.begin();
      this.#answerProblem(admitted.error, admitted.detail);
      return;
    }
    this.#request = admitted;
    this.#requestId = requestIdOf(this.#context, this.#connection, admitted);
    this.#clientAddress = clientAddressOf(this.#context, this.#connection, admitted);
    this.#routeRequest(admitted);
  }

  #routeRequest(request: AdmittedRequest): void {
    const route = this.#context.routes.match(request);
    this.#route = route;
    (route?.stats ?? this.#context.unroutedStats).begin();
    if (route === null) {
      this.#answerProblem(ERRORS.noRoute, null);
      return;
    }
    route.cluster.activeRequests += 1;
    if (request.hasEncodedSlash && !route.allowEncodedSlash) {
      this.#answerProblem(ERRORS.badTarget, 'encoded slash');
      return;
    }
    if (request.head.contentLength > route.maxBodyBytes) {
      this.#answerProblem(ERRORS.bodyTooLarge, `at most ${route.maxBodyBytes} bytes`);
      return;
    }
    if (request.hasBody) this.#body = this.#openBody(route, request);
    const { hashKey } = route.cluster;
    if (hashKey !== null) {
      this.#hash = hashKeyOf(hashKey, request.rawHeaders, request.query, this.#clientAddress);
    }
    this.#attempt(route, request);
  }

  #openBody(route: ProxiedRoute, request: AdmittedRequest): RequestBody {
    const { retry } = route.cluster;
    const replays = retry.attempts > 1 && retry.isIdempotent(request.method);
    return new RequestBody(this.#incoming, route.maxBodyBytes, replays ? REPLAY_LIMIT_BYTES : 0, this);
  }

  // ---- an attempt at one destination ----

  #attempt(route: ProxiedRoute, request: AdmittedRequest): void {
    const destination = this.#pick(route);
    if (destination === null) {
      this.#answerFailure();
      return;
    }
    this.#attempts += 1;
    this.#destination = destination;
    this.#enter(CONNECTING);
    this.#attemptStartedMs = this.#phaseStartedMs;
    route.cluster.balancer.begin(destination);
    const outgoing = this.#buildUpstreamRequest(route, request, destination);
    this.#upstream = destination.upstreamFor(outgoing).dispatch(outgoing, this);
  }

  /** The next destination of the walk; those whose queue is full are passed over. */
  #pick(route: ProxiedRoute): ProxiedDestination | null {
    for (;;) {
      const destination = route.cluster.balancer.pick(this.#hash, this.#tried);
      if (destination === null || !destination.overloaded) return destination;
      this.#noteTried(destination);
      this.#lastFailure = { error: ERRORS.upstreamOverloaded, condition: null, detail: 'queue full' };
    }
  }

  #noteTried(destination: ProxiedDestination): void {
    this.#tried ??= [];
    this.#tried.push(destination);
  }

  #buildUpstreamRequest(
    route: ProxiedRoute,
    request: AdmittedRequest,
    destination: ProxiedDestination,
  ): UpstreamRequest {
    const incoming = this.#incoming;
    const { announcesTrailers, transferEncoding } = request.head;
    return {
      method: request.method,
      target: targetFor(route, request, destination),
      host: hostFor(route, request, destination),
      headers: headersFor(route, request, this.#connection, this.#requestId),
      body: this.#body === null ? null : this.#body.open(),
      expectContinue: this.#expectsContinue && this.#body !== null && !this.#continued,
      trailers:
        announcesTrailers && transferEncoding !== '' ? () => cleanTrailers(incoming.rawTrailers) : null,
    };
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#phaseStartedMs = performance.now();
    this.#lastActivityMs = this.#phaseStartedMs;
  }

  /** Hands the destination back to the balancer. @param latencyMs until the head; negative: it failed */
  #releaseDestination(latencyMs: number): void {
    const destination = this.#destination;
    if (destination === null || this.#upstream === null) return;
    this.#upstream = null;
    this.#route?.cluster.balancer.end(destination, latencyMs);
  }

  // ---- what the upstream engine reports ----

  onSent(): void {
    this.#enter(AWAITING_HEAD);
  }

  onContinue(): void {
    this.#lastActivityMs = performance.now();
    if (this.#continued) return;
    this.#continued = true;
    this.#response.writeContinue();
  }

  onInformation(status: number, rawHeaders: string[]): void {
    this.#lastActivityMs = performance.now();
    if (status !== 103 || this.#incoming.httpVersion === '1.0' || this.#earlyHints >= MAX_EARLY_HINTS) return;
    this.#earlyHints += 1;
    const hints = earlyHintsOf(rawHeaders);
    try {
      if (hints !== null) this.#response.writeEarlyHints(hints);
    } catch {
      // A malformed Link: hints are optional, the response itself follows.
    }
  }

  onHead(status: number, statusText: string, rawHeaders: string[]): void {
    const route = this.#route!;
    const request = this.#request!;
    if (route.cluster.retry.allowsAfterStatus(status, request.method) && this.#mayRetry(route)) {
      this.#upstream?.abort();
      this.#releaseDestination(-1);
      this.#retry(route, request);
      return;
    }
    this.#headAtMs = performance.now();
    this.#enter(STREAMING);
    this.#body?.forget();
    const head = buildResponseHead(rawHeaders, status, this.#requestId);
    route.responseHeaders?.apply(head.headers);
    if (this.#mustClose()) head.headers.push('connection', 'close');
    this.#contentLength = request.method === 'HEAD' || status === 304 ? -1 : head.contentLength;
    try {
      this.#response.writeHead(status, statusText, head.headers);
    } catch (error) {
      this.#failAttempt({ error: ERRORS.upstreamProtocol, condition: null, detail: String(error) });
    }
  }

  onData(chunk: Buffer): boolean {
    this.#lastActivityMs = performance.now();
    this.#responseBytes += chunk.length;
    // A message whose length is known ends with its last byte: head, body and end go out in one piece.
    if (this.#responseBytes === this.#contentLength && (this.#body === null || this.#body.ended)) {
      this.#response.end(chunk);
      return true;
    }
    if (this.#response.write(chunk)) return true;
    this.#paused = true;
    if (!this.#drainBound) this.#response.on('drain', onResponseDrain);
    this.#drainBound = true;
    return false;
  }

  onEnd(rawTrailers: string[]): void {
    const trailers = rawTrailers.length === 0 ? null : cleanTrailers(rawTrailers);
    this.#releaseDestination(this.#headAtMs - this.#attemptStartedMs);
    if (trailers !== null) this.#response.addTrailers(pairsOf(trailers));
    this.#completeResponse();
  }

  onFailure(failure: UpstreamFailure): void {
    this.#failAttempt(failure);
  }

  #failAttempt(failure: UpstreamFailure): void {
    this.#upstream?.abort();
    this.#releaseDestination(-1);
    this.#failureDetail = failure.detail;
    if (this.#phase === OVER || this.#phase === LINGERING) return;
    this.#lastFailure = failure;
    const route = this.#route!;
    if (this.#response.headersSent) {
      route.stats.countUpstreamError(ERRORS.upstreamBody.code);
      this.#breakOff(ERRORS.upstreamBody);
      return;
    }
    route.stats.countUpstreamError(failure.error.code);
    const request = this.#request!;
    if (route.cluster.retry.allowsAfterFailure(failure.condition, request.method) && this.#mayRetry(route)) {
      this.#retry(route, request);
    } else {
      this.#answerFailure();
    }
  }

  #mayRetry(route: ProxiedRoute): boolean {
    const { cluster } = route;
    if (this.#attempts >= cluster.retry.attempts || !cluster.retryFitsBudget) return false;
    return this.#body === null || this.#body.replayable;
  }

  #retry(route: ProxiedRoute, request: AdmittedRequest): void {
    route.stats.countRetry();
    if (this.#attempts === 1) route.cluster.activeRetries += 1;
    if (this.#destination !== null) this.#noteTried(this.#destination);
    // Another destination where there is one, else the same again: a reset connection says little of the next.
    if (route.cluster.balancer.pick(this.#hash, this.#tried) === null) this.#tried = null;
    this.#attempt(route, request);
  }

  // ---- the answer ----

  #mustClose(): boolean {
    // An answer before the request's end: what the client still sends must not be read as its next request.
    return this.#context.draining || this.#clientStillSends();
  }

  #clientStillSends(): boolean {
    // Before the request was understood nobody knows whether a body follows.
    if (this.#request === null) return !this.#incoming.complete;
    return this.#request.hasBody && !(this.#body?.ended ?? false) && !this.#incoming.complete;
  }

  /** Says why no destination answered. */
  #answerFailure(): void {
    this.#answerProblem(this.#lastFailure?.error ?? ERRORS.noDestination, null);
  }

  #answerProblem(error: ErrorDefinition, detail: string | null): void {
    this.#error = error;
    const body = problemBody(error, this.#requestId, detail);
    const headers = [
      'content-type',
      PROBLEM_TYPE,
      'content-length',
      String(body.length),
      'x-request-id',
      this.#requestId,
    ];
    if (error === ERRORS.methodNotAllowed)
      headers.push('allow', 'GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS');
    const hostile = error.side === 'client' && error !== ERRORS.noRoute;
    if (hostile || this.#mustClose()) headers.push('connection', 'close');
    this.#response.writeHead(error.status, headers);
    if (this.#incoming.method !== 'HEAD') this.#response.write(body);
    this.#responseBytes = body.length;
    this.#completeResponse();
  }

  /**
   * Ends the response; where the client is still sending, only after having read some more: closing a socket
   * with unread bytes resets it, and the client would lose the answer (RFC 9112 §9.6).
   */
  #completeResponse(): void {
    const waitsFor100 = this.#expectsContinue && !this.#continued;
    if (waitsFor100 || !this.#clientStillSends()) {
      this.#response.end();
      return;
    }
    this.#enter(LINGERING);
    this.#body ??= new RequestBody(this.#incoming, Number.POSITIVE_INFINITY, 0, this);
    this.#lingerFromBytes = this.#body.receivedBytes;
    this.#body.discard();
  }

  /** The response cannot be finished: the client must not take what it has for the whole. */
  #breakOff(error: ErrorDefinition): void {
    this.#error = error;
    this.#connection.reset();
  }

  // ---- what the client does ----

  onClientDrained(): void {
    this.#lastActivityMs = performance.now();
    if (!this.#paused) return;
    this.#paused = false;
    this.#upstream?.resume();
  }

  onBodyProgress(): void {
    this.#lastActivityMs = performance.now();
    if (this.#phase !== LINGERING) return;
    const body = this.#body!;
    if (body.ended || body.receivedBytes - this.#lingerFromBytes > LINGER_BYTES) this.#response.end();
  }

  onBodyTooLarge(): void {
    this.#upstream?.abort();
    this.#releaseDestination(-1);
    if (this.#response.headersSent) this.#breakOff(ERRORS.bodyTooLarge);
    else this.#answerProblem(ERRORS.bodyTooLarge, `at most ${this.#route?.maxBodyBytes} bytes`);
  }

  onConnectionClosed(): void {
    this.#finish();
  }

  onResponseClosed(): void {
    this.#finish();
  }

  // ---- time limits ----

  checkLimits(nowMs: number): void {
    const cluster = this.#route?.cluster;
    if (this.#phase === LINGERING) {
      if (nowMs - this.#phaseStartedMs > LINGER_MS) this.#response.end();
    } else if (cluster === undefined || this.#phase === OVER) {
      return;
    } else if (this.#phase === CONNECTING) {
      if (this.#upstream !== null && nowMs - this.#phaseStartedMs > cluster.connectLimitMs) {
        this.#failAttempt({
          error: ERRORS.upstreamTimeout,
          condition: 'connect',
          detail: 'no connection became free',
        });
      }
    } else if (this.#phase === AWAITING_HEAD) {
      this.#checkHeadLimit(nowMs - this.#lastActivityMs, cluster.headersMs, cluster.idleMs);
    } else if (nowMs - this.#lastActivityMs > cluster.idleMs) {
      this.#breakOff(
        this.#paused || this.#response.writableEnded ? ERRORS.clientTimeout : ERRORS.upstreamBody,
      );
    }
  }

  #checkHeadLimit(silentMs: number, headersMs: number, idleMs: number): void {
    if (this.#body?.waitsForClient) {
      if (silentMs <= idleMs) return;
      this.#upstream?.abort();
      this.#releaseDestination(-1);
      this.#answerProblem(ERRORS.requestTimeout, null);
    } else if (silentMs > headersMs) {
      this.#failAttempt({ error: ERRORS.upstreamTimeout, condition: 'timeout', detail: 'no response head' });
    }
  }

  // ---- the end ----

  #finish(): void {
    if (this.#phase === OVER) return;
    const finished = this.#response.writableFinished;
    this.#phase = OVER;
    this.#context.sweeper.delete(this);
    if (!finished && this.#error === null) this.#error = ERRORS.clientAborted;
    this.#upstream?.abort();
    this.#releaseDestination(
      (this.#headAtMs < 0 ? performance.now() : this.#headAtMs) - this.#attemptStartedMs,
    );
    if (this.#route !== null) {
      this.#route.cluster.activeRequests -= 1;
      if (this.#attempts > 1) this.#route.cluster.activeRetries -= 1;
    }
    this.#record(
      this.#error === ERRORS.clientAborted ? ERRORS.clientAborted.status : this.#response.statusCode,
    );
    this.#connection.finish(this);
  }

  #record(status: number): void {
    const durationMs = performance.now() - this.#startedMs;
    (this.#route?.stats ?? this.#context.unroutedStats).end(status, durationMs);
    const code = this.#error?.code ?? null;
    const { accessLog } = this.#context;
    if (accessLog?.wants(status, code)) this.#log(accessLog, status, code, durationMs);
    if (this.#failureDetail !== null && this.#error?.side === 'origin') this.#logFailure(code);
  }

  #log(
    accessLog: NonNullable<ProxyContext['accessLog']>,
    status: number,
    code: string | null,
    durationMs: number,
  ): void {
    accessLog.write({
      requestId: this.#requestId,
      client: this.#clientAddress === '' ? this.#connection.peerAddress : this.#clientAddress,
      method: this.#incoming.method ?? '',
      host: this.#request?.host ?? '',
      path: this.#request?.path ?? '',
      status,
      code,
      route: this.#route?.id ?? null,
      cluster: this.#route?.cluster.id ?? null,
      destination: this.#destination?.id ?? null,
      attempts: this.#attempts,
      revision: this.#context.revision,
      durationMs: roundMs(durationMs),
      upstreamMs: this.#headAtMs < 0 ? null : roundMs(this.#headAtMs - this.#attemptStartedMs),
      requestBytes: this.#body?.receivedBytes ?? 0,
      responseBytes: this.#responseBytes,
    });
  }

  /** Says which destination failed and how, which the answer to the client must not. */
  #logFailure(code: string | null): void {
    this.#context.logger.warn(
      {
        requestId: this.#requestId,
        code,
        route: this.#route?.id,
        cluster: this.#route?.cluster.id,
        destination: this.#destination?.id,
        attempts: this.#attempts,
        detail: this.#failureDetail,
      },
      'origin failed',
    );
  }
}

function roundMs(durationMs: number): number {
  return Math.round(durationMs * 100) / 100;
}

function pairsOf(flat: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < flat.length; index += 2) pairs.push([flat[index]!, flat[index + 1]!]);
  return pairs;
}

/** The Link fields of a 103, which is what early hints are for; null where there are none. */
function earlyHintsOf(rawHeaders: readonly string[]): { link: string[] } | null {
  const link: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]!.toLowerCase() === 'link') link.push(rawHeaders[index + 1]!);
  }
  return link.length === 0 ? null : { link };
}
