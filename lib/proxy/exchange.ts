/**
 * One request from a client, from its head to the last byte of the answer:
 *
 *   1. admit: canonical target, host, framing            → 400, 405, 414, 421, 431, 501, 505
 *   2. find the route                                     → 404
 *   3. the route's limits and policies                    → 308, 401, 403, 413, 429, 503, or a pre-flight's answer
 *   4. pick a destination                                 → 503
 *   5. forward, both ways with backpressure; a failure before the response's head may go back to 4
 *                                                         → 502, 503, 504
 *   6. record: metrics, access log
 *
 * After the response's head is out, the only honest way to report a failure is to reset the connection.
 */
import { ERRORS, type ErrorDefinition } from '../core/errors.ts';
import {
  type AdmittedRequest,
  admit,
  type Expectation,
  expectationOf,
  Refusal,
  refuseByRoute,
} from './admission.ts';
import type { ClientConnection, ConnectionTask } from './client-connection.ts';
import { ClientPace } from './client-pace.ts';
import type { ClientRequest } from './client-request.ts';
import { ClientResponse, type ClientResponseOwner } from './client-response.ts';
import { recordExchange } from './exchange-record.ts';
import type { Sweepable } from './exchange-sweeper.ts';
import { clientAddressOf, requestIdOf, schemeOf } from './forwarding.ts';
import { GatePass, type GatePassOwner } from './gate-pass.ts';
import type { Lender } from './http1/read-memory.ts';
import { Lingering } from './lingering.ts';
import { Passage } from './policies/passage.ts';
import type { Verdict } from './policies/verdict.ts';
import { endsConnection, RETRY_SOON } from './problem-response.ts';
import type { ProxiedRoute } from './proxied-route.ts';
import type { ProxyContext } from './proxy-context.ts';
import { REPLAY_LIMIT_BYTES, RequestBody, type RequestBodyOwner } from './request-body.ts';
import { answerPreflight, needsScreening, screen } from './screening.ts';
import { type AttemptsOwner, UpstreamAttempts } from './upstream-attempts.ts';

/** An exchange is one of these in turn. */
const UNDER_WAY = 0;
/** The answer is written; the client still sends, and would miss it if the connection closed now. */
const LINGERING = 1;
const OVER = 2;
type Phase = 0 | 1 | 2;

export class Exchange
  implements ConnectionTask, AttemptsOwner, RequestBodyOwner, ClientResponseOwner, GatePassOwner, Sweepable
{
  readonly #context: ProxyContext;
  readonly #connection: ClientConnection;
  readonly #incoming: ClientRequest;
  readonly #response: ClientResponse;
  readonly #expectation: Expectation;
  readonly #startedMs = performance.now();

  #request: AdmittedRequest | null = null;
  #requestId = '';
  #clientAddress: string;
  #route: ProxiedRoute | null = null;
  /** Null where no policy looks at the request. */
  #passage: Passage | null = null;
  /** Null where neither route nor cluster limits how many requests are under way. */
  #gates: GatePass | null = null;
  #attempts: UpstreamAttempts | null = null;
  #body: RequestBody | null = null;

  sweepIndex = -1;
  #phase: Phase = UNDER_WAY;
  #lingering: Lingering | null = null;
  #continued = false;
  /** What the client sends is not HTTP any more: no more of the request will come. */
  #broken = false;
  #paused = false;
  /** Null until the limits are looked at for the first time: most requests are over before. */
  #pace: ClientPace | null = null;
  #error: ErrorDefinition | null = null;

  constructor(context: ProxyContext, connection: ClientConnection, incoming: ClientRequest) {
    this.#context = context;
    this.#connection = connection;
    this.#incoming = incoming;
    this.#response = new ClientResponse(incoming, connection.socket, context.limits.keepAliveTimeoutMs, this);
    this.#expectation = expectationOf(incoming);
    this.#clientAddress = connection.peerAddress;
  }

  start(): void {
    this.#connection.run(this);
    this.#context.sweeper.add(this);
    const request =
      this.#expectation === 'unknown'
        ? new Refusal(ERRORS.expectationFailed, null)
        : admit(this.#incoming, this.#context.limits);
    if (request instanceof Refusal) {
      this.#requestId = this.#context.requestIds.next();
      this.#context.unroutedStats.begin();
      this.#answerProblem(request.error, request.detail);
      return;
    }
    this.#request = request;
    this.#requestId = requestIdOf(this.#context, this.#connection, request);
    this.#clientAddress = clientAddressOf(this.#context, this.#connection, request);
    if (this.#context.overloaded) {
      this.#context.unroutedStats.begin();
      this.#answerProblem(ERRORS.overloaded, null, RETRY_SOON);
      return;
    }
    this.#findRoute(request);
  }

  #findRoute(request: AdmittedRequest): void {
    const { routes } = this.#context;
    const preflight = answerPreflight(routes, request, this.#clientAddress, this.#connection);
    const route = preflight?.route ?? routes.match(request);
    this.#route = route;
    (route?.stats ?? this.#context.unroutedStats).begin();
    if (route === null) {
      this.#answerProblem(ERRORS.noRoute, null);
      return;
    }
    route.cluster.activeRequests += 1;
    if (preflight !== null) this.#follow(preflight.answer);
    else if (needsScreening(routes, route)) this.#screen(route, request);
    else this.#applyLimits(route, request);
  }

  #screen(route: ProxiedRoute, request: AdmittedRequest): void {
    const scheme = schemeOf(this.#connection, request);
    this.#passage = new Passage(request, this.#clientAddress, scheme, false);
    const verdict = screen(this.#context.routes, route, this.#passage, this.#connection);
    if (verdict instanceof Promise) void this.#followLater(verdict);
    else this.#follow(verdict);
  }

  async #followLater(pending: Promise<Verdict>): Promise<void> {
    const verdict = await pending;
    // Meanwhile the client may have gone, or broken its request, which has been answered then.
    if (this.#phase === UNDER_WAY && !this.#response.begun) this.#follow(verdict);
  }

  #follow(verdict: Verdict): void {
    if (verdict === null) {
      this.#applyLimits(this.#route!, this.#request!);
    } else if (verdict.kind === 'refusal') {
      this.#answerProblem(verdict.error, verdict.detail, verdict.headers);
    } else {
      this.#response.writeDirectAnswer(verdict, this.#requestId, this.#passage, this.#mustClose());
      this.#completeResponse();
    }
  }

  #applyLimits(route: ProxiedRoute, request: AdmittedRequest): void {
    const refusal = refuseByRoute(route, request);
    if (refusal !== null) this.#answerProblem(refusal.error, refusal.detail);
    else if (route.isGated) this.#enterGates(route);
    else this.onAdmitted();
  }

  #enterGates(route: ProxiedRoute): void {
    this.#gates = new GatePass(route, route.cluster, this);
    if (this.#gates.enter()) this.onAdmitted();
  }

  onRefused(error: ErrorDefinition): void {
    this.#answerProblem(error, null, RETRY_SOON);
  }

  onAdmitted(): void {
    const route = this.#route!;
    const request = this.#request!;
    if (request.hasBody) {
      const keptBytes = route.cluster.retry.isIdempotent(request.method) ? REPLAY_LIMIT_BYTES : 0;
      this.#body = new RequestBody(this.#incoming, route.maxBodyBytes, keptBytes, this);
    }
    this.#attempts = new UpstreamAttempts(
      {
        route,
        request,
        connection: this.#connection,
        requestId: this.#requestId,
        clientAddress: this.#clientAddress,
        identityHeaders: this.#context.routes.trust.identityHeaders,
        passage: this.#passage,
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
    return this.#response.begun;
  }

  get waitsForReader(): boolean {
    return this.#paused;
  }

  onContinue(): void {
    this.#continued = true;
    this.#response.writeContinue();
  }

  onInformation(status: number, rawHeaders: string[]): void {
    this.#response.writeInformation(status, rawHeaders);
  }

  onResponseHead(status: number, statusText: string, rawHeaders: string[]): void {
    this.#response.writeHead(
      status,
      statusText,
      rawHeaders,
      this.#requestId,
      this.#route,
      this.#passage,
      this.#mustClose(),
    );
  }

  onResponseData(chunk: Buffer, lender: Lender | null): boolean {
    if (this.#response.writeData(chunk, lender)) return true;
    this.#paused = true;
    return false;
  }

  onResponseReadEnd(): void {
    this.#response.flush();
  }

  onResponseEnd(rawTrailers: string[]): void {
    this.#response.addTrailers(rawTrailers);
    this.#completeResponse();
  }

  onFailed(error: ErrorDefinition): void {
    this.#answerProblem(error, null);
  }

  /** The response cannot be finished: the client must not take what it has for the whole. */
  onBrokenOff(error: ErrorDefinition): void {
    // Complete already: what the origin does after its last byte is not the client's concern.
    if (error === ERRORS.upstreamBody && this.#response.hasWholeBody) {
      this.#completeResponse();
      return;
    }
    this.#error = error;
    this.#response.flush();
    this.#connection.reset();
  }

  // ---- the gateway's own answers ----

  #answerProblem(error: ErrorDefinition, detail: string | null, headers: readonly string[] = []): void {
    this.#error = error;
    // It is answered: its turn must not come any more.
    this.#gates?.leave();
    const closes = endsConnection(error) || this.#mustClose();
    this.#response.writeProblem(error, detail, this.#requestId, headers, this.#passage, closes);
    this.#completeResponse();
  }

  #mustClose(): boolean {
    // An answer before the request's end: what the client still sends must not be read as its next request.
    return (
      this.#context.draining || this.#connection.isUsedUp(this.#context.limits) || this.#clientStillSends()
    );
  }

  #clientStillSends(): boolean {
    return !this.#broken && !this.#incoming.complete && this.#incoming.isFramed;
  }

  /** Ends the response; where the client is still sending, only after having read some more. */
  #completeResponse(): void {
    // A client may send without waiting for the 100 that it asked for.
    const waitsFor100 = this.#expectation !== 'none' && !this.#continued && !this.#incoming.hasKept;
    if (waitsFor100 || !this.#clientStillSends()) {
      this.#response.end();
      return;
    }
    this.#response.flush();
    this.#body ??= new RequestBody(this.#incoming, Number.POSITIVE_INFINITY, 0, this);
    this.#phase = LINGERING;
    this.#lingering = new Lingering(this.#body);
    if (this.#lingering.isOver) this.#response.end();
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
    if (this.#lingering?.isOver) this.#response.end();
  }

  onBodyTooLarge(): void {
    this.#attempts?.abort();
    if (this.#response.begun) this.onBrokenOff(ERRORS.bodyTooLarge);
    else this.#answerProblem(ERRORS.bodyTooLarge, `at most ${this.#route?.maxBodyBytes} bytes`);
  }

  onRequestBroken(): void {
    this.#broken = true;
    if (this.#phase === LINGERING) {
      this.#response.end();
      return;
    }
    this.#giveUpRequest(ERRORS.badRequest);
  }

  #giveUpRequest(error: ErrorDefinition): void {
    this.#attempts?.abort();
    if (this.#response.begun) this.onBrokenOff(error);
    else this.#answerProblem(error, null);
  }

  checkLimits(nowMs: number): void {
    this.#gates?.checkLimits(nowMs);
    const { ended } = this.#response;
    this.#pace ??= new ClientPace(this.#connection.socket, this.#context.limits.minBytesPerSecond);
    if (this.#pace.isTooSlow(this.#body?.waitsForClient ?? false, ended, nowMs)) this.#endSlow(this.#pace);
    else if (ended || this.#phase === OVER) return;
    else if (this.#phase === UNDER_WAY) this.#checkAttempts(nowMs);
    else if (this.#lingering?.isTooLong(nowMs)) this.#response.end();
  }

  #endSlow(pace: ClientPace): void {
    if (this.#response.begun || pace.isReading) this.onBrokenOff(ERRORS.clientTimeout);
    else this.#giveUpRequest(ERRORS.requestTimeout);
  }

  #checkAttempts(nowMs: number): void {
    // Without an attempt and without an answer a client would wait for ever: a fault of ours, but not its.
    if (this.#attempts?.over && this.#error === null) this.onBrokenOff(ERRORS.internal);
    else this.#attempts?.checkLimits(nowMs);
  }

  // ---- the end ----

  onFinished(): void {
    this.#close();
  }

  /** The connection is gone. */
  onClosed(): void {
    if (this.#phase === OVER) return;
    // Who lingers has been sent all of the answer, and may close on it.
    if (this.#phase !== LINGERING) this.#error ??= ERRORS.clientAborted;
    this.#close();
  }

  #close(): void {
    this.#phase = OVER;
    this.#context.sweeper.delete(this);
    this.#attempts?.finish();
    this.#gates?.leave();
    if (this.#route !== null) this.#route.cluster.activeRequests -= 1;
    this.#record();
    this.#connection.finish(this, this.#response.closes);
  }

  #finalStatus(): number {
    const isUnanswered = this.#error === ERRORS.clientAborted || !this.#response.begun;
    return isUnanswered ? (this.#error ?? ERRORS.clientAborted).status : this.#response.status;
  }

  #record(): void {
    recordExchange(this.#context, {
      requestId: this.#requestId,
      clientAddress: this.#clientAddress,
      method: this.#incoming.method,
      request: this.#request,
      route: this.#route,
      consumer: this.#passage?.identity?.consumer ?? null,
      attempts: this.#attempts,
      status: this.#finalStatus(),
      error: this.#error,
      durationMs: performance.now() - this.#startedMs,
      requestBytes: this.#body?.receivedBytes ?? 0,
      responseBytes: this.#response.bytes,
    });
  }
}
