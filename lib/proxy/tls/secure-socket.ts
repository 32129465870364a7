import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Authorities } from './authorities.ts';
import { type ClientCertificateFacts, readClientCertificate } from './client-certificate-facts.ts';
import type { CompiledCertificate, ListenerCertificate } from './listener-certificate.ts';

/** What Node's own TLS server asks its handle; there is no public way to it for a socket that is made by hand. */
interface VerifyingHandle {
  verifyError?(): Error | null | undefined;
}

/** A client's connection over TLS, with the certificate that was chosen for it. */
export class SecureSocket extends TLSSocket {
  /** The name that the client asked for, in lower case; '' where it named none. */
  readonly serverName: string;
  readonly #certificate: ListenerCertificate;
  readonly #raw: Socket;
  #authorities: Authorities | null;
  #peerCertificate: X509Certificate | null = null;
  #facts: ClientCertificateFacts | null = null;

  constructor(
    raw: Socket,
    serverName: string,
    certificate: ListenerCertificate,
    compiled: CompiledCertificate,
  ) {
    super(raw, {
      isServer: true,
      secureContext: compiled.context,
      requestCert: certificate.clientCertificate !== null,
      rejectUnauthorized: certificate.clientCertificate?.mode === 'required',
      // Nothing else is spoken: a client that offers protocols, and not this one, is told so (RFC 7301 §3.2).
      ALPNProtocols: ['http/1.1'],
    });
    this.serverName = serverName;
    this.#certificate = certificate;
    this.#authorities = compiled.authorities;
    this.#raw = raw;
    // Whoever uses the socket hears of its end by `close`.
    this.on('error', ignore);
  }

  /** What the client's certificate says; null without a valid one. */
  get clientCertificate(): ClientCertificateFacts | null {
    if (this.#facts === null && this.#peerCertificate !== null)
      this.#facts = readClientCertificate(this.#peerCertificate);
    return this.#facts;
  }

  /**
   * Takes note of whether the client is who its certificate says. To be called when the handshake is done.
   * @returns why the connection cannot be used; null where it can
   */
  verifyClient(): string | null {
    const { clientCertificate } = this.#certificate;
    if (clientCertificate === null) return null;
    // OpenSSL says of a resumed session that its client is verified, though it has shown nothing.
    if (this.isSessionReused()) return 'the session was resumed';
    const problem = this.#verificationProblem();
    if (problem === null) this.#peerCertificate = this.getPeerX509Certificate() ?? null;
    if (clientCertificate.mode === 'optional' || this.#peerCertificate !== null) return null;
    return problem ?? 'there is no certificate';
  }

  #verificationProblem(): string | null {
    const handle = (this as unknown as { readonly _handle?: VerifyingHandle })._handle;
    if (handle?.verifyError === undefined) return 'it cannot be verified';
    return handle.verifyError()?.message ?? null;
  }

  /** Whether the client has shown a certificate that is valid for this entry, as it is now. */
  isVerifiedFor(certificate: ListenerCertificate): boolean {
    if (this.#peerCertificate === null || this.#authorities === null) return false;
    return certificate.id === this.#certificate.id && certificate.stillTrusts(this.#authorities);
  }

  /** TLS has no such thing: the connection beneath is reset, before any farewell can be said. */
  override resetAndDestroy(): this {
    this.#raw.resetAndDestroy();
    return this.destroy();
  }
}

function ignore(): void {}
