/** One connection to an origin: it carries one exchange after another. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Connecting, OriginConnector } from './connector.ts';
import type { ExchangeConnection, Http1Exchange } from './http1-exchange.ts';
import { MessageError } from './message-error.ts';
import { type Lender, ReadMemory } from './read-memory.ts';
import { ResponseParser, type ResponseSink } from './response-parser.ts';

/** An origin that says how long it keeps a connection is not asked in the last second of it. */
const KEEP_ALIVE_MARGIN_MS = 1_000;

/** Whose connection it is. */
export interface ConnectionOwner {
  /** It is free for another exchange until `connection.reusableUntilMs`. */
  onFree(connection: OriginConnection): void;
  onClosed(connection: OriginConnection): void;
}

export class OriginConnection implements Connecting, ExchangeConnection, ResponseSink {
  readonly #owner: ConnectionOwner;
  readonly #idleMs: number;
  readonly #parser = new ResponseParser(this);
  #socket: Socket | null = null;
  #exchange: Http1Exchange | null = null;
  #isConnected = false;
  #isClosed = false;
  #paused = false;
  readonly #memory = new ReadMemory();
  /** Whose memory the bytes are in that are being read; null where they are nobody else's. */
  #lender: Lender | null = null;
  /** In ms, monotonic: since its last answer. */
  freeSinceMs = 0;
  /** Whether it has been free for so long that it would be closed by now, had it ended with that answer. */
  isRested = false;
  /** In ms, monotonic. */
  reusableUntilMs = 0;
  /** Whether it has carried an exchange before the one under way: then the origin may just have closed it. */
  isReused = false;

  constructor(owner: ConnectionOwner, idleMs: number) {
    this.#owner = owner;
    this.#idleMs = idleMs;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether the response under way has begun. */
  get hasAnswered(): boolean {
    return this.#parser.hasBegun;
  }

  /** Connects for this exchange, which then starts, or fails. */
  open(connector: OriginConnector, exchange: Http1Exchange): void {
    this.#exchange = exchange;
    exchange.connection = this;
    connector.connect(this);
  }

  // ---- what connecting reports ----

  onSocket(socket: Socket): void {
    this.#socket = socket;
  }

  onConnected(): void {
    if (this.#isClosed) return;
    const socket = this.#socket!;
    this.#isConnected = true;
    socket.on('drain', () => this.#exchange?.onDrain());
    socket.on('end', () => this.#onEnd());
    this.#start(this.#exchange!);
  }

  /** Before and after the connection stands. */
  onError(error: Error): void {
    this.#fail(error);
  }

  onClose(): void {
    this.#fail(new Error('the connection was closed'));
  }

  // ---- one exchange after another ----

  /** Begins another exchange. Only for a connection that is free. */
  send(exchange: Http1Exchange): void {
    this.#exchange = exchange;
    exchange.connection = this;
    this.isReused = true;
    this.#start(exchange);
  }

  #start(exchange: Http1Exchange): void {
    this.#parser.begin(exchange.method);
    exchange.start(this.#socket!);
  }

  /** Closes it, unless it is closed. The exchange under way, if any, hears nothing of that. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#exchange = null;
    this.#parser.abandon();
    this.#socket?.destroy();
    this.#owner.onClosed(this);
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket?.resume();
  }

  #fail(error: Error): void {
    if (this.#isClosed) return;
    const exchange = this.#exchange;
    this.close();
    exchange?.onFailure(error, this.#isConnected);
  }

  // ---- reading ----

  /** Where the next bytes go. */
  nextBuffer(): Buffer {
    return this.#memory.next(this.#parser.expectsMuch);
  }

  /** @returns false: no more for now */
  read(byteCount: number, buffer: Uint8Array): boolean {
    this.#lender = this.#memory.lenderOf(byteCount);
    this.#parse(Buffer.from(buffer.buffer, buffer.byteOffset, byteCount));
    this.#lender = null;
    return !this.#paused;
  }

  /** Bytes that are nobody else's. */
  readOwned(bytes: Buffer): void {
    this.#parse(bytes);
    if (this.#paused) this.#socket?.pause();
  }

  #parse(bytes: Buffer): void {
    if (this.#isClosed) return;
    try {
      this.#parser.read(bytes);
      // Not that which was read for, where its response is complete.
      this.#exchange?.onReadEnd();
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.#exchange?.onReadEnd();
      this.#failLater(error);
    }
  }

  /** What of the response was read before its fault goes out first: the client's connection is reset behind it. */
  #failLater(error: MessageError): void {
    const exchange = this.#exchange;
    this.close();
    if (exchange !== null) setImmediate(() => exchange.onFailure(error, true));
  }

  #onEnd(): void {
    if (this.#parser.endsWithConnection && this.#canConfirmEnd) this.#confirmEnd();
    else this.#takeEnd();
  }

  /**
   * Before version 26, Node takes a reset right behind the data for an end. A write of nothing fails after a reset, and
   * says nothing to the origin otherwise.
   */
  #confirmEnd(): void {
    this.#socket!.write('', (error) => {
      if (!error) this.#takeEnd();
    });
  }

  #takeEnd(): void {
    if (this.#isClosed || this.#parser.end()) this.close();
    else this.#fail(new Error('the origin closed the connection'));
  }

  /** Not behind a rest of the request that the origin may never read; TLS has an end of its own, which Node keeps to itself. */
  get #canConfirmEnd(): boolean {
    return !(this.#socket instanceof TLSSocket) && this.#socket?.writableLength === 0;
  }

  // ---- what the parser finds ----

  onInterim(status: number, fields: string[]): void {
    this.#exchange?.onInterim(status, fields);
  }

  onHead(status: number, reason: string, fields: string[]): void {
    this.#exchange?.onHead(status, reason, fields);
  }

  onBody(bytes: Buffer): void {
    if (this.#exchange?.onBody(bytes, this.#lender) === false) this.#paused = true;
  }

  onComplete(trailers: string[]): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    this.resume();
    if (this.#isReusable(exchange)) this.#owner.onFree(this);
    else this.close();
    exchange?.onComplete(trailers);
  }

  #isReusable(exchange: Http1Exchange | null): boolean {
    const { keepsAlive, keepAliveSeconds } = this.#parser;
    if (!keepsAlive || exchange === null || !exchange.isSent) return false;
    const offeredMs = keepAliveSeconds < 0 ? this.#idleMs : keepAliveSeconds * 1000 - KEEP_ALIVE_MARGIN_MS;
    const usableMs = Math.min(this.#idleMs, offeredMs);
    this.freeSinceMs = performance.now();
    this.isRested = false;
    this.reusableUntilMs = this.freeSinceMs + usableMs;
    return usableMs > 0;
  }
}
