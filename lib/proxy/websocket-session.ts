/**
 * One WebSocket, from the upgrade request to the last byte, moved by http-proxy-3. What that library does
 * by itself and a gateway must not is taken out of its hands here: the path (it would be parsed again),
 * the answer of an origin that refuses, and every wait without a limit.
 */
import { type ClientRequest, IncomingMessage, type OutgoingHttpHeaders, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createProxyServer } from 'http-proxy-3';
import { ERRORS, type ErrorDefinition } from '../core/errors.ts';
import { removeFields, replaceFields } from '../core/http/flat-headers.ts';
import type { HeaderTransformer } from '../core/http/header-transform.ts';
import { buildResponseHead, isPlainReason } from '../core/http/response-headers.ts';
import {
  GOING_AWAY_FRAME,
  MASKED_GOING_AWAY_FRAME,
  WebSocketFrameTracker,
} from '../core/http/websocket-frames.ts';
import type { ProxiedDestination } from './destination.ts';
import type { ExchangeSweeper, Sweepable } from './exchange-sweeper.ts';
import { createOriginAgent } from './origin-agent.ts';
import { writeProblem } from './problem-response.ts';
import { resetSocket } from './reset-socket.ts';
import { failureOf } from './upstream.ts';

/** How long the peers have to say goodbye after our close frame, and the client to close after a refusal. */
const GOODBYE_MS = 1_000;
/** What a client may send before the answer to its upgrade; more waits in the kernel. */
const MOST_EARLY_BYTES = 65_536;

export interface WebSocketRequest {
  readonly socket: Socket;
  /** What the client sent after its request. Goes to the origin only after its 101. */
  readonly head: Buffer;
  readonly destination: ProxiedDestination;
  readonly target: string;
  readonly host: string;
  /** Flat, without hop-by-hop fields; Upgrade and Connection are added here. */
  readonly headers: readonly string[];
  /** What the route changes in the answer, be it 101 or a refusal; null where it changes nothing. */
  readonly responseHeaders: HeaderTransformer | null;
  /** What the policies of the route take off the origin's answer, in lower case; null where that is nothing. */
  readonly withheldAnswerHeaders: ReadonlySet<string> | null;
  /** Flat: what the policies of the route put into the answer. */
  readonly clientHeaders: readonly string[];
  readonly requestId: string;
  readonly headersMs: number;
  readonly idleMs: number;
}

/** What the library does with a 101: writes it to the client and connects the two sockets. */
type UpgradeListener = (response: IncomingMessage, originSocket: Duplex, head: Buffer) => void;

/** How a session went; called once, when both sockets are done with. */
export type WebSocketEnd = (status: number, error: ErrorDefinition | null, detail: string | null) => void;

export class WebSocketSession implements Sweepable {
  sweepIndex = -1;
  readonly #request: WebSocketRequest;
  readonly #sweeper: ExchangeSweeper;
  readonly #onEnd: WebSocketEnd;
  readonly #toClient = new WebSocketFrameTracker();
  readonly #toOrigin = new WebSocketFrameTracker();
  #outgoing: ClientRequest | null = null;
  /** Whether a connection to the origin stood: from then on it may have seen the request. */
  #connected = false;
  #originSocket: Socket | null = null;
  #status = 0;
  #error: ErrorDefinition | null = null;
  #detail: string | null = null;
  /** What the client sent before its WebSocket stood. */
  #early: Buffer[] = [];
  #earlyBytes = 0;
  #stopKeeping: () => void = () => {};
  readonly #startedMs = performance.now();
  #sinceMs = this.#startedMs;
  /** Until the origin answered, or as long as it has been waited for. */
  headLatencyMs = 0;
  #bytesSeen = 0;
  #leaving = false;
  #goodbyeSaid = false;
  #over = false;

  constructor(request: WebSocketRequest, sweeper: ExchangeSweeper, onEnd: WebSocketEnd) {
    this.#request = request;
    this.#sweeper = sweeper;
    this.#onEnd = onEnd;
  }

  start(): void {
    const { socket, head, destination } = this.#request;
    this.#sweeper.add(this);
    socket.once('close', () => this.#finish());
    this.#keepEarlyBytes(head);
    const proxy = createProxyServer({
      target: destination.url.origin,
      ignorePath: true,
      prependPath: false,
      agent: createOriginAgent(destination.access, 1),
    });
    proxy.on('proxyReqWs', (outgoing) => this.#takeOver(outgoing));
    proxy.on('open', (originSocket) => this.#onOpen(originSocket as Socket));
    proxy.on('error', (error: Error) => this.#onError(error));
    proxy.ws(this.#nodeRequest(), socket, Buffer.alloc(0));
  }

  /** The request as the library takes it. */
  #nodeRequest(): IncomingMessage {
    const incoming = new IncomingMessage(this.#request.socket);
    incoming.method = 'GET';
    incoming.url = this.#request.target;
    incoming.httpVersion = '1.1';
    incoming.httpVersionMajor = 1;
    incoming.httpVersionMinor = 1;
    incoming.headers = headerObject(this.#request.headers);
    incoming.headers.host = this.#request.host;
    return incoming;
  }

  /**
   * Reads on while the origin thinks, as only a socket that is read tells when the client goes away; what comes
   * is kept until the 101.
   */
  #keepEarlyBytes(head: Buffer): void {
    const { socket } = this.#request;
    const keep = (chunk: Buffer): void => {
      this.#early.push(chunk);
      this.#earlyBytes += chunk.length;
      if (this.#earlyBytes > MOST_EARLY_BYTES) socket.pause();
    };
    const leave = (): void => {
      socket.destroy();
    };
    this.#stopKeeping = () => {
      socket.off('data', keep);
      socket.off('end', leave);
    };
    socket.on('data', keep);
    socket.on('end', leave);
    if (head.length > 0) keep(head);
  }

  #takeOver(outgoing: ClientRequest): void {
    this.#outgoing = outgoing;
    // Set on the request itself: the library would pass it through a URL parser, and what is matched must be
    // what is forwarded.
    outgoing.path = this.#request.target;
    outgoing.once('socket', (originSocket) => this.#awaitConnection(originSocket));
    // The library listens after this event; its relay of a refusal neither notices a broken-off body nor
    // filters the head, and it takes any 101, so ours take their places.
    queueMicrotask(() => {
      outgoing.removeAllListeners('response');
      outgoing.on('response', (response) => this.#relayRefusal(response));
      const [connectSockets] = outgoing.listeners('upgrade') as UpgradeListener[];
      outgoing.removeAllListeners('upgrade');
      outgoing.on('upgrade', (response, originSocket, head) => {
        if (this.#takesSwitch(response, originSocket)) connectSockets?.(response, originSocket, head);
      });
    });
  }

  /** Until the connection stands, TLS included: the library's own limit ends before the handshake. */
  #awaitConnection(originSocket: Socket): void {
    const { access, settings } = this.#request.destination;
    const limit = setTimeout(() => originSocket.destroy(connectTimeout()), settings.connectMs);
    originSocket.once('close', () => clearTimeout(limit));
    originSocket.once(access.secure ? 'secureConnect' : 'connect', () => {
      clearTimeout(limit);
      this.#connected = true;
    });
  }

  /** Prepares what the library writes to the client; false where the origin switched to what nobody asked for. */
  #takesSwitch(response: IncomingMessage, originSocket: Duplex): boolean {
    if (response.headers.upgrade?.toLowerCase() === 'websocket') {
      // The library writes the 101 to the client from this object.
      response.headers = headerObject(this.#answerHeaders(response, 101));
      this.#releaseEarlyBytes();
      return true;
    }
    originSocket.destroy();
    this.#discardEarlyBytes();
    this.#onError(unasked('101 to another protocol'));
    return false;
  }

  #releaseEarlyBytes(): void {
    const { socket } = this.#request;
    this.#stopKeeping();
    socket.pause();
    if (this.#earlyBytes > 0 && !socket.destroyed) socket.unshift(Buffer.concat(this.#early));
    this.#early = [];
  }

  /** The client gets an answer and no WebSocket: what it sends is of no interest, but unread bytes would reset it. */
  #discardEarlyBytes(): void {
    const { socket } = this.#request;
    this.#stopKeeping();
    this.#early = [];
    socket.resume();
    socket.once('finish', () => setTimeout(() => socket.destroy(), GOODBYE_MS).unref());
  }

  #answerHeaders(response: IncomingMessage, status: number): string[] {
    const { headers } = buildResponseHead(response.rawHeaders, status, this.#request.requestId);
    const { withheldAnswerHeaders } = this.#request;
    if (withheldAnswerHeaders !== null) removeFields(headers, withheldAnswerHeaders);
    this.#request.responseHeaders?.apply(headers);
    replaceFields(headers, this.#request.clientHeaders);
    return headers;
  }

  /** The origin answered something else than 101: the client gets that answer, and the connection ends with it. */
  #relayRefusal(response: IncomingMessage): void {
    const { socket } = this.#request;
    if (socket.destroyed || (response.statusCode ?? 0) < 200) {
      response.destroy();
      this.#onError(unasked(String(response.statusCode)));
      return;
    }
    this.#noteHead(response.statusCode ?? 502);
    this.#discardEarlyBytes();
    const headers = this.#answerHeaders(response, this.#status);
    const { statusMessage = '' } = response;
    const reason = isPlainReason(statusMessage) ? statusMessage : STATUS_CODES[this.#status];
    let head = `HTTP/1.1 ${this.#status} ${reason ?? ''}\r\n`;
    for (let index = 0; index < headers.length; index += 2)
      head += `${headers[index]}: ${headers[index + 1]}\r\n`;
    socket.write(`${head}connection: close\r\n\r\n`, 'latin1');
    response.on('error', () => {
      this.#error = ERRORS.upstreamBody;
      resetSocket(socket);
    });
    response.pipe(socket);
  }

  #onOpen(originSocket: Socket): void {
    const { socket } = this.#request;
    this.#noteHead(101);
    this.#originSocket = originSocket;
    originSocket.on('data', (chunk: Buffer) => this.#toClient.push(chunk));
    socket.on('data', (chunk: Buffer) => {
      this.#toOrigin.push(chunk);
      if (this.#goodbyeSaid) socket.end();
    });
    originSocket.once('close', () => {
      if (!socket.writableFinished) socket.end();
    });
    if (this.#leaving) this.leave();
  }

  #noteHead(status: number): void {
    this.#status = status;
    this.#sinceMs = performance.now();
    this.headLatencyMs = this.#sinceMs - this.#startedMs;
  }

  #onError(error: Error): void {
    // The library destroys the client's socket next, after what was written to it.
    if (this.#status !== 0 || this.#over) return;
    const failure = failureOf(error, this.#connected);
    this.#error ??= failure.error;
    this.#detail = failure.detail;
    this.#status = this.#error.status;
    writeProblem(this.#request.socket, this.#error, this.#request.requestId);
  }

  /** Tells both sides that the gateway goes away, at the next place where that does not cut a frame. */
  leave(): void {
    this.#leaving = true;
    const { socket } = this.#request;
    const originSocket = this.#originSocket;
    if (originSocket === null || this.#goodbyeSaid) return;
    if (!this.#toClient.atBoundary) {
      originSocket.once('data', () => setImmediate(() => this.leave()));
      return;
    }
    this.#goodbyeSaid = true;
    this.#sinceMs = performance.now();
    originSocket.unpipe(socket);
    socket.unpipe(originSocket);
    originSocket.resume();
    socket.resume();
    socket.write(GOING_AWAY_FRAME);
    if (this.#toOrigin.atBoundary) originSocket.end(MASKED_GOING_AWAY_FRAME);
    else originSocket.end();
  }

  destroy(): void {
    this.#request.socket.destroy();
    this.#outgoing?.destroy();
    this.#originSocket?.destroy();
  }

  checkLimits(nowMs: number): void {
    const { socket, headersMs, idleMs } = this.#request;
    const bytes = socket.bytesRead + socket.bytesWritten;
    // Before the origin has answered, what the client sends does not prolong the wait.
    if (bytes !== this.#bytesSeen && !this.#goodbyeSaid && this.#status !== 0) {
      this.#bytesSeen = bytes;
      this.#sinceMs = nowMs;
    }
    const silentMs = nowMs - this.#sinceMs;
    if (this.#goodbyeSaid) {
      if (silentMs > GOODBYE_MS) this.destroy();
    } else if (this.#status === 0) {
      if (silentMs > headersMs) this.#giveUpWaiting();
    } else if (silentMs > idleMs) {
      this.#error = ERRORS.clientTimeout;
      this.destroy();
    }
  }

  #giveUpWaiting(): void {
    this.#error = ERRORS.upstreamTimeout;
    this.#outgoing?.destroy(new Error('no answer to the upgrade'));
  }

  /** The library has half-closed it; an origin that does not answer that must not keep it. */
  #endOriginSocket(originSocket: Socket): void {
    const limit = setTimeout(() => originSocket.destroy(), GOODBYE_MS);
    limit.unref();
    originSocket.once('close', () => clearTimeout(limit));
    if (originSocket.destroyed) clearTimeout(limit);
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#sweeper.delete(this);
    // Gone before the origin answered: nobody else would end that request.
    if (this.#status === 0) this.#error ??= ERRORS.clientAborted;
    if (this.headLatencyMs === 0) this.headLatencyMs = performance.now() - this.#startedMs;
    if (this.#originSocket === null) this.#outgoing?.destroy();
    else this.#endOriginSocket(this.#originSocket);
    this.#onEnd(this.#status === 0 ? ERRORS.clientAborted.status : this.#status, this.#error, this.#detail);
  }
}

function connectTimeout(): Error {
  return Object.assign(new Error('no connection in time'), { code: 'ECONNECT_TIMEOUT' });
}

/** Counts as a failure of the origin to speak the protocol. */
function unasked(status: string): Error {
  return Object.assign(new Error(`unasked ${status}`), { code: 'HPE_UNASKED_STATUS' });
}

/** The header object of an upgrade, as the library takes it. Repeated names become lists, a line each. */
export function headerObject(flat: readonly string[]): IncomingMessage['headers'] {
  const headers: OutgoingHttpHeaders = Object.create(null);
  for (let index = 0; index < flat.length; index += 2) {
    const name = flat[index]!.toLowerCase();
    const value = flat[index + 1]!;
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat().map(String);
  }
  headers.connection = 'Upgrade';
  headers.upgrade = 'websocket';
  return headers as IncomingMessage['headers'];
}
