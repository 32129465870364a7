import type { Socket } from 'node:net';
import { ERRORS, type ErrorDefinition } from '../core/errors.ts';
import type { ListenerLimits } from '../ipc/protocol.ts';
import { ClientRequest, type RequestConnection } from './client-request.ts';
import { GrowingBuffer } from './http1/growing-buffer.ts';
import { MessageError } from './http1/message-error.ts';
import { type Lender, ReadMemory } from './http1/read-memory.ts';
import { type ReadHead, RequestParser, type RequestSink } from './http1/request-parser.ts';
import { becomeStream, lendTo, type SocketReader } from './lent-socket.ts';
import { endAndLinger } from './problem-response.ts';
import { resetSocket } from './reset-socket.ts';
import type { ClientCertificateFacts } from './tls/client-certificate-facts.ts';
import type { ListenerCertificate } from './tls/listener-certificate.ts';
import { SecureSocket } from './tls/secure-socket.ts';
import { plainAddress, type TrustedProxies } from './trusted-proxies.ts';
import { unreadableError } from './unreadable.ts';

/** What a connection runs: one exchange at a time. */
export interface ConnectionTask {
  /** The bytes behind what was read so far of the request are not HTTP. */
  onRequestBroken(): void;
  /** The client has read what waited for it. */
  onClientDrained(): void;
  /** The socket is gone. */
  onClosed(): void;
}

/** Who serves what comes over a connection. */
export interface RequestTaker {
  /** Begins to serve a request, whose body may still come. */
  onRequest(connection: ClientConnection, request: ClientRequest): void;
  /** Whether the connection is no HTTP any more behind this request. */
  takesOver(request: ClientRequest): boolean;
  /** It is not. @param surplus what was read behind the request */
  onUpgrade(connection: ClientConnection, request: ClientRequest, surplus: Buffer): void;
  /** What came is no request; nothing more is read as one. */
  onUnreadable(connection: ClientConnection, error: ErrorDefinition): void;
}

/** What may be read ahead of requests that wait for their turn: a client that pipelines more has to wait. */
const MOST_SURPLUS_BYTES = 65_536;

/** How long the end of a connection may take. */
const LONGEST_FAREWELL_MS = 10_000;

/** Requests are read. */
const SERVING = 0;
/** The request that is under way is the last thing that was read as HTTP. */
const UPGRADED = 1;
/** What comes is thrown away: no answer follows the one under way. */
const DEAF = 2;
type Mode = 0 | 1 | 2;

/**
 * One connection from a client. Its facts are worked out once, and its requests are read one after the other: what
 * comes behind a request waits, unread, until that is answered. HTTP/1.1 answers in order anyway, and a pipelining client
 * cannot take more than one request's worth of work.
 */
export class ClientConnection implements RequestSink, RequestConnection, SocketReader {
  readonly socket: Socket;
  readonly peerAddress: string;
  readonly peerTrusted: boolean;
  /** Whether it came over TLS. */
  readonly secure: boolean;
  readonly #taker: RequestTaker;
  readonly #parser: RequestParser;
  #mode: Mode = SERVING;
  #current: ConnectionTask | null = null;
  #request: ClientRequest | null = null;
  /** Whether the parser is at work: whoever is called meanwhile must not set it to work again. */
  #isParsing = false;
  /** What is read ahead of requests. */
  readonly #surplus = new GrowingBuffer();
  /** Whether the socket is not read for now. */
  #isPaused = false;
  readonly #memory = new ReadMemory();
  /** Whose memory the bytes are in that are being read; null where they are nobody else's. */
  #lender: Lender | null = null;
  #requestCount = 0;
  #idleSinceMs = performance.now();
  /** When it was first seen that something has come behind the last request; -1 before. */
  #readSinceMs = -1;

  /** @param received just accepted, nothing of it read */
  constructor(received: Socket, trustedProxies: TrustedProxies, limits: ListenerLimits, taker: RequestTaker) {
    this.#taker = taker;
    this.#parser = new RequestParser(this, limits.maxHeaderBytes);
    this.peerAddress = plainAddress(received.remoteAddress);
    this.peerTrusted = trustedProxies.trusts(this.peerAddress);
    this.secure = received instanceof SecureSocket;
    this.socket = this.secure ? received : lendTo(this, received);
    if (this.secure) received.on('data', (bytes: Buffer) => this.#readOwned(bytes));
    this.socket.on('drain', () => this.#current?.onClientDrained());
    this.socket.on('end', () => this.#onEnd());
    this.socket.on('error', ignore);
    this.socket.once('close', () => this.#onClose());
  }

  // ---- facts ----

  /** The name that the client asked for when the connection was made, in lower case; '' without one or without TLS. */
  get serverName(): string {
    return this.socket instanceof SecureSocket ? this.socket.serverName : '';
  }

  /** What the client's certificate says; null without a valid one. */
  get clientCertificate(): ClientCertificateFacts | null {
    return this.socket instanceof SecureSocket ? this.socket.clientCertificate : null;
  }

  /** Whether the client has shown a certificate that is valid for this entry. */
  isVerifiedFor(certificate: ListenerCertificate): boolean {
    return this.socket instanceof SecureSocket && this.socket.isVerifiedFor(certificate);
  }

  /** Whether the current request is the last that the limits allow it. */
  isUsedUp({ maxRequestsPerConnection }: ListenerLimits): boolean {
    return maxRequestsPerConnection > 0 && this.#requestCount >= maxRequestsPerConnection;
  }

  // ---- time ----

  /**
   * For how long nothing has been under way, in ms; to be asked now and then. What comes may be the beginning of a
   * request, but no longer than a head may take: a blank line is none, and would be for ever.
   */
  idleMs(nowMs: number, headLimitMs: number): number {
    if (this.#isBusy) return 0;
    const readForMs = this.#readForMs(nowMs);
    return readForMs >= 0 && readForMs < headLimitMs ? 0 : nowMs - this.#idleSinceMs;
  }

  /** Whether it has had a request, and then none for so long. See `idleMs`. */
  isUnused(nowMs: number, headLimitMs: number, limitMs: number): boolean {
    return this.#requestCount > 0 && this.idleMs(nowMs, headLimitMs) >= limitMs;
  }

  /**
   * Whether a head has taken so long: the first one since the connection stands, others since it was seen that they had
   * begun. To be asked now and then.
   */
  isHeadTooSlow(nowMs: number, limitMs: number): boolean {
    if (this.#isBusy) return false;
    if (this.#requestCount === 0) return nowMs - this.#idleSinceMs >= limitMs;
    return this.#readForMs(nowMs) >= limitMs && this.#parser.isInHead;
  }

  /** Whether it should have ended by now: all is said, and its end is not taken. */
  isOverdue(nowMs: number): boolean {
    return this.#mode === DEAF && this.#current === null && nowMs - this.#idleSinceMs >= LONGEST_FAREWELL_MS;
  }

  get #isBusy(): boolean {
    return this.#mode !== SERVING || this.#current !== null;
  }

  /** For how long something has been there behind the last request, as far as that was seen; -1 where nothing is. */
  #readForMs(nowMs: number): number {
    if (!this.#parser.hasRead) return -1;
    if (this.#readSinceMs < 0) this.#readSinceMs = nowMs;
    return nowMs - this.#readSinceMs;
  }

  /** Reads no more: the head of the request that was waited for took too long. */
  giveUpHead(): void {
    this.#mode = DEAF;
    this.#idleSinceMs = performance.now();
    this.#taker.onUnreadable(this, ERRORS.requestTimeout);
  }

  // ---- reading ----

  nextBuffer(): Buffer {
    return this.#memory.next(this.#parser.expectsMuch);
  }

  read(byteCount: number, buffer: Uint8Array): boolean {
    this.#lender = this.#memory.lenderOf(byteCount);
    const takesMore = this.#take(Buffer.from(buffer.buffer, buffer.byteOffset, byteCount));
    this.#lender = null;
    this.#isPaused = !takesMore;
    return takesMore;
  }

  /** TLS gives bytes that are nobody else's. */
  #readOwned(bytes: Buffer): void {
    if (this.#mode === UPGRADED || this.#take(bytes)) return;
    this.#isPaused = true;
    this.socket.pause();
  }

  /** @returns false: no more for now */
  #take(bytes: Buffer): boolean {
    // From here on it is a stream like any other.
    if (this.#mode === UPGRADED) return this.socket.push(Buffer.from(bytes));
    if (this.#mode === DEAF) return true;
    if (this.#surplus.length === 0) this.#parse(bytes);
    else this.#surplus.append(bytes);
    return this.#takesMore;
  }

  get #takesMore(): boolean {
    return this.#surplus.length < MOST_SURPLUS_BYTES && this.#request?.isHeldUp !== true;
  }

  readOn(): void {
    if (!this.#isPaused || this.#isParsing || !this.#takesMore) return;
    this.#isPaused = false;
    this.socket.resume();
  }

  #parse(bytes: Buffer): void {
    let at = 0;
    this.#isParsing = true;
    try {
      while (at < bytes.length && this.#mayParse) at = this.#parser.read(bytes, at);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.#giveUpReading(error);
    } finally {
      this.#isParsing = false;
    }
    if (this.#mode === UPGRADED) this.#upgrade(Buffer.from(bytes.subarray(at)));
    else if (this.#mode === SERVING && at < bytes.length) this.#surplus.append(bytes.subarray(at));
  }

  /** One request at a time: the next begins when the one before is answered. */
  get #mayParse(): boolean {
    return this.#mode === SERVING && (this.#current === null || this.#parser.isInBody);
  }

  #giveUpReading(error: MessageError): void {
    this.#mode = DEAF;
    this.#idleSinceMs = performance.now();
    if (this.#current !== null) this.#current.onRequestBroken();
    else this.#taker.onUnreadable(this, unreadableError(error));
  }

  /** The client sends no more: without a request that is under way there is nothing left to do. */
  #onEnd(): void {
    if (this.#mode !== SERVING || this.#current !== null) return;
    this.#mode = DEAF;
    this.#idleSinceMs = performance.now();
    this.socket.destroySoon();
  }

  // ---- what the parser finds ----

  onHead(head: ReadHead): void {
    const request = new ClientRequest(head, this);
    this.#readSinceMs = -1;
    this.#request = request;
    if (this.#taker.takesOver(request)) {
      this.#mode = UPGRADED;
      return;
    }
    this.#requestCount += 1;
    this.#taker.onRequest(this, request);
  }

  onBody(bytes: Buffer): void {
    this.#request?.push(bytes, this.#lender);
  }

  onComplete(trailers: string[]): void {
    this.#request?.finish(trailers);
  }

  #upgrade(surplus: Buffer): void {
    const request = this.#request!;
    this.#request = null;
    if (this.secure) this.socket.removeAllListeners('data');
    becomeStream(this.socket);
    this.#taker.onUpgrade(this, request, surplus);
  }

  // ---- one exchange after another ----

  /** The exchange of the request that has just come. */
  run(task: ConnectionTask): void {
    this.#current = task;
  }

  /** It is over. @param closes whether the connection ends with it */
  finish(task: ConnectionTask, closes: boolean): void {
    if (task !== this.#current) return;
    const isWhole = this.#request?.complete === true;
    this.#current = null;
    this.#request = null;
    this.#idleSinceMs = performance.now();
    if (closes || !isWhole || this.#mode !== SERVING) this.#end(isWhole);
    else if (!this.#isParsing) this.#goOn();
  }

  #goOn(): void {
    if (this.#surplus.length > 0) this.#parseSurplus();
    if (this.#mode === SERVING) this.readOn();
  }

  #parseSurplus(): void {
    const surplus = this.#surplus.bytes;
    this.#surplus.clear();
    this.#parse(surplus);
  }

  /** What comes behind the last answer must not be served (RFC 9112 §9.6). */
  #end(isWhole: boolean): void {
    this.#mode = DEAF;
    this.#surplus.clear();
    if (isWhole) this.socket.destroySoon();
    else endAndLinger(this.socket);
  }

  /** Closes the connection so that the client cannot take what it got for a whole message. */
  reset(): void {
    resetSocket(this.socket);
  }

  #onClose(): void {
    this.#mode = DEAF;
    this.#surplus.clear();
    this.#current?.onClosed();
  }
}

function ignore(): void {}
