/** A network between a client and a server that fails when a test wants it to. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { ChangeSignal, DEFAULT_LIMIT_MS } from './change-signal.ts';
import type { TestOwner } from './test-owner.ts';

/** Listens on a free port of 127.0.0.1 and forwards each connection to another port of it. */
export class TcpRelay {
  readonly port: number;
  readonly #server: Server;
  readonly #targetPort: number;
  /** Each open socket, on either side, with the one that gets what it sends. */
  readonly #peers = new Map<Socket, Socket>();
  /** Those whose other side has ended unseen. */
  readonly #heldEnds: Socket[] = [];
  readonly #changed = new ChangeSignal();
  #accepted = 0;
  #swallowing = false;
  #refusing = false;

  constructor(server: Server, targetPort: number) {
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
    this.#targetPort = targetPort;
    server.on('connection', (client) => this.#accept(client));
  }

  /** How many connections have come so far, those that were refused included. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Forwards nothing any more, not even the end of a connection, and takes new ones: a dead line. */
  swallow(): void {
    this.#swallowing = true;
    for (const socket of this.#peers.keys()) socket.pause();
  }

  /** Resets all connections. */
  cut(): void {
    for (const socket of this.#peers.keys()) socket.resetAndDestroy();
  }

  /** Resets each new connection at once; those that are open stay. */
  refuse(): void {
    this.#refusing = true;
  }

  /** Forwards again, also what was held back, and takes new connections. */
  restore(): void {
    this.#swallowing = false;
    this.#refusing = false;
    for (const [socket, peer] of this.#peers) {
      if (peer.destroyed) socket.resetAndDestroy();
      else socket.resume();
    }
    // All data before had been passed on: an end is told only behind it.
    for (const socket of this.#heldEnds.splice(0)) socket.end();
  }

  /** Waits until so many connections have come since the start. */
  async waitForAccepted(count: number, limitMs = DEFAULT_LIMIT_MS): Promise<void> {
    const find = () => (this.#accepted >= count ? true : undefined);
    await this.#changed.waitFor(find, limitMs, () => `${this.#accepted} connections instead of ${count}`);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }

  #accept(client: Socket): void {
    this.#accepted += 1;
    if (this.#refusing) {
      client.on('error', () => {});
      client.resetAndDestroy();
    } else {
      const server = connect({ host: '127.0.0.1', port: this.#targetPort, allowHalfOpen: true });
      this.#forward(client, server);
      this.#forward(server, client);
    }
    this.#changed.notify();
  }

  /** Not `pipe`: it resumes a paused source by itself. */
  #forward(from: Socket, to: Socket): void {
    this.#peers.set(from, to);
    from.setNoDelay(true);
    from.on('data', (bytes: Buffer) => to.write(bytes));
    // A paused socket tells its end all the same.
    from.on('end', () => {
      if (this.#swallowing) this.#heldEnds.push(to);
      else to.end();
    });
    // What failed is closed; that is all the other side needs to know.
    from.on('error', () => {});
    from.on('close', (hadError) => {
      this.#peers.delete(from);
      if (this.#swallowing) return;
      if (hadError) to.resetAndDestroy();
      else to.destroySoon();
    });
    if (this.#swallowing) from.pause();
  }
}

/** Starts a relay to a port of 127.0.0.1; it closes with the test. */
export async function startTcpRelay(owner: TestOwner, targetPort: number): Promise<TcpRelay> {
  const server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const relay = new TcpRelay(server, targetPort);
  owner.teardown(() => relay.close());
  return relay;
}
