/** What a client gets for its request: an origin's answer or the gateway's own, head, body and end. */
import type { Socket } from 'node:net';
import type { ErrorDefinition } from '../core/errors.ts';
import { removeFields, replaceFields } from '../core/http/flat-headers.ts';
import { cleanTrailers } from '../core/http/request-headers.ts';
import { buildResponseHead, isPlainReason } from '../core/http/response-headers.ts';
import type { ClientRequest } from './client-request.ts';
import { formatEarlyHints } from './early-hints.ts';
import type { Lender } from './http1/read-memory.ts';
import type { Passage } from './policies/passage.ts';
import type { DirectAnswer } from './policies/verdict.ts';
import { problemAnswer } from './problem-response.ts';
import type { ProxiedRoute } from './proxied-route.ts';
import { connectionLines, currentDateLine, statusLine } from './response-line.ts';
import { formatFields, hasField } from './wire-fields.ts';
import { hasTaken, writeAround } from './wire-writes.ts';

/** Interim responses that are passed on; an origin that sends more is not believed. */
const MAX_EARLY_HINTS = 8;

/** Small pieces wait for what comes with them, until `flush`. */
const MOST_UNSENT_BYTES = 8_192;

/** Who answers. */
export interface ClientResponseOwner {
  /** The response is out; after `end`, within it or later. */
  onFinished(): void;
}

/** How the body ends. */
const NO_BODY = 0;
const WITH_LENGTH = 1;
const WITH_LAST_CHUNK = 2;
const WITH_CONNECTION = 3;
type Framing = 0 | 1 | 2 | 3;

export class ClientResponse {
  readonly #request: ClientRequest;
  readonly #socket: Socket;
  readonly #owner: ClientResponseOwner;
  readonly #keepAliveMs: number;
  #earlyHints = 0;
  #framing: Framing = NO_BODY;
  #contentLength = -1;
  /** What waits to go out with what comes next, in Latin-1. */
  #unsent = '';
  #trailers: readonly string[] = [];
  /** Whether the client has been sent the head, or will be with the first byte of the body. */
  begun = false;
  /** Whether all is written, be it read by the client or not. */
  ended = false;
  /** Whether all has left this process. */
  finished = false;
  /** Whether the connection ends with this answer. */
  closes = false;
  status = 0;
  /** Of the body, so far. */
  bytes = 0;

  /** @param keepAliveMs how long the connection is kept without a request, as the client is told; 0: for ever */
  constructor(request: ClientRequest, socket: Socket, keepAliveMs: number, owner: ClientResponseOwner) {
    this.#request = request;
    this.#socket = socket;
    this.#keepAliveMs = keepAliveMs;
    this.#owner = owner;
  }

  // ---- before the head ----

  writeContinue(): void {
    this.#socket.write('HTTP/1.1 100 Continue\r\n\r\n', 'latin1');
  }

  writeInformation(status: number, rawHeaders: readonly string[]): void {
    if (status !== 103 || this.#request.version === '1.0' || this.#earlyHints >= MAX_EARLY_HINTS) return;
    this.#earlyHints += 1;
    const hints = formatEarlyHints(rawHeaders);
    if (hints !== '') this.#socket.write(hints, 'latin1');
  }

  // ---- the head ----

  /**
   * Writes the head of an origin's answer.
   * @param passage null where no policy looked at the request
   * @throws Error where it cannot be passed on; nothing of it is written then
   */
  writeHead(
    status: number,
    statusText: string,
    rawHeaders: readonly string[],
    requestId: string,
    route: ProxiedRoute | null,
    passage: Passage | null,
    closes: boolean,
  ): void {
    const mayHaveBody = this.#mayHaveBody(status);
    const mayTrail = mayHaveBody && this.#request.version !== '1.0';
    const head = buildResponseHead(rawHeaders, status, requestId, mayTrail);
    if (head.hasUnknownCoding) throw new Error('unknown transfer coding');
    const withheld = passage?.withheldAnswerHeaders ?? null;
    if (withheld !== null) removeFields(head.headers, withheld);
    route?.responseHeaders?.apply(head.headers);
    if (passage !== null) replaceFields(head.headers, passage.clientHeaders);
    this.#begin(
      status,
      isPlainReason(statusText) ? statusText : '',
      head.headers,
      head.contentLength,
      closes,
    );
  }

  #mayHaveBody(status: number): boolean {
    return this.#request.method !== 'HEAD' && status !== 204 && status !== 304;
  }

  /** @param contentLength -1 where it is not known beforehand */
  #begin(
    status: number,
    reason: string | null,
    headers: readonly string[],
    contentLength: number,
    closes: boolean,
  ): void {
    const framing = this.#framingOf(status, contentLength);
    // In HTTP/1.0 what declares no length ends with the connection, even where there is no body.
    const endsUndeclared = contentLength === -1 && this.#request.version === '1.0';
    const isLast = closes || endsUndeclared || !this.#keepsAlive();
    let head = statusLine(status, reason) + formatFields(headers);
    if (!hasField(headers, 'date')) head += currentDateLine();
    if (framing === WITH_LAST_CHUNK) head += 'transfer-encoding: chunked\r\n';
    head += connectionLines(isLast, this.#keepAliveMs);
    this.#unsent = `${head}\r\n`;
    this.#framing = framing;
    this.#contentLength = contentLength;
    this.status = status;
    this.closes ||= isLast;
    this.begun = true;
  }

  #framingOf(status: number, contentLength: number): Framing {
    if (!this.#mayHaveBody(status)) return NO_BODY;
    if (contentLength !== -1) return WITH_LENGTH;
    return this.#request.version === '1.0' ? WITH_CONNECTION : WITH_LAST_CHUNK;
  }

  /** As far as the client says (RFC 9112 §9.3): in HTTP/1.0 it has to ask for it. */
  #keepsAlive(): boolean {
    const { saysClose, saysKeepAlive } = this.#request.head;
    return !saysClose && (saysKeepAlive || this.#request.version !== '1.0');
  }

  /** What comes later must not hold back what is here. */
  flush(): void {
    if (this.#unsent !== '' && !this.ended) this.#socket.write(this.#takeUnsent(), 'latin1');
  }

  #takeUnsent(): string {
    const unsent = this.#unsent;
    this.#unsent = '';
    return unsent;
  }

  // ---- the body ----

  /**
   * Writes some of the body.
   * @param lender whose memory it is: valid during the call only, unless it is held; null where it is nobody else's
   * @returns false where the client has to read before more is written
   */
  writeData(data: Buffer, lender: Lender | null): boolean {
    // An empty chunk would be the last.
    if (data.length === 0 || this.#framing === NO_BODY) return true;
    this.bytes += data.length;
    const isChunked = this.#framing === WITH_LAST_CHUNK;
    const before = isChunked ? `${this.#takeUnsent()}${data.length.toString(16)}\r\n` : this.#takeUnsent();
    const after = isChunked ? '\r\n' : '';
    if (before.length + data.length <= MOST_UNSENT_BYTES) {
      this.#unsent = before + data.toString('latin1') + after;
      return !this.#socket.writableNeedDrain || hasTaken(this.#socket);
    }
    return writeAround(this.#socket, before, data, lender, after);
  }

  /** Whether a body of known length is written to its last byte. */
  get hasWholeBody(): boolean {
    return this.#framing === WITH_LENGTH && this.bytes === this.#contentLength;
  }

  addTrailers(rawTrailers: readonly string[]): void {
    if (rawTrailers.length > 0) this.#trailers = cleanTrailers(rawTrailers) ?? [];
  }

  // ---- whole answers ----

  /**
   * Writes an error of the gateway's own, but for its end.
   * @param headers flat: more fields of the answer
   */
  writeProblem(
    error: ErrorDefinition,
    detail: string | null,
    requestId: string,
    headers: readonly string[],
    passage: Passage | null,
    closes: boolean,
  ): void {
    const fields = passage === null ? headers : [...headers, ...passage.clientHeaders];
    const problem = problemAnswer(error, requestId, detail, fields);
    this.#begin(error.status, null, problem.headers, problem.body.length, closes);
    this.writeData(problem.body, null);
  }

  /** Writes a redirect, or the answer to a pre-flight, but for its end. */
  writeDirectAnswer(
    { status, headers }: DirectAnswer,
    requestId: string,
    passage: Passage | null,
    closes: boolean,
  ): void {
    const fields = [...headers];
    if (passage !== null) replaceFields(fields, passage.clientHeaders);
    fields.push('x-request-id', requestId);
    if (status !== 204) fields.push('content-length', '0');
    this.#begin(status, null, fields, 0, closes);
  }

  // ---- the end ----

  /** Writes what is left. The owner hears when all has left this process. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    const last = this.#framing === WITH_LAST_CHUNK ? `0\r\n${this.#trailerSection()}` : '';
    const rest = this.#takeUnsent() + last;
    if (rest !== '') this.#socket.write(rest, 'latin1');
    if (hasTaken(this.#socket)) this.#finish();
    // Its turn comes behind all that waits.
    else this.#socket.write('', (error) => error ?? this.#finish());
  }

  #trailerSection(): string {
    return `${formatFields(this.#trailers)}\r\n`;
  }

  #finish(): void {
    this.finished = true;
    this.#owner.onFinished();
  }
}
