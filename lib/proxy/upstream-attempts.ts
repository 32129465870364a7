/**
 * Steps 4 and 5 of a request: pick a destination, forward, and where that fails before the response has
 * begun, perhaps the next one. What the client sees of it is the owner's business.
 */
import { hashKeyOf } from '../core/balancing/hash-key.ts';
import { ERRORS, type ErrorDefinition } from '../core/errors.ts';
import type { IdentityHeaders } from '../core/http/identity-headers.ts';
import { cleanTrailers } from '../core/http/request-headers.ts';
import type { AdmittedRequest } from './admission.ts';
import type { ClientConnection } from './client-connection.ts';
import type { ClientRequest } from './client-request.ts';
import type { ProxiedDestination } from './destination.ts';
import { headersFor, hostFor, targetFor } from './forwarding.ts';
import type { Lender } from './http1/read-memory.ts';
import type { Passage } from './policies/passage.ts';
import type { ProxiedRoute } from './proxied-route.ts';
import type { RequestBody } from './request-body.ts';
import type { UpstreamExchange, UpstreamFailure, UpstreamHandler, UpstreamRequest } from './upstream.ts';

/** Where the current attempt stands; each phase has a time limit of its own. */
const CONNECTING = 0;
const AWAITING_HEAD = 1;
const STREAMING = 2;
const OVER = 3;
type Phase = 0 | 1 | 2 | 3;

/** Who gets the response. After `onResponseEnd`, `onFailed` and `onBrokenOff` nothing more is called. */
export interface AttemptsOwner {
  onContinue(): void;
  onInformation(status: number, rawHeaders: string[]): void;
  /** @throws where the head cannot be passed on: the attempt then counts as failed */
  onResponseHead(status: number, statusText: string, rawHeaders: string[]): void;
  /** False asks to pause until `resume`. @param lender see UpstreamHandler */
  onResponseData(chunk: Buffer, lender: Lender | null): boolean;
  /** All that has come is passed on, and more is to come. */
  onResponseReadEnd(): void;
  onResponseEnd(rawTrailers: string[]): void;
  /** No response has begun, and none will. */
  onFailed(error: ErrorDefinition): void;
  /** The response has begun and cannot be finished. */
  onBrokenOff(error: ErrorDefinition): void;
  /** Whether the client has been sent the head of a response. */
  readonly responseBegun: boolean;
  /** Whether the response waits for the client to read. */
  readonly waitsForReader: boolean;
}

/** What an exchange brings to its attempts. */
export interface AttemptsSubject {
  readonly route: ProxiedRoute;
  readonly request: AdmittedRequest;
  readonly connection: ClientConnection;
  readonly requestId: string;
  readonly clientAddress: string;
  /** What no client may say of itself. */
  readonly identityHeaders: IdentityHeaders;
  /** What the policies of the route left behind; null where it has none. */
  readonly passage: Passage | null;
  /** Null where the request has none. */
  readonly body: RequestBody | null;
  readonly expectsContinue: boolean;
  /** Holds the request's trailers once its body has ended. */
  readonly incoming: ClientRequest;
}

export class UpstreamAttempts implements UpstreamHandler {
  readonly #subject: AttemptsSubject;
  readonly #owner: AttemptsOwner;
  readonly #hash: number;
  #upstream: UpstreamExchange | null = null;
  #tried: ProxiedDestination[] | null = null;
  #failure: UpstreamFailure | null = null;
  #phase: Phase = CONNECTING;
  #startedMs = 0;
  #headAtMs = -1;
  #lastActivityMs = 0;
  #continued = false;
  #countedAsRetry = false;
  /** Whether a destination that was tried may be taken again. */
  #mayRepeat = false;
  /** A used connection had broken before its answer began: such a failure says nothing of the origin, but only once. */
  #avoidsStale = false;
  /** The destination of the last attempt. */
  destination: ProxiedDestination | null = null;
  /** How often the request was sent, or tried to be. */
  count = 0;

  constructor(subject: AttemptsSubject, owner: AttemptsOwner) {
    this.#subject = subject;
    this.#owner = owner;
    const { hashKey } = subject.route.cluster;
    const { rawHeaders, query } = subject.request;
    this.#hash = hashKey === null ? 0 : hashKeyOf(hashKey, rawHeaders, query, subject.clientAddress);
  }

  /** What went wrong at the last attempt that failed, for the log; null where none did. */
  get failureDetail(): string | null {
    return this.#failure?.detail ?? null;
  }

  /** From the last attempt's start to its head, in ms; null where no head came. */
  get headLatencyMs(): number | null {
    return this.#headAtMs < 0 ? null : this.#headAtMs - this.#startedMs;
  }

  /** Whether nothing more will be reported to the owner. */
  get over(): boolean {
    return this.#phase === OVER;
  }

  begin(): void {
    const destination = this.#pick();
    if (destination === null) {
      this.#phase = OVER;
      this.#owner.onFailed(this.#failure?.error ?? ERRORS.noDestination);
      return;
    }
    const { route } = this.#subject;
    this.count += 1;
    this.destination = destination;
    this.#startedMs = performance.now();
    this.#enter(CONNECTING);
    route.cluster.balancer.begin(destination);
    this.#dispatch(destination);
  }

  #dispatch(destination: ProxiedDestination): void {
    const request = this.#requestFor(destination);
    this.#upstream = destination.upstreamFor(request).dispatch(request, this);
    // However an engine does it: what is over by now has been given up without its exchange.
    if (this.#phase === OVER) this.abort();
  }

  /** The next destination of the balancer's walk; those whose queue is full are passed over. */
  #pick(): ProxiedDestination | null {
    const { balancer } = this.#subject.route.cluster;
    for (;;) {
      const destination = balancer.pick(this.#hash, this.#tried);
      if (destination === null && this.#mayRepeat) {
        // All have been tried, so the same again: a lost connection says little of the next.
        this.#mayRepeat = false;
        this.#tried = null;
        continue;
      }
      if (destination === null || !destination.overloaded) return destination;
      this.#noteTried(destination);
      this.#failure = failed(ERRORS.upstreamOverloaded, null, 'queue full');
    }
  }

  #noteTried(destination: ProxiedDestination): void {
    this.#tried ??= [];
    this.#tried.push(destination);
  }

  #requestFor(destination: ProxiedDestination): UpstreamRequest {
    const { route, request, connection, requestId, identityHeaders, passage } = this.#subject;
    const { body, expectsContinue, incoming } = this.#subject;
    const sendsTrailers = request.head.announcesTrailers && request.head.transferEncoding !== null;
    return {
      method: request.method,
      target: targetFor(route, request, destination, passage),
      host: hostFor(route, request, destination),
      headers: headersFor(route, request, connection, requestId, identityHeaders, passage),
      body,
      expectContinue: expectsContinue && body !== null && !this.#continued,
      trailers: sendsTrailers ? () => cleanTrailers(incoming.rawTrailers, identityHeaders) : null,
      freshConnection: this.#avoidsStale,
      mayRepeat: route.cluster.retry.isIdempotent(request.method),
    };
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#lastActivityMs = performance.now();
  }

  resume(): void {
    this.#upstream?.resume();
  }

  /** Something moved: the exchange is not idle. */
  noteActivity(): void {
    this.#lastActivityMs = performance.now();
  }

  /** Gives up, without a word to the owner: the client is gone, or has its answer already. */
  abort(): void {
    this.#phase = OVER;
    this.#upstream?.abort();
    // The wait so far says something of the destination, though the client did not see its end.
    this.#release((this.#headAtMs < 0 ? performance.now() : this.#headAtMs) - this.#startedMs);
  }

  /** The exchange is over: what it counted as under way is so no more. */
  finish(): void {
    this.abort();
    if (this.#countedAsRetry) this.#subject.route.cluster.activeRetries -= 1;
    this.#countedAsRetry = false;
  }

  /** Hands the destination back to the balancer. @param latencyMs until the head; negative: it failed */
  #release(latencyMs: number): void {
    if (this.#upstream === null || this.destination === null) return;
    this.#upstream = null;
    this.#subject.route.cluster.balancer.end(this.destination, latencyMs);
  }

  // ---- what the upstream engine reports ----

  onSent(): void {
    this.#enter(AWAITING_HEAD);
  }

  onContinue(): void {
    this.noteActivity();
    if (this.#continued) return;
    this.#continued = true;
    this.#owner.onContinue();
  }

  onInformation(status: number, rawHeaders: string[]): void {
    // Does not count as activity: an origin could go on with these for ever.
    this.#owner.onInformation(status, rawHeaders);
  }

  onHead(status: number, statusText: string, rawHeaders: string[]): void {
    const { route, request } = this.#subject;
    if (route.cluster.retry.allowsAfterStatus(status, request.method) && this.#mayRetry()) {
      this.#upstream?.abort();
      this.#release(-1);
      this.#retry();
      return;
    }
    this.#enter(STREAMING);
    this.#headAtMs = this.#lastActivityMs;
    this.#subject.body?.forget();
    try {
      this.#owner.onResponseHead(status, statusText, rawHeaders);
    } catch (error) {
      this.onFailure(failed(ERRORS.upstreamProtocol, null, String(error)));
    }
  }

  onData(chunk: Buffer, lender: Lender | null): boolean {
    this.noteActivity();
    return this.#owner.onResponseData(chunk, lender);
  }

  onReadEnd(): void {
    this.#owner.onResponseReadEnd();
  }

  onEnd(rawTrailers: string[]): void {
    this.#phase = OVER;
    this.#release(this.#headAtMs - this.#startedMs);
    this.#owner.onResponseEnd(rawTrailers);
  }

  onFailure(failure: UpstreamFailure): void {
    const { route, request } = this.#subject;
    if (failure.isStale && this.#mayRedispatch()) {
      this.#avoidsStale = true;
      this.count += 1;
      this.#startedMs = performance.now();
      this.#enter(CONNECTING);
      this.#dispatch(this.destination!);
      return;
    }
    this.#failure = failure;
    this.#upstream?.abort();
    this.#release(-1);
    if (this.#owner.responseBegun) {
      this.#breakOff(ERRORS.upstreamBody);
      return;
    }
    route.stats.countUpstreamError(failure.error.code);
    if (route.cluster.retry.allowsAfterFailure(failure.condition, request.method) && this.#mayRetry()) {
      this.#retry();
      return;
    }
    this.#phase = OVER;
    this.#owner.onFailed(failure.error);
  }

  #breakOff(error: ErrorDefinition): void {
    this.#phase = OVER;
    if (error.side === 'origin') this.#subject.route.stats.countUpstreamError(error.code);
    this.#owner.onBrokenOff(error);
  }

  /**
   * Whether the same attempt may go on over a new connection: RFC 9112 §9.3.1 allows it where the request may be
   * repeated.
   */
  #mayRedispatch(): boolean {
    const { route, request, body } = this.#subject;
    if (this.#avoidsStale || !route.cluster.retry.isIdempotent(request.method)) return false;
    return body === null || body.replayable;
  }

  #mayRetry(): boolean {
    const { route, body } = this.#subject;
    const tries = this.#avoidsStale ? this.count - 1 : this.count;
    if (tries >= route.cluster.retry.attempts || !route.cluster.retryFitsBudget) return false;
    return body === null || body.replayable;
  }

  #retry(): void {
    const { cluster, stats } = this.#subject.route;
    stats.countRetry();
    if (!this.#countedAsRetry) cluster.activeRetries += 1;
    this.#countedAsRetry = true;
    if (this.destination !== null) this.#noteTried(this.destination);
    this.#mayRepeat = true;
    this.begin();
  }

  // ---- time limits ----

  /** Ends what has taken too long. */
  checkLimits(nowMs: number): void {
    const { cluster } = this.#subject.route;
    const silentMs = nowMs - this.#lastActivityMs;
    if (this.#phase === CONNECTING) {
      if (silentMs <= cluster.connectLimitMs) return;
      this.onFailure(failed(ERRORS.upstreamTimeout, 'connect', 'no connection became free'));
    } else if (this.#phase === AWAITING_HEAD) {
      this.#checkHeadLimit(silentMs, cluster.headersMs, cluster.idleMs);
    } else if (this.#phase === STREAMING && silentMs > cluster.idleMs) {
      const { waitsForReader } = this.#owner;
      this.abort();
      this.#breakOff(waitsForReader ? ERRORS.clientTimeout : ERRORS.upstreamBody);
    }
  }

  #checkHeadLimit(silentMs: number, headersMs: number, idleMs: number): void {
    if (this.#subject.body?.waitsForClient) {
      if (silentMs <= idleMs) return;
      this.abort();
      this.#owner.onFailed(ERRORS.requestTimeout);
    } else if (silentMs > headersMs) {
      this.onFailure(failed(ERRORS.upstreamTimeout, 'timeout', 'no response head'));
    }
  }
}

/** A failure that was found here, not by the engine. */
function failed(
  error: ErrorDefinition,
  condition: UpstreamFailure['condition'],
  detail: string,
): UpstreamFailure {
  return { error, condition, detail, isStale: false };
}
