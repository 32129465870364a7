import type { Socket } from 'node:net';
import { ClientHelloError, readServerName } from './client-hello.ts';
import type { ListenerCertificate } from './listener-certificate.ts';
import { SecureSocket } from './secure-socket.ts';

/** As long as a slow head may take, at most: nobody needs ten seconds for a handshake. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Descriptions of TLS alerts (RFC 8446 §6, RFC 6066 §3). */
const ALERTS = { decodeError: 50, internalError: 80, unrecognizedName: 112 } as const;

/** Why a handshake came to nothing. */
export type HandshakeFailure =
  | 'timeout'
  | 'closed'
  | 'crowded'
  | 'plainHttp'
  | 'malformed'
  | 'unknownName'
  | 'noCertificate'
  | 'clientCertificate'
  | 'protocol';

/** What a handshake needs of its listener, and tells it. */
export interface HandshakeOwner {
  find(serverName: string): ListenerCertificate | null;
  /** A certificate's files cannot be used. */
  onProblem(certificate: ListenerCertificate, problem: string): void;
  onSecure(handshake: Handshake, socket: SecureSocket): void;
  /** It is over, and the connection too unless it was plain HTTP. */
  onFailed(handshake: Handshake, failure: HandshakeFailure, detail: string): void;
}

/**
 * One TLS handshake, from the first byte of a connection on. The ClientHello is read before OpenSSL gets it:
 * which certificate is shown, and whether one is asked for, must be known when the TLS socket is made, and
 * OpenSSL would resume a session before it asks which host it is for.
 */
export class Handshake {
  readonly raw: Socket;
  readonly startedAtMs = performance.now();
  readonly #owner: HandshakeOwner;
  readonly #timer: NodeJS.Timeout;
  #received: Buffer | null = null;
  #socket: SecureSocket | null = null;
  #isOver = false;

  constructor(raw: Socket, owner: HandshakeOwner) {
    this.raw = raw;
    this.#owner = owner;
    this.#timer = setTimeout(() => this.abandon('timeout'), HANDSHAKE_TIMEOUT_MS);
    raw.on('error', ignore);
    raw.once('close', this.#onClose);
    raw.on('data', this.#onData).resume();
  }

  /** Gives up: the client is too slow, or others need the room. */
  abandon(failure: HandshakeFailure): void {
    this.#fail(failure, '');
    this.#destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#received = this.#received === null ? chunk : Buffer.concat([this.#received, chunk]);
    if (isUpperCaseLetter(this.#received[0])) {
      this.#stopReading();
      this.#fail('plainHttp', '');
      return;
    }
    const serverName = this.#readServerName(this.#received);
    if (serverName !== null) this.#choose(serverName);
  };

  #readServerName(received: Buffer): string | null {
    try {
      return readServerName(received);
    } catch (error) {
      if (!(error instanceof ClientHelloError)) throw error;
      this.#refuse('malformed', ALERTS.decodeError, error.message);
      return null;
    }
  }

  #choose(serverName: string): void {
    this.#stopReading();
    const certificate = this.#owner.find(serverName);
    if (certificate === null) this.#refuse('unknownName', ALERTS.unrecognizedName, serverName);
    else if (certificate.isSettling)
      void certificate.settled().then(() => this.#begin(serverName, certificate));
    else this.#begin(serverName, certificate);
  }

  #begin(serverName: string, certificate: ListenerCertificate): void {
    if (this.#isOver) return;
    const compiled = certificate.compile();
    const problem = certificate.takeProblem();
    if (problem !== null) this.#owner.onProblem(certificate, problem);
    if (compiled === null) {
      this.#refuse('noCertificate', ALERTS.internalError, certificate.id);
      return;
    }
    if (this.#received !== null) this.raw.unshift(this.#received);
    this.#received = null;
    const socket = new SecureSocket(this.raw, serverName, certificate, compiled);
    this.#socket = socket;
    socket.on('error', this.#onError);
    socket.once('close', this.#onClose);
    socket.once('secure', () => this.#onSecure(socket));
  }

  #onSecure(socket: SecureSocket): void {
    if (this.#isOver) return;
    const problem = socket.verifyClient();
    if (problem !== null) {
      this.#fail('clientCertificate', problem);
      socket.destroy();
      return;
    }
    this.#end();
    this.#owner.onSecure(this, socket);
  }

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    const { code = '', message } = error;
    if (code === 'ECONNRESET' || code === 'EPIPE') this.#fail('closed', message);
    else if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') this.#fail('clientCertificate', message);
    else this.#fail('protocol', message);
    this.#destroy();
  };

  readonly #onClose = (): void => this.#fail('closed', '');

  /** Says why, in the words of TLS, and closes. */
  #refuse(failure: HandshakeFailure, alert: number, detail: string): void {
    this.#fail(failure, detail);
    // A fatal alert in a record of its own (RFC 8446 §5.1, §6).
    this.raw.end(Buffer.from([21, 3, 3, 0, 2, 2, alert]));
    this.raw.destroySoon();
  }

  #stopReading(): void {
    this.raw.off('data', this.#onData);
    this.raw.pause();
  }

  #fail(failure: HandshakeFailure, detail: string): void {
    if (this.#isOver) return;
    this.#end();
    this.#owner.onFailed(this, failure, detail);
  }

  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.raw.off('close', this.#onClose);
    this.raw.off('data', this.#onData);
    this.#socket?.off('close', this.#onClose);
    this.#socket?.off('error', this.#onError);
  }

  #destroy(): void {
    this.#socket?.destroy();
    this.raw.destroy();
  }
}

/** No TLS record begins with one, every request of HTTP does. */
function isUpperCaseLetter(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x41 && byte <= 0x5a;
}

function ignore(): void {}
