import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import type { CertificateIndex } from './certificate-index.ts';
import { Handshake, type HandshakeFailure, type HandshakeOwner } from './handshake.ts';
import type { ListenerCertificate } from './listener-certificate.ts';
import type { SecureSocket } from './secure-socket.ts';

/** More handshakes than this at once are a flood: the oldest gives way, as honest ones are soon done. */
const MOST_HANDSHAKES = 4_096;

/** How handshakes ended. */
export type HandshakeResult = 'full' | 'resumed' | HandshakeFailure;

/** What a TLS listener needs of its worker, and gives it. */
export interface TlsListenerOptions {
  /** Those of the table that is served now. */
  certificates(): CertificateIndex;
  readonly logger: Logger;
  /** Handshakes at once; 4,096 unless given. */
  readonly mostHandshakes?: number;
  /** A connection whose handshake is done. */
  onSecure(socket: SecureSocket): void;
  /** The client speaks plain HTTP; what it said is read, and the socket is paused. */
  onPlainHttp(socket: Socket): void;
}

/** Makes TLS connections of the sockets that it is given. */
export class TlsListener implements HandshakeOwner {
  readonly #options: TlsListenerOptions;
  /** In the order of their beginning. */
  readonly #handshakes = new Set<Handshake>();
  #results = new Map<HandshakeResult, number>();

  constructor(options: TlsListenerOptions) {
    this.#options = options;
  }

  /** Handshakes under way. */
  get size(): number {
    return this.#handshakes.size;
  }

  accept(socket: Socket): void {
    if (this.#handshakes.size >= (this.#options.mostHandshakes ?? MOST_HANDSHAKES)) {
      const [oldest] = this.#handshakes;
      oldest?.abandon('crowded');
    }
    this.#handshakes.add(new Handshake(socket, this));
  }

  /** Ends the handshakes that have taken this long. */
  closeSlow(limitMs: number): void {
    const latestMs = performance.now() - limitMs;
    for (const handshake of this.#handshakes)
      if (handshake.startedAtMs <= latestMs) handshake.abandon('timeout');
  }

  /** How many handshakes ended in which way since this was asked last. */
  takeResults(): (readonly [HandshakeResult, number])[] {
    const results = [...this.#results];
    this.#results = new Map();
    return results;
  }

  find(serverName: string): ListenerCertificate | null {
    return this.#options.certificates().find(serverName);
  }

  onProblem({ id }: ListenerCertificate, problem: string): void {
    this.#options.logger.error({ certificate: id, problem }, 'certificate cannot be used as it is now');
  }

  onSecure(handshake: Handshake, socket: SecureSocket): void {
    this.#handshakes.delete(handshake);
    this.#count(socket.isSessionReused() ? 'resumed' : 'full');
    this.#options.onSecure(socket);
  }

  onFailed(handshake: Handshake, failure: HandshakeFailure, detail: string): void {
    this.#handshakes.delete(handshake);
    this.#count(failure);
    this.#options.logger.debug(
      { failure, detail, peer: handshake.raw.remoteAddress },
      'TLS handshake failed',
    );
    if (failure === 'plainHttp') this.#options.onPlainHttp(handshake.raw);
  }

  #count(result: HandshakeResult): void {
    this.#results.set(result, (this.#results.get(result) ?? 0) + 1);
  }
}
