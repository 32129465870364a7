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
import { ERRORS, type ErrorDefinition } from '../core/errors.ts';
import { cleanTrailers } from '../core/http/request-headers.ts';
import { buildResponseHead, isPlainReason } from '../core/http/response-headers.ts';
import { type AdmittedRequest, admit, Refusal, refuseByRoute } from './admission.ts';
import type { ClientConnection, ConnectionTask } from './client-connection.ts';
import { earlyHintsOf } from './early-hints.ts';
import { recordExchange } from './exchange-record.ts';
import type { Sweepable } from './exchange-sweeper.ts';
import { clientAddressOf, requestIdOf } from './forwarding.ts';
import { headerPairs } from './header-pairs.ts';
import { refuseOnSocket, writeProblemResponse } from './problem-response.ts';
import type { ProxiedRoute } from './proxied-route.ts';
import type { ProxyContext } from './proxy-context.ts';
import { REPLAY_LIMIT_BYTES, RequestBody, type RequestBodyOwner } from './request-body.ts';
import { type AttemptsOwner, UpstreamAttempts } from './upstream-attempts.ts';

/** Between its beginning and its end an exchange is one of: */
const UNDER_WAY = 0;
/** the answer is written; the client still sends, and would miss it if the connection closed now; */
const LINGERING = 1;
const OVER = 2;
type Phase = 0 | 1 | 2;

const LINGER_MS = 2_000;
const LINGER_BYTES = 67_108_864;
/** Interim responses that are passed on; an origin that sends more is not believed. */
const MAX_EARLY_HINTS = 8;

/** An answer that is complete on our side must be read by the client within this. */
const READ_LIMIT_MS = 60_000;

/** What the client's Expect field asks for (RFC 9110 §10.1.1). */
export type Expectation = 'none' | 'continue' | 'unknown';

/** A response that knows its exchange, so that its event handlers need no closure. */
interface ExchangeResponse extends ServerResponse {
  exchange?: Exchange;
}

function onResponseDrain(this: ExchangeResponse): void {
  this.exchange?.onClientDrained();
}

function onResponseClose(this: ExchangeResponse): void {
  this.exchange?.onClosed();
}

/**
 * A body that comes later must not hold back the head; one that is here already goes out with it. Node's
 * flushHeaders would encode bytes above ASCII anew, as UTF-8; nothing, written as Latin-1, does not.
 */
function flushHead(response: ServerResponse, exchange: Exchange): void {
  if (exchange.awaitsBody && !response.destroyed) response.write('', 'latin1');
}

export class Exchange implements ConnectionTask, AttemptsOwner, RequestBodyOwner, Sweepable {
  readonly #context: ProxyContext;
  readonly #connection: ClientConnection;
  readonly #incoming: IncomingMessage;
  readonly #response: ExchangeResponse;
  readonly #expectation: Expectation;
  readonly #startedMs = performance.now();

  #request: AdmittedRequest | null = null;
  #requestId = '';
  #clientAddress: string;
  #route: ProxiedRoute | null = null;
  #attempts: UpstreamAttempts | null = null;
  #body: RequestBody | null = null;

  #phase: Phase = UNDER_WAY;
  #lingeringSinceMs = 0;
  #lingeringFromBytes = 0;
  /** When the sweeper first saw that all was written; -1 before. */
  #endedAtMs = -1;
  #continued = false;
  /** What the client sends is not HTTP any more: no more of the request will come. */
  #broken = false;
  #headFailed = false;
  #earlyHints = 0;
  /** -1 where the end of the response's body is not known beforehand. */
  #contentLength = -1;
  #responseBytes = 0;
  #paused = false;
  #listensToDrain = false;
  #error: ErrorDefinition | null = null;

  constructor(
    context: ProxyContext,
    connection: ClientConnection,
    incoming: IncomingMessage,
    response: ServerResponse,
    expectation: Expectation,
  ) {
    this.#context = context;
    this.#connection = connection;
    this.#incoming = incoming;
    this.#response = response;
    this.#expectation = expectation;
    this.#clientAddress = connection.peerAddress;
  }

  start(): void {
    this.#response.exchange = this;
    this.#response.on('close', onResponseClose);
    this.#context.sweeper.add(this);
    const request =
      this.#expectation === 'unknown' ? new Refusal(ERRORS.expectationFailed, null) : admit(this.#incoming);
    if (request instanceof Refusal) {
      this.#requestId = this.#context.requestIds.next();
      this.#context.unroutedStats.begin();
      this.#answerProblem(request.error, request.detail);
      return;
    }
    this.#request = request;
    this.#requestId = requestIdOf(this.#context, this.#connection, request);
    this.#clientAddress = clientAddressOf(this.#context, this.#connection, request);
    this.#findRoute(request);
  }

  #findRoute(request: AdmittedRequest): void {
    const route = this.#context.routes.match(request);
    this.#route = route;
    (route?.stats ?? this.#context.unroutedStats).begin();
    if (route === null) {
      this.#answerProblem(ERRORS.noRoute, null);
      return;
    }
    route.cluster.activeRequests += 1;
    const refusal = refuseByRoute(route, request);
    if (refusal === null) this.#forward(route, request);
    else this.#answerProblem(refusal.error, refusal.detail);
  }

  #forward(route: ProxiedRoute, request: AdmittedRequest): void {
    if (request.hasBody) {
      const { retry } = route.cluster;
      const replays = retry.attempts > 1 && retry.isIdempotent(request.method);
      this.#body = new RequestBody(
        this.#incoming,
        route.maxBodyBytes,
        replays ? REPLAY_LIMIT_BYTES : 0,
        this,
      );
    }
    this.#attempts = new UpstreamAttempts(
      {
        route,
        request,
        connection: this.#connection,
        requestId: this.#requestId,
        clientAddress: this.#clientAddress,
        body: this.#body,
        expectsContinue: this.#expectation === 'continue',
        incoming: this.#incoming,
      },
      this,
    );
    this.#attempts.begin();
  }

  // ---- the response of the origin ----

  get responseBegun(): boolean {
    return this.#response.headersSent;
  }

  get waitsForReader(): boolean {
    return this.#paused;
  }

  onContinue(): void {
    this.#continued = true;
    this.#response.writeContinue();
  }

  onInformation(status: number, rawHeaders: string[]): void {
    if (status !== 103 || this.#incoming.httpVersion === '1.0' || this.#earlyHints >= MAX_EARLY_HINTS) return;
    this.#earlyHints += 1;
    const hints = earlyHintsOf(rawHeaders);
    try {
      if (hints !== null) this.#response.writeEarlyHints(hints);
    } catch {
      // A malformed Link: hints are optional, the response itself follows.
    }
  }

  onResponseHead(status: number, statusText: string, rawHeaders: string[]): void {
    const isHead = this.#incoming.method === 'HEAD';
    const mayTrail = !isHead && status !== 304 && this.#incoming.httpVersion !== '1.0';
    const head = buildResponseHead(rawHeaders, status, this.#requestId, mayTrail);
    if (head.hasUnknownCoding) throw new Error('unknown transfer coding');
    this.#route?.responseHeaders?.apply(head.headers);
    if (this.#mustClose()) head.headers.push('connection', 'close');
    this.#contentLength = isHead || status === 304 ? -1 : head.contentLength;
    const reason = isPlainReason(statusText) ? statusText : '';
    try {
      this.#response.writeHead(status, reason, head.headers);
    } catch (error) {
      // Half of the head may stand in the response now: it cannot carry another one.
      this.#headFailed = true;
      throw error;
    }
    process.nextTick(flushHead, this.#response, this);
  }

  /** Whether nothing of the response's body has come yet. */
  get awaitsBody(): boolean {
    return this.#phase === UNDER_WAY && this.#responseBytes === 0 && !this.#response.writableEnded;
  }

  onResponseData(chunk: Buffer): boolean {
    this.#responseBytes += chunk.length;
    // A message whose length is known ends with its last byte: head, body and end go out in one piece.
    if (this.#responseBytes === this.#contentLength && !this.#clientStillSends()) {
      this.#response.end(chunk);
      return true;
    }
    if (this.#response.write(chunk)) return true;
    this.#paused = true;
    if (!this.#listensToDrain) this.#response.on('drain', onResponseDrain);
    this.#listensToDrain = true;
    return false;
  }

  onResponseEnd(rawTrailers: string[]): void {
    const trailers = rawTrailers.length === 0 ? null : cleanTrailers(rawTrailers);
    if (trailers !== null) this.#response.addTrailers(headerPairs(trailers));
    this.#completeResponse();
  }

  onFailed(error: ErrorDefinition): void {
    this.#answerProblem(error, null);
  }

  /** The response cannot be finished: the client must not take what it has for the whole. */
  onBrokenOff(error: ErrorDefinition): void {
    // Complete already: what the origin does after its last byte is not the client's concern.
    if (this.#response.writableEnded && error === ERRORS.upstreamBody) return;
    this.#error = error;
    this.#connection.reset();
  }

  // ---- the gateway's own answers ----

  #answerProblem(error: ErrorDefinition, detail: string | null): void {
    this.#error = error;
    if (this.#headFailed) {
      refuseOnSocket(this.#connection.socket, error, this.#requestId);
      return;
    }
    const hostile = error.side === 'client' && error !== ERRORS.noRoute;
    this.#responseBytes = writeProblemResponse(this.#response, error, {
      requestId: this.#requestId,
      detail,
      isHead: this.#incoming.method === 'HEAD',
      closes: hostile || this.#mustClose(),
    });
    this.#completeResponse();
  }

  #mustClose(): boolean {
    // An answer before the request's end: what the client still sends must not be read as its next request.
    return this.#context.draining || this.#clientStillSends();
  }

  #clientStillSends(): boolean {
    if (this.#broken) return false;
    // Before the request was understood nobody knows whether a body follows.
    if (this.#request === null) return !this.#incoming.complete;
    return this.#request.hasBody && !(this.#body?.ended ?? false) && !this.#incoming.complete;
  }

  /**
   * Ends the response; where the client is still sending, only after having read some more: closing a socket
   * with unread bytes resets it, and the client would lose the answer (RFC 9112 §9.6).
   */
  #completeResponse(): void {
    // A client may send without waiting for the 100 that it asked for.
    const waitsFor100 =
      this.#expectation !== 'none' && !this.#continued && this.#incoming.readableLength === 0;
    if (waitsFor100 || !this.#clientStillSends()) {
      this.#response.end();
      return;
    }
    this.#body ??= new RequestBody(this.#incoming, Number.POSITIVE_INFINITY, 0, this);
    this.#phase = LINGERING;
    this.#lingeringSinceMs = performance.now();
    this.#lingeringFromBytes = this.#body.receivedBytes;
    this.#body.discard();
  }

  // ---- what the client does ----

  onClientDrained(): void {
    this.#attempts?.noteActivity();
    if (!this.#paused) return;
    this.#paused = false;
    this.#attempts?.resume();
  }

  onBodyProgress(): void {
    this.#attempts?.noteActivity();
    if (this.#phase !== LINGERING || this.#body === null) return;
    const lingeredBytes = this.#body.receivedBytes - this.#lingeringFromBytes;
    if (this.#body.ended || lingeredBytes > LINGER_BYTES) this.#response.end();
  }

  onBodyTooLarge(): void {
    this.#attempts?.abort();
    if (this.#response.headersSent) this.onBrokenOff(ERRORS.bodyTooLarge);
    else this.#answerProblem(ERRORS.bodyTooLarge, `at most ${this.#route?.maxBodyBytes} bytes`);
  }

  onRequestBroken(): void {
    // Surplus behind a whole request: that one is still answered, and is the last.
    if (this.#incoming.complete) {
      this.#response.shouldKeepAlive = false;
      return;
    }
    this.#broken = true;
    if (this.#phase === LINGERING) {
      this.#response.end();
      return;
    }
    this.#attempts?.abort();
    if (this.#response.headersSent) this.onBrokenOff(ERRORS.badRequest);
    else this.#answerProblem(ERRORS.badRequest, null);
  }

  checkLimits(nowMs: number): void {
    if (this.#response.writableEnded) this.#checkReading(nowMs);
    else if (this.#phase === UNDER_WAY && this.#attempts !== null) this.#checkAttempts(this.#attempts, nowMs);
    else if (this.#phase === LINGERING && nowMs - this.#lingeringSinceMs > LINGER_MS) this.#response.end();
  }

  #checkAttempts(attempts: UpstreamAttempts, nowMs: number): void {
    // Without an attempt and without an answer a client would wait for ever: a fault of ours, but not its.
    if (attempts.over && this.#error === null) this.onBrokenOff(ERRORS.internal);
    else attempts.checkLimits(nowMs);
  }

  /** All is written, and waits in our buffers until the client reads it. */
  #checkReading(nowMs: number): void {
    if (this.#endedAtMs < 0) this.#endedAtMs = nowMs;
    else if (nowMs - this.#endedAtMs > READ_LIMIT_MS) this.onBrokenOff(ERRORS.clientTimeout);
  }

  // ---- the end ----

  /** The response is out, or its connection is gone. */
  onClosed(): void {
    if (this.#phase === OVER) return;
    // Who lingers has been sent all of the answer, and may close on it.
    if (!this.#response.writableFinished && this.#phase !== LINGERING) this.#error ??= ERRORS.clientAborted;
    this.#phase = OVER;
    this.#context.sweeper.delete(this);
    this.#attempts?.finish();
    if (this.#route !== null) this.#route.cluster.activeRequests -= 1;
    this.#record();
    this.#connection.finish(this);
  }

  #finalStatus(): number {
    if (this.#error === ERRORS.clientAborted) return ERRORS.clientAborted.status;
    return this.#headFailed && this.#error !== null ? this.#error.status : this.#response.statusCode;
  }

  #record(): void {
    recordExchange(this.#context, {
      requestId: this.#requestId,
      clientAddress: this.#clientAddress,
      method: this.#incoming.method ?? '',
      request: this.#request,
      route: this.#route,
      attempts: this.#attempts,
      status: this.#finalStatus(),
      error: this.#error,
      durationMs: performance.now() - this.#startedMs,
      requestBytes: this.#body?.receivedBytes ?? 0,
      responseBytes: this.#responseBytes,
    });
  }
}
