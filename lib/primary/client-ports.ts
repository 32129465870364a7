import type { Acceptor } from './acceptor.ts';
import type { GatewaySettings } from './gateway-settings.ts';
import type { MaterialNews } from './materials/material-news.ts';
import { openPort } from './open-port.ts';
import { TicketKeyRotation } from './ticket-key-rotation.ts';

/** Where clients connect, as host:port. */
export interface ClientAddresses {
  /** '' until it is open. */
  readonly listen: string;
  /** Absent where TLS is spoken on no port. */
  readonly listenTls?: string;
}

/** The ports for clients: one without TLS, and where the settings say so one with it. */
export class ClientPorts {
  readonly #acceptor: Acceptor;
  readonly #ticketKeys: TicketKeyRotation;
  #addresses: ClientAddresses = { listen: '' };

  /** @param sendTicketKeys to all workers, also those that start later */
  constructor(acceptor: Acceptor, sendTicketKeys: (keys: MaterialNews) => void) {
    this.#acceptor = acceptor;
    this.#ticketKeys = new TicketKeyRotation(sendTicketKeys);
  }

  get addresses(): ClientAddresses {
    return this.#addresses;
  }

  /** @throws SettingsError where a port cannot be opened */
  async open({ listen, listenTls }: Pick<GatewaySettings, 'listen' | 'listenTls'>): Promise<void> {
    this.#addresses = { listen: await openPort('--listen', listen, this.#acceptor) };
    if (listenTls === null) return;
    this.#ticketKeys.start();
    const server = { listen: (host: string, port: number) => this.#acceptor.listen(host, port, true) };
    this.#addresses = { ...this.#addresses, listenTls: await openPort('--listen-tls', listenTls, server) };
  }
}
