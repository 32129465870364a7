/** Connects to an origin by TCP or TLS, within a time limit. */
import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import type { OriginAccess } from '../origin-access.ts';
import type { OriginTlsOptions } from '../tls/origin-tls.ts';

/** Who connects. What is told after it `isClosed` has no effect. */
export interface Connecting {
  /** Whether the connection is not wanted any more. */
  readonly isClosed: boolean;
  onSocket(socket: Socket): void;
  /** The connection stands, TLS included. */
  onConnected(): void;
  /** Before and after that. */
  onError(error: Error): void;
  onClose(): void;
  /** Where the next bytes go. */
  nextBuffer(): Buffer;
  /** @returns false: no more for now */
  read(byteCount: number, buffer: Uint8Array): boolean;
  /** Bytes that are nobody else's. */
  readOwned(bytes: Buffer): void;
}

class ConnectTimeout extends Error {
  readonly code = 'ECONNECT_TIMEOUT';
}

export class OriginConnector {
  readonly #access: OriginAccess;
  readonly #connectMs: number;
  /** Of the last connection, to be resumed by the next: it was verified by these options, and is of no use to others. */
  #session: Buffer | null = null;
  #tlsOptions: OriginTlsOptions | null = null;

  /** @param connectMs until the connection stands, TLS included */
  constructor(access: OriginAccess, connectMs: number) {
    this.#access = access;
    this.#connectMs = connectMs;
  }

  /** Never throws, and tells nothing before it has returned. */
  connect(connecting: Connecting): void {
    const timer = setTimeout(
      () => connecting.onError(new ConnectTimeout(`no connection within ${this.#connectMs} ms`)),
      this.#connectMs,
    );
    this.#open(connecting, timer).catch((error: Error) => {
      clearTimeout(timer);
      connecting.onError(error);
    });
  }

  async #open(connecting: Connecting, timer: NodeJS.Timeout): Promise<void> {
    this.#access.checkHost();
    const tlsOptions = this.#access.secure ? await this.#access.tlsOptions() : null;
    if (connecting.isClosed) {
      clearTimeout(timer);
      return;
    }
    const socket =
      tlsOptions === null ? this.#openPlain(connecting) : this.#openSecure(connecting, tlsOptions);
    socket.once(tlsOptions === null ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer);
      connecting.onConnected();
    });
    socket.on('error', (error) => connecting.onError(error));
    socket.once('close', () => {
      clearTimeout(timer);
      connecting.onClose();
    });
    connecting.onSocket(socket);
  }

  #openPlain(connecting: Connecting): Socket {
    const { host, port, lookup } = this.#access;
    return net.connect({
      host,
      port,
      lookup,
      noDelay: true,
      // What reads the end decides what becomes of the rest.
      allowHalfOpen: true,
      onread: {
        buffer: () => connecting.nextBuffer(),
        callback: (byteCount, buffer) => connecting.read(byteCount, buffer),
      },
    });
  }

  #openSecure(connecting: Connecting, options: OriginTlsOptions): Socket {
    const { host, port, lookup, serverName } = this.#access;
    if (options !== this.#tlsOptions) this.#session = null;
    this.#tlsOptions = options;
    const socket = tls.connect({
      host,
      port,
      lookup,
      ...options,
      ...(this.#session === null ? {} : { session: this.#session }),
      servername: serverName,
      ALPNProtocols: ['http/1.1'],
    });
    socket.setNoDelay(true);
    socket.on('session', (session) => {
      if (this.#tlsOptions === options) this.#session = session;
    });
    socket.on('data', (bytes: Buffer) => connecting.readOwned(bytes));
    return socket;
  }
}
