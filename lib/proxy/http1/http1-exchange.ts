/** One request and its response on the way through the pool and over one connection. */
import type { Socket } from 'node:net';
import {
  type BodySink,
  failureOf,
  type UpstreamExchange,
  type UpstreamHandler,
  type UpstreamRequest,
} from '../upstream.ts';
import { writeAround } from '../wire-writes.ts';
import type { Lender } from './read-memory.ts';
import { buildTrailerSection, type RequestFraming } from './request-head.ts';

/** How long an origin is given to ask for the body; then it gets it unasked (RFC 9110 §10.1.1). */
const CONTINUE_WAIT_MS = 1_000;

/** An origin that had closed the connection before the request came says so within a round trip; later it is its doing. */
const STALE_WITHIN_MS = 1_000;

/** Where exchanges wait for a connection. */
export interface ExchangeQueue {
  /** It waits no more. */
  leave(exchange: Http1Exchange): void;
}

/** What an exchange runs over. */
export interface ExchangeConnection {
  /** Whether it has carried an exchange before. */
  readonly isReused: boolean;
  /** Whether anything of the response has come. */
  readonly hasAnswered: boolean;
  resume(): void;
  close(): void;
}

export class Http1Exchange implements UpstreamExchange, BodySink {
  readonly #queue: ExchangeQueue;
  readonly request: UpstreamRequest;
  readonly #handler: UpstreamHandler;
  readonly #head: string;
  readonly #framing: RequestFraming;
  #connection: ExchangeConnection | null = null;
  #socket: Socket | null = null;
  #continueTimer: NodeJS.Timeout | null = null;
  #startedMs = 0;
  #bodyBegun = false;
  /** What of the request waits to go out with the first piece of the body. */
  #unsentHead = '';
  #hasHead = false;
  #isOver = false;
  /** Whether the request has been written to its end. */
  isSent = false;

  constructor(
    queue: ExchangeQueue,
    request: UpstreamRequest,
    handler: UpstreamHandler,
    head: string,
    framing: RequestFraming,
  ) {
    this.#queue = queue;
    this.request = request;
    this.#handler = handler;
    this.#head = head;
    this.#framing = framing;
  }

  get method(): string {
    return this.request.method;
  }

  /** The connection that it waits for, or runs over. */
  set connection(connection: ExchangeConnection) {
    this.#connection = connection;
  }

  resume(): void {
    if (!this.#isOver) this.#connection?.resume();
  }

  abort(): void {
    if (this.#isOver) return;
    this.#finish();
    if (this.#connection === null) this.#queue.leave(this);
    else this.#connection.close();
  }

  /** The one way out: what comes later is ignored. */
  #finish(): void {
    this.#isOver = true;
    if (this.#continueTimer !== null) clearTimeout(this.#continueTimer);
    this.request.body?.detach(this);
  }

  // ---- the request ----

  /** Writes the request. */
  start(socket: Socket): void {
    this.#socket = socket;
    this.#startedMs = performance.now();
    this.#handler.onSent();
    if (this.#framing === 'none') {
      this.isSent = true;
      socket.write(this.#head, 'latin1');
    } else if (this.request.expectContinue) {
      socket.write(this.#head, 'latin1');
      this.#continueTimer = setTimeout(() => this.#sendBody(), CONTINUE_WAIT_MS);
    } else {
      // Together with what of the body is here, or comes with the same read. What is here is taken later: whoever
      // dispatches has not got its exchange yet, and may have to give it up.
      this.#unsentHead = this.#head;
      if (this.request.body?.isHere === false) this.#sendBody();
      queueMicrotask(() => this.#sendHeadAndBody());
    }
  }

  #sendHeadAndBody(): void {
    this.#sendBody();
    if (this.#unsentHead !== '' && !this.#isOver) this.#socket!.write(this.#takeHead(), 'latin1');
  }

  #takeHead(): string {
    const head = this.#unsentHead;
    this.#unsentHead = '';
    return head;
  }

  /** At once, or when the origin has asked for the body, or has not said in time whether it wants it. */
  #sendBody(): void {
    if (this.#isOver || this.#bodyBegun) return;
    this.#bodyBegun = true;
    if (this.request.expectContinue) this.#handler.onContinue();
    this.request.body?.open(this);
  }

  onBodyData(chunk: Buffer, lender: Lender | null): boolean {
    // An empty chunk would be the last.
    if (chunk.length === 0) return true;
    const isChunked = this.#framing === 'chunked';
    const before = isChunked ? `${this.#takeHead()}${chunk.length.toString(16)}\r\n` : this.#takeHead();
    const after = isChunked ? '\r\n' : '';
    return writeAround(this.#socket!, before, chunk, lender, after);
  }

  onBodyEnd(): void {
    this.isSent = true;
    if (this.#framing !== 'chunked') return;
    try {
      this.#socket!.write(
        `${this.#takeHead()}0\r\n${buildTrailerSection(this.request.trailers?.() ?? null)}`,
        'latin1',
      );
    } catch (error) {
      this.#finish();
      this.#connection?.close();
      this.#handler.onFailure({ ...failureOf(error as Error, true), isStale: false });
    }
  }

  onDrain(): void {
    this.request.body?.pull(this);
  }

  // ---- the response ----

  onInterim(status: number, fields: string[]): void {
    if (status !== 100) this.#handler.onInformation(status, fields);
    // Unasked, it means nothing (RFC 9110 §15.2.1).
    else if (this.request.expectContinue) this.#sendBody();
  }

  onHead(status: number, reason: string, fields: string[]): void {
    // It has answered without the body: what is held back of it has no use any more.
    if (this.#continueTimer !== null) clearTimeout(this.#continueTimer);
    this.#hasHead = true;
    this.#handler.onHead(status, reason, fields);
  }

  /** @returns false: no more for now */
  onBody(chunk: Buffer, lender: Lender | null): boolean {
    return this.#handler.onData(chunk, lender);
  }

  /** What the connection had is read. */
  onReadEnd(): void {
    if (this.#hasHead) this.#handler.onReadEnd();
  }

  onComplete(trailers: string[]): void {
    if (this.#isOver) return;
    this.#finish();
    this.#handler.onEnd(trailers);
  }

  /** @param connected whether the connection had stood, so that the request may have left */
  onFailure(error: Error, connected: boolean): void {
    if (this.#isOver) return;
    const isStale = this.#isStale();
    this.#finish();
    this.#handler.onFailure({ ...failureOf(error, connected), isStale });
  }

  #isStale(): boolean {
    const connection = this.#connection;
    if (connection?.isReused !== true || connection.hasAnswered) return false;
    return performance.now() - this.#startedMs < STALE_WITHIN_MS;
  }
}
