/** What a client gets for its request: an origin's answer or the gateway's own, head, body and end. */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { ErrorDefinition } from '../core/errors.ts';
import { removeFields, replaceFields } from '../core/http/flat-headers.ts';
import { cleanTrailers } from '../core/http/request-headers.ts';
import { buildResponseHead, isPlainReason } from '../core/http/response-headers.ts';
import { writeEarlyHints } from './early-hints.ts';
import { headerPairs } from './header-pairs.ts';
import type { Passage } from './policies/passage.ts';
import type { DirectAnswer } from './policies/verdict.ts';
import { refuseOnSocket, writeProblemResponse } from './problem-response.ts';
import type { ProxiedRoute } from './proxied-route.ts';
import type { GatewayResponse } from './server-response.ts';

/** Interim responses that are passed on; an origin that sends more is not believed. */
const MAX_EARLY_HINTS = 8;

/** Up to here a copy costs less than a second piece to write. */
const SMALL_BODY_BYTES = 8_192;

/** Who answers. */
export interface ClientResponseOwner {
  /** The client has read what waited for it. */
  onClientDrained(): void;
  /** The response is out, or its connection is gone. */
  onClosed(): void;
}

/** A response that knows who answers, so that its event handlers need no closure. */
interface OwnedResponse extends GatewayResponse {
  owner?: ClientResponseOwner;
}

function onDrain(this: OwnedResponse): void {
  this.owner?.onClientDrained();
}

function onClose(this: OwnedResponse): void {
  this.owner?.onClosed();
}

export class ClientResponse {
  readonly #incoming: IncomingMessage;
  readonly #response: OwnedResponse;
  #earlyHints = 0;
  /** -1 where the end of the body is not known beforehand. */
  #contentLength = -1;
  #listensToDrain = false;
  /** Of the body, so far. */
  bytes = 0;
  /** Half of a head may stand in the response: it cannot carry another one. */
  headFailed = false;

  constructor(incoming: IncomingMessage, response: GatewayResponse, owner: ClientResponseOwner) {
    this.#incoming = incoming;
    this.#response = response;
    this.#response.owner = owner;
    response.on('close', onClose);
  }

  /** Whether the client has been sent the head. */
  get begun(): boolean {
    return this.#response.headersSent;
  }

  /** Whether all is written, be it read by the client or not. */
  get ended(): boolean {
    return this.#response.writableEnded;
  }

  /** Whether all has left this process. */
  get finished(): boolean {
    return this.#response.writableFinished;
  }

  get status(): number {
    return this.#response.statusCode;
  }

  /**
   * A body that comes later must not hold back the head. Node's flushHeaders would encode bytes above ASCII anew, as
   * UTF-8; nothing, written as Latin-1, does not.
   */
  flushHead(): void {
    const waits = this.bytes === 0 && this.begun && !this.ended && !this.headFailed;
    if (waits && !this.#response.destroyed) this.#response.write('', 'latin1');
  }

  /** The connection ends with this answer, though nothing was said of that when its head was written. */
  closeAfter(): void {
    this.#response.shouldKeepAlive = false;
  }

  writeContinue(): void {
    this.#response.writeContinue();
  }

  writeInformation(status: number, rawHeaders: readonly string[]): void {
    if (status !== 103 || this.#incoming.httpVersion === '1.0' || this.#earlyHints >= MAX_EARLY_HINTS) return;
    this.#earlyHints += 1;
    writeEarlyHints(this.#response, rawHeaders);
  }

  /**
   * Writes the head of an origin's answer.
   * @param passage null where no policy looked at the request
   * @throws Error where it cannot be passed on
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
    const isHead = this.#incoming.method === 'HEAD';
    const mayTrail = !isHead && status !== 304 && this.#incoming.httpVersion !== '1.0';
    const head = buildResponseHead(rawHeaders, status, requestId, mayTrail);
    if (head.hasUnknownCoding) throw new Error('unknown transfer coding');
    const withheld = passage?.withheldAnswerHeaders ?? null;
    if (withheld !== null) removeFields(head.headers, withheld);
    route?.responseHeaders?.apply(head.headers);
    if (passage !== null) replaceFields(head.headers, passage.clientHeaders);
    if (closes) head.headers.push('connection', 'close');
    this.#contentLength = isHead || status === 304 ? -1 : head.contentLength;
    this.#response.framing = head.contentLength === -1 ? 'chunked' : 'length';
    try {
      this.#response.writeHead(status, isPlainReason(statusText) ? statusText : '', head.headers);
    } catch (error) {
      this.headFailed = true;
      throw error;
    }
  }

  /**
   * Writes some of the body. A message whose length is known ends with its last byte, so that head, body and end
   * go out in one piece, unless the client still sends.
   * @param data valid during the call only where it `isBorrowed`
   * @returns false where the client has to read before more is written
   */
  writeData(data: Buffer, isBorrowed: boolean, clientStillSends: boolean): boolean {
    this.bytes += data.length;
    const isLast = this.bytes === this.#contentLength && !clientStillSends;
    if (isLast && data.length <= SMALL_BODY_BYTES) {
      // As a string it goes out in one piece with the head, and needs no copy.
      this.#response.end(data.toString('latin1'), 'latin1');
      return true;
    }
    const chunk = isBorrowed ? Buffer.from(data) : data;
    if (isLast) {
      this.#response.end(chunk);
      return true;
    }
    // A piece as large as Node's high-water mark makes `write` ask for a pause though the system has taken all of it.
    if (this.#response.write(chunk) || this.#response.writableLength === 0) return true;
    if (!this.#listensToDrain) this.#response.on('drain', onDrain);
    this.#listensToDrain = true;
    return false;
  }

  addTrailers(rawTrailers: readonly string[]): void {
    const trailers = rawTrailers.length === 0 ? null : cleanTrailers(rawTrailers);
    if (trailers !== null) this.#response.addTrailers(headerPairs(trailers));
  }

  /**
   * Writes an error of the gateway's own, but for its end.
   * @param headers flat: more fields of the answer
   * @returns false where there was only the bare socket to write it on, and it is out
   */
  writeProblem(
    error: ErrorDefinition,
    detail: string | null,
    requestId: string,
    headers: readonly string[],
    passage: Passage | null,
    closes: boolean,
  ): boolean {
    const fields = passage === null ? headers : [...headers, ...passage.clientHeaders];
    if (this.headFailed) {
      refuseOnSocket(this.#incoming.socket, error, requestId, fields);
      return false;
    }
    const isHead = this.#incoming.method === 'HEAD';
    this.bytes = writeProblemResponse(this.#response, error, {
      requestId,
      detail,
      isHead,
      closes,
      headers: fields,
    });
    return true;
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
    if (closes) fields.push('connection', 'close');
    this.#response.writeHead(status, STATUS_CODES[status], fields);
  }

  end(): void {
    this.#response.end();
  }
}
