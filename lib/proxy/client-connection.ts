import type { Socket } from 'node:net';
import type { ListenerLimits } from '../ipc/protocol.ts';
import type { ClientCertificateFacts } from './tls/client-certificate-facts.ts';
import type { ListenerCertificate } from './tls/listener-certificate.ts';
import { SecureSocket } from './tls/secure-socket.ts';
import { plainAddress, type TrustedProxies } from './trusted-proxies.ts';

/** What a connection runs: one exchange at a time. */
export interface ConnectionTask {
  start(): void;
  /** The bytes behind what was read so far are not HTTP. */
  onRequestBroken(): void;
  /** The socket is gone. */
  onClosed(): void;
}

/** A client that pipelines more than this gets its connection closed. */
const LONGEST_QUEUE = 256;

/**
 * One connection from a client. Its facts are worked out once, and its requests run one after the other:
 * HTTP/1.1 answers in order anyway, and a pipelining client cannot take more than one request's worth of work.
 */
export class ClientConnection {
  readonly socket: Socket;
  readonly peerAddress: string;
  readonly peerTrusted: boolean;
  /** Whether it came over TLS. */
  readonly secure: boolean;
  #current: ConnectionTask | null = null;
  #idleSinceMs = performance.now();
  #bytesReadWhenIdle = 0;
  /** When it was first seen that something has come behind the last request; -1 before. */
  #readSinceMs = -1;
  #queue: ConnectionTask[] | null = null;
  #requestCount = 0;
  /** What the client sends is not read any more: the last answer ends the connection. */
  #closing = false;

  constructor(socket: Socket, trustedProxies: TrustedProxies) {
    this.socket = socket;
    this.peerAddress = plainAddress(socket.remoteAddress);
    this.peerTrusted = trustedProxies.trusts(this.peerAddress);
    this.secure = socket instanceof SecureSocket;
    socket.once('close', () => this.#onClose());
  }

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

  get busy(): boolean {
    return this.#current !== null;
  }

  /** Whether the current request is the last that the limits allow it. */
  isUsedUp({ maxRequestsPerConnection }: ListenerLimits): boolean {
    return maxRequestsPerConnection > 0 && this.#requestCount >= maxRequestsPerConnection;
  }

  /**
   * For how long nothing has been under way, in ms; to be asked now and then. What comes may be the beginning of a
   * request, but no longer than a head may take: a blank line is none, and would be for ever.
   */
  idleMs(nowMs: number, headLimitMs: number): number {
    if (this.busy) return 0;
    if (this.#readSinceMs < 0 && this.socket.bytesRead !== this.#bytesReadWhenIdle) this.#readSinceMs = nowMs;
    if (this.#readSinceMs >= 0 && nowMs - this.#readSinceMs < headLimitMs) return 0;
    return nowMs - this.#idleSinceMs;
  }

  /** Whether it has had a request, and then none for so long. See `idleMs`. */
  isUnused(nowMs: number, headLimitMs: number, limitMs: number): boolean {
    return this.#requestCount > 0 && this.idleMs(nowMs, headLimitMs) >= limitMs;
  }

  run(task: ConnectionTask): void {
    // The last answer said `Connection: close`: what came behind its request must not be served (RFC 9112 §9.6).
    if (this.socket.writableEnded) return;
    if (this.#current === null) {
      this.#current = task;
      this.#requestCount += 1;
      task.start();
      return;
    }
    this.#queue ??= [];
    this.#queue.push(task);
    if (this.#queue.length > LONGEST_QUEUE) this.socket.destroy();
  }

  /** The current task is over; the next one, if any, starts. */
  finish(task: ConnectionTask): void {
    if (task !== this.#current) return;
    this.#current = null;
    this.#idleSinceMs = performance.now();
    this.#bytesReadWhenIdle = this.socket.bytesRead;
    this.#readSinceMs = -1;
    const next = this.#queue?.shift();
    // The head of that answer may have been out before, and have promised to keep the connection.
    if (next === undefined && this.#closing) this.socket.destroySoon();
    if (next !== undefined && !this.socket.destroyed) this.run(next);
  }

  /** Nothing behind the requests so far is read: they are still answered, and then the connection ends. */
  closeWhenServed(): void {
    this.#closing = true;
  }

  /** What the client sends is not HTTP any more: the answer under way is the last. */
  breakRequest(): void {
    this.#queue = null;
    this.#closing = true;
    this.#current?.onRequestBroken();
  }

  /** Closes the connection so that the client cannot take what it got for a whole message. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  #onClose(): void {
    this.#queue = null;
    this.#current?.onClosed();
  }
}
