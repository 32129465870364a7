/**
 * Accepts the connections of clients and hands each to a worker, in turn. The primary reads nothing of them.
 *
 * Why not node:cluster's own sharing: its round robin loses track of a connection that was handed to a
 * worker that dies (the client hangs), and closes the port when the last worker is gone. Here a socket stays
 * ours until the worker has said that it has it, so it can be given to another, and the port stays open
 * while workers come and go. docs/architecture.md has the figures.
 */
import net, { type AddressInfo, type Socket } from 'node:net';
import type { ConnectionCounts } from './connection-counts.ts';
import type { ConnectionTaker } from './connection-taker.ts';

/** Connections that wait for a worker: more are closed, older ones too. */
const MAX_WAITING = 1_024;
const MAX_WAIT_MS = 15_000;
const CHECK_INTERVAL_MS = 1_000;
const BACKLOG = 1_024;

interface Waiting {
  readonly socket: Socket;
  /** Of the peer; empty where it was gone before it could be asked. */
  readonly address: string;
  readonly secure: boolean;
  readonly sinceMs: number;
}

export class Acceptor {
  readonly #servers: net.Server[] = [];
  /** Workers that have no socket on the way to them, the one that waited longest first. */
  readonly #free = new Set<ConnectionTaker>();
  readonly #onTheWay = new Map<ConnectionTaker, Waiting>();
  readonly #waiting: Waiting[] = [];
  readonly #timer: NodeJS.Timeout;
  #droppedCount = 0;
  readonly #counts: ConnectionCounts;
  #refusedCount = 0;

  constructor(counts: ConnectionCounts) {
    this.#counts = counts;
    this.#timer = setInterval(() => {
      this.#dropOld();
      this.#probeSlow();
    }, CHECK_INTERVAL_MS);
    this.#timer.unref();
  }

  /** Connections that were closed because there were too many. */
  get refusedCount(): number {
    return this.#refusedCount;
  }

  /** Connections that were closed because no worker took them in time. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  /**
   * Opens one more port. @param secure whether TLS is spoken on it
   * @returns where it listens, as host:port. @throws the system's error, e.g. EADDRINUSE
   */
  async listen(host: string, port: number, secure = false): Promise<string> {
    const options = { pauseOnConnect: true, noDelay: true, keepAlive: true };
    const server = net.createServer(options, (socket) => this.#onConnection(socket, secure));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, backlog: BACKLOG }, () => resolve());
    });
    server.on('error', () => {});
    this.#servers.push(server);
    const { address, port: chosen, family } = server.address() as AddressInfo;
    return family === 'IPv6' ? `[${address}]:${chosen}` : `${address}:${chosen}`;
  }

  /** The worker serves: it gets its turn from now on. */
  add(taker: ConnectionTaker): void {
    this.#release(taker);
  }

  /** The worker gets nothing more; what is on its way to it still counts as its own. */
  remove(taker: ConnectionTaker): void {
    this.#free.delete(taker);
  }

  /** The worker has the socket, or found it closed. */
  onAccepted(taker: ConnectionTaker, serves: boolean): void {
    // Only our handle is closed: the worker holds its own to the same connection.
    this.#onTheWay.get(taker)?.socket.destroy();
    this.#onTheWay.delete(taker);
    if (serves) this.#release(taker);
  }

  /** The worker says that connections are closed, by the addresses that they came with. */
  onClosed(taker: ConnectionTaker, addresses: readonly string[]): void {
    this.#counts.close(taker, addresses);
  }

  /**
   * The socket did not arrive, and never will: the worker had no file descriptor for it. It waits for whoever
   * is free next, which may be the same worker.
   */
  onMissed(taker: ConnectionTaker, serves: boolean): void {
    const missed = this.#onTheWay.get(taker);
    this.#onTheWay.delete(taker);
    if (missed !== undefined) this.#counts.close(taker, [missed.address]);
    if (missed !== undefined) this.#dispatch(missed);
    if (serves) this.#release(taker);
  }

  /** The worker is gone: what it had not accepted goes to another. */
  onGone(taker: ConnectionTaker): void {
    this.#free.delete(taker);
    this.#counts.forget(taker);
    const lost = this.#onTheWay.get(taker);
    this.#onTheWay.delete(taker);
    if (lost !== undefined) this.#dispatch(lost);
  }

  #onConnection(socket: Socket, secure: boolean): void {
    socket.on('error', () => {});
    const address = socket.remoteAddress ?? '';
    if (this.#counts.hasRoomFor(address)) {
      this.#dispatch({ socket, address, secure, sinceMs: performance.now() });
    } else {
      this.#refusedCount += 1;
      socket.resetAndDestroy();
    }
  }

  #dispatch(connection: Waiting): void {
    const { socket, secure, address } = connection;
    if (socket.destroyed) return;
    for (const taker of this.#free) {
      this.#free.delete(taker);
      if (!taker.give(socket, secure, address)) continue;
      this.#counts.open(taker, address);
      this.#onTheWay.set(taker, connection);
      return;
    }
    this.#keepWaiting(connection);
  }

  /** What waits counts as well, or one address could take all the room there is for waiting. */
  #keepWaiting(connection: Waiting): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#drop(connection.socket);
      return;
    }
    this.#waiting.push(connection);
    this.#counts.open(this, connection.address);
  }

  #takeWaiting(): Waiting | undefined {
    const next = this.#waiting.shift();
    if (next !== undefined) this.#counts.close(this, [next.address]);
    return next;
  }

  #release(taker: ConnectionTaker): void {
    this.#free.add(taker);
    let next = this.#takeWaiting();
    while (next?.socket.destroyed) next = this.#takeWaiting();
    if (next !== undefined) this.#dispatch(next);
  }

  #dropOld(): void {
    const oldestMs = performance.now() - MAX_WAIT_MS;
    while (this.#waiting.length > 0 && this.#waiting[0]!.sinceMs < oldestMs)
      this.#drop(this.#takeWaiting()!.socket);
  }

  #probeSlow(): void {
    const slowBeforeMs = performance.now() - CHECK_INTERVAL_MS;
    for (const [taker, { sinceMs }] of this.#onTheWay) if (sinceMs < slowBeforeMs) taker.probe();
  }

  #drop(socket: Socket): void {
    this.#droppedCount += 1;
    socket.resetAndDestroy();
  }

  /** Takes no more connections. Those that wait are still handed out. */
  stop(): void {
    for (const server of this.#servers) server.close();
  }

  /** Resolves when no connection waits any more. */
  async settled(limitMs: number): Promise<void> {
    const deadlineMs = performance.now() + limitMs;
    while ((this.#waiting.length > 0 || this.#onTheWay.size > 0) && performance.now() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    clearInterval(this.#timer);
    while (this.#waiting.length > 0) this.#drop(this.#takeWaiting()!.socket);
  }
}
